//! What a piece lends of state that is kept in fewer bits.

use super::lent::{Arrays, Origin, Streams};
use super::tensor::{Tensor, stretch};
use crate::codecs::Format;
use crate::codecs::float8::BLOCK;
use crate::codecs::noise::PAIRS;
use crate::dtypes::Dtype;
use std::marker::PhantomData;

/// Streams whose state is in fewer bits.
#[derive(Debug)]
pub struct NarrowStreams<'a> {
    pub streams: Streams<'a, f32>,
    /// Those of the random bits of the first element.
    pub counters: [u32; PAIRS],
}

impl NarrowStreams<'_> {
    #[inline(always)]
    pub fn format(&self) -> Format {
        self.streams.arrays.tensor.format
    }

    /// The parameter, the gradient, and the first `N` slots, each among those in float32 or among those that have the upper
    /// half of one, as the bits of `narrow` say; in the other place there is nothing.
    #[inline(always)]
    #[expect(clippy::type_complexity, reason = "two kinds of slots")]
    pub fn halves<const N: usize>(
        &mut self,
        narrow: u8,
    ) -> (&mut [f32], &[f32], [&mut [f32]; N], [&mut [u16]; N]) {
        let Arrays { tensor, params, at, len, .. } = self.streams.arrays;
        assert!(N <= tensor.slots && tensor.narrow == narrow && tensor.format == Format::Bfloat16);
        let is_narrow = |k: usize| narrow >> k & 1 == 1;
        // SAFETY: as in `Streams::split`, and a slot has the elements that the tensor says.
        unsafe {
            let whole = |data: *mut u8| stretch::<f32>(data, at, len);
            let half = |data: *mut u8| stretch::<u16>(data, at, len);
            (
                whole(params),
                self.streams.g,
                std::array::from_fn(|k| if is_narrow(k) { &mut [][..] } else { whole(tensor.state[k]) }),
                std::array::from_fn(|k| if is_narrow(k) { half(tensor.state[k]) } else { &mut [][..] }),
            )
        }
    }

    /// The parameter, the gradient, and the first `N` slots, each among those in float32 or among those in codes, with the
    /// exponents of their blocks; in the other places there is nothing. They are of whole blocks, but for the last of a
    /// tensor.
    #[inline(always)]
    #[expect(clippy::type_complexity, reason = "two kinds of slots")]
    pub fn bytes<const N: usize>(
        &mut self,
        narrow: u8,
    ) -> (&mut [f32], &[f32], [&mut [f32]; N], [&mut [u8]; N], [&mut [u8]; N]) {
        let Arrays { tensor, params, at, len, .. } = self.streams.arrays;
        assert!(N <= tensor.slots && tensor.narrow == narrow && tensor.format == Format::Float8);
        assert!(at % BLOCK == 0 && (len % BLOCK == 0 || at + len == tensor.len));
        let is_narrow = |k: usize| narrow >> k & 1 == 1;
        // SAFETY: as in `Streams::split`, and a slot has the elements that the tensor says, and an exponent for each of
        // their blocks.
        unsafe {
            let whole = |data: *mut u8| stretch::<f32>(data, at, len);
            let codes = |data: *mut u8| stretch::<u8>(data, at, len);
            let of_blocks = |data: *mut u8| stretch::<u8>(data, at / BLOCK, len.div_ceil(BLOCK));
            (
                whole(params),
                self.streams.g,
                std::array::from_fn(|k| if is_narrow(k) { &mut [][..] } else { whole(tensor.state[k]) }),
                std::array::from_fn(|k| if is_narrow(k) { codes(tensor.state[k]) } else { &mut [][..] }),
                std::array::from_fn(
                    |k| if is_narrow(k) { of_blocks(tensor.exponents[k]) } else { &mut [][..] },
                ),
            )
        }
    }
}

/// A slot of a stretch, as it is kept.
#[derive(Debug)]
pub enum Kept<'a> {
    Whole(&'a mut [f32]),
    Halves(&'a mut [u16]),
    /// Codes, and the exponents of their blocks.
    Bytes(&'a mut [u8], &'a mut [u8]),
}

impl Arrays<'_, f32> {
    /// A slot. In blocks, it is of whole ones, but for the last of a tensor.
    #[inline(always)]
    pub fn kept(&mut self, slot: usize) -> Kept<'_> {
        let Self { tensor, at, len, .. } = *self;
        let in_blocks = at % BLOCK == 0 && (len % BLOCK == 0 || at + len == tensor.len);
        assert!(slot < tensor.slots && (tensor.format != Format::Float8 || in_blocks));
        let (data, is_narrow) = (tensor.state[slot], tensor.narrow >> slot & 1 == 1);
        // SAFETY: as in `Streams::split`; a narrow slot has as many elements, of the size that the format says, and in
        // blocks an exponent for each of them.
        unsafe {
            match tensor.format {
                Format::Bfloat16 if is_narrow => Kept::Halves(stretch(data, at, len)),
                Format::Float8 if is_narrow => Kept::Bytes(
                    stretch(data, at, len),
                    stretch(tensor.exponents[slot], at / BLOCK, len.div_ceil(BLOCK)),
                ),
                _ => Kept::Whole(stretch(data, at, len)),
            }
        }
    }
}

/// Elements of what is decoded at a time.
const ROW: usize = 4 * BLOCK;

/// The numbers of a slot.
#[derive(Clone, Copy, Debug)]
pub struct Row([f32; ROW]);

impl Row {
    pub const LEN: usize = ROW;
    pub const ZERO: Self = Self([0.0; ROW]);
}

/// A stretch of state in rows of its own, to be updated with the parameter of a tensor.
#[derive(Debug)]
pub struct Rows<'a> {
    tensor: Tensor,
    borrow: PhantomData<&'a mut [Row]>,
}

impl<'a> Rows<'a> {
    pub fn new(rows: &'a mut [Row]) -> Self {
        let mut tensor = Tensor::new(Dtype::F32, ROW, std::ptr::null_mut());
        for (state, row) in tensor.state.iter_mut().zip(rows.iter_mut()) {
            *state = row.0.as_mut_ptr().cast();
        }
        tensor.slots = rows.len();
        Self { tensor, borrow: PhantomData }
    }

    /// So many rows from one on.
    #[inline(always)]
    pub fn rows<const N: usize>(&mut self, first: usize) -> [&mut [f32; ROW]; N] {
        assert!(first + N <= self.tensor.slots);
        std::array::from_fn(|k| {
            // SAFETY: it points to a row that is borrowed while we are, and all of us to lend some.
            let row = unsafe { stretch(self.tensor.state[first + k], 0, ROW) };
            row.try_into().expect("as long as a row")
        })
    }

    /// The parameter of a stretch with the rows as its state.
    #[inline(always)]
    pub fn beside<'b>(&'b mut self, arrays: &'b mut Arrays<'_, f32>) -> Arrays<'b, f32> {
        assert!(arrays.len <= ROW);
        let params = arrays.params.wrapping_add(arrays.at * size_of::<f32>());
        Arrays {
            tensor: &self.tensor,
            params,
            origin: Origin::Here,
            at: 0,
            len: arrays.len,
            long: false,
            borrow: PhantomData,
        }
    }
}
