//! What a piece lends of state that is kept in fewer bits.

use super::lent::{Arrays, Origin};
use super::tensor::{Tensor, stretch};
use crate::codecs::Format;
use crate::codecs::bfloat16::{self, Bfloat16};
use crate::codecs::float8::BLOCK;
use crate::codecs::noise::{PAIRS, moved};
use crate::dtypes::Dtype;
use std::marker::PhantomData;

/// Streams whose state is in fewer bits.
#[derive(Debug)]
pub struct NarrowStreams<'a> {
    pub arrays: Arrays<'a, f32>,
    grads: Grads<'a>,
    /// Those of the random bits of the first element.
    pub counters: [u32; PAIRS],
}

/// A gradient as it is stored, which need not be in float32 to be read in the loop.
#[derive(Clone, Copy, Debug)]
pub enum Grads<'a> {
    Single(&'a [f32]),
    Bfloat16(&'a [Bfloat16]),
}

/// A dtype of such a gradient.
pub trait Grad: Copy {
    /// Whether it is that of the parameter.
    const SAME: bool;

    fn widened(self) -> f32;

    /// The gradient, if it has this dtype.
    fn of(grads: Grads<'_>) -> Option<&[Self]>;
}

impl Grad for f32 {
    const SAME: bool = true;

    #[inline(always)]
    fn widened(self) -> f32 {
        self
    }

    #[inline(always)]
    fn of(grads: Grads<'_>) -> Option<&[Self]> {
        if let Grads::Single(grads) = grads { Some(grads) } else { None }
    }
}

impl Grad for Bfloat16 {
    const SAME: bool = false;

    #[inline(always)]
    fn widened(self) -> f32 {
        bfloat16::load(self.0)
    }

    #[inline(always)]
    fn of(grads: Grads<'_>) -> Option<&[Self]> {
        if let Grads::Bfloat16(grads) = grads { Some(grads) } else { None }
    }
}

impl<'a> NarrowStreams<'a> {
    pub fn new(arrays: Arrays<'a, f32>, grads: Grads<'a>, counters: [u32; PAIRS]) -> Self {
        let len = match grads {
            Grads::Single(grads) => grads.len(),
            Grads::Bfloat16(grads) => grads.len(),
        };
        assert!(len == arrays.len);
        Self { arrays, grads, counters }
    }

    #[inline(always)]
    pub fn format(&self) -> Format {
        self.arrays.tensor.format
    }

    #[inline(always)]
    pub fn grads(&self) -> Grads<'a> {
        self.grads
    }

    /// Leaves the first elements out, which have been updated.
    pub fn skip(&mut self, elements: usize) {
        match &mut self.grads {
            Grads::Single(grads) => *grads = &grads[elements..],
            Grads::Bfloat16(grads) => *grads = &grads[elements..],
        }
        (self.arrays.at, self.arrays.len) = (self.arrays.at + elements, self.arrays.len - elements);
        self.counters = self.counters.map(|counter| moved(counter, elements));
    }

    fn read<G: Grad>(&self) -> &'a [G] {
        G::of(self.grads).expect("a gradient of that dtype")
    }

    /// The parameter, the gradient, and the first `N` slots, each among those in float32 or among those that have the upper
    /// half of one, as the bits of `narrow` say; in the other place there is nothing.
    #[inline(always)]
    #[expect(clippy::type_complexity, reason = "two kinds of slots")]
    pub fn halves<G: Grad, const N: usize>(
        &mut self,
        narrow: u8,
    ) -> (&mut [f32], &[G], [&mut [f32]; N], [&mut [u16]; N]) {
        let Arrays { tensor, params, at, len, .. } = self.arrays;
        assert!(N <= tensor.slots && tensor.narrow == narrow && tensor.format == Format::Bfloat16);
        let is_narrow = |k: usize| narrow >> k & 1 == 1;
        // SAFETY: as in `Streams::split`, and a slot has the elements that the tensor says.
        unsafe {
            let whole = |data: *mut u8| stretch::<f32>(data, at, len);
            let half = |data: *mut u8| stretch::<u16>(data, at, len);
            (
                whole(params),
                self.read(),
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
        let Arrays { tensor, params, at, len, .. } = self.arrays;
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
                self.read(),
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

/// State decoded for a dry run: at most `N` elements of each slot.
#[derive(Debug)]
pub struct Decoded<'a, const N: usize> {
    tensor: Tensor,
    borrow: PhantomData<&'a mut [[f32; N]]>,
}

impl<'a, const N: usize> Decoded<'a, N> {
    /// With a row of memory for each slot.
    pub fn new(rows: &'a mut [[f32; N]]) -> Self {
        let mut tensor = Tensor::new(Dtype::F32, N, std::ptr::null_mut());
        for (state, row) in tensor.state.iter_mut().zip(rows.iter_mut()) {
            *state = row.as_mut_ptr().cast();
        }
        tensor.slots = rows.len();
        Self { tensor, borrow: PhantomData }
    }

    #[inline(always)]
    pub fn slot(&mut self, k: usize) -> &mut [f32] {
        assert!(k < self.tensor.slots);
        // SAFETY: it points to a row that is borrowed while we are, and all of us to lend it.
        unsafe { stretch(self.tensor.state[k], 0, N) }
    }

    /// The parameter of a stretch with this as its state.
    #[inline(always)]
    pub fn beside<'b>(&'b mut self, arrays: &'b mut Arrays<'_, f32>) -> Arrays<'b, f32> {
        assert!(arrays.len <= N);
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
