//! What a piece lends: slices of its elements.

use super::scattered::Scattered;
use super::tensor::{Tensor, stretch};
use crate::codecs::bfloat16::Bfloat16;
use crate::codecs::float16::Float16;
use crate::dtypes::Dtype;
use crate::machine::prefetch::LONG;
use std::marker::PhantomData;
use std::slice;

/// A dtype that tensors may have.
pub trait Stored: Copy + Send + Sync + 'static {
    const DTYPE: Dtype;
    fn block(streams: Streams<'_, Self>) -> Block<'_>;
    fn source(values: Values<'_, Self>) -> Source<'_>;
    /// The gradient, if it has this dtype.
    fn values(source: Source<'_>) -> Option<Values<'_, Self>>;
}

macro_rules! stored { ($($float:ty, $dtype:ident, $variant:ident);*) => {$(
    impl Stored for $float {
        const DTYPE: Dtype = Dtype::$dtype;

        #[inline(always)]
        fn block(streams: Streams<'_, Self>) -> Block<'_> {
            Block::$variant(streams)
        }

        #[inline(always)]
        fn source(values: Values<'_, Self>) -> Source<'_> {
            Source::$variant(values)
        }

        #[inline(always)]
        fn values(source: Source<'_>) -> Option<Values<'_, Self>> {
            if let Source::$variant(values) = source { Some(values) } else { None }
        }
    }
)*} }
stored!(f32, F32, Single; f64, F64, Double);

/// A stretch of a gradient, as it is stored.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    Single(Values<'a, f32>),
    Double(Values<'a, f64>),
    Bfloat16(Values<'a, Bfloat16>),
    Float16(Values<'a, Float16>),
}

#[derive(Clone, Copy, Debug)]
pub enum Values<'a, G> {
    Same(&'a [G]),
    Strided(Strided<'a, G>),
    Scattered(Scattered<'a, G>),
}

/// Elements `at` to `at + len` of an array in another order: see [`Order::Strided`].
#[derive(Clone, Copy, Debug)]
pub struct Strided<'a, G> {
    /// All memory between the lowest and the highest element, and where element 0 lies in it.
    pub memory: &'a [G],
    pub first: isize,
    pub columns: usize,
    pub row: isize,
    pub column: isize,
    pub at: usize,
    pub len: usize,
}

impl<G> Strided<'_, G> {
    /// Where an element lies in the memory.
    #[inline(always)]
    pub fn place(&self, row: usize, column: usize) -> isize {
        self.first + row as isize * self.row + column as isize * self.column
    }
}

/// What comes in for a stretch: the gradient, and what it is added to.
#[derive(Clone, Copy, Debug)]
pub struct Intake<'a, F> {
    pub source: Source<'a>,
    pub accumulated: Option<&'a [F]>,
}

impl<F> Intake<'_, F> {
    /// Without the first elements, of which there are some only if it is in bfloat16 and lies as the parameter does.
    pub fn after(mut self, first: usize) -> Self {
        if let Source::Bfloat16(Values::Same(g)) = &mut self.source {
            *g = &g[first..];
        }
        self
    }
}

/// Where the parameter comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// It is updated where it is.
    Here,
    /// From there; the updated one stays here.
    At(*const u8),
    /// From there; what has been added to it stays here.
    Before(*const u8),
    /// From nowhere; what is to be added to it stays here.
    Unknown,
}

/// A stretch of a parameter with its state, whose dtype is that of `F`. From `at` on, `len` elements are there behind all
/// pointers of the tensor that are not null, and behind that to the parameter; whoever made it alone has them, and lends
/// them while it is borrowed.
#[derive(Debug)]
pub struct Arrays<'a, F> {
    pub(super) tensor: &'a Tensor,
    /// Where the parameter is written.
    pub(super) params: *mut u8,
    pub(super) origin: Origin,
    pub(super) at: usize,
    pub(super) len: usize,
    /// Whether it is a part of a long one.
    pub(super) long: bool,
    pub(super) borrow: PhantomData<&'a mut [F]>,
}

impl<'a, F> Arrays<'a, F> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether what is ahead of it is to be asked for.
    #[inline(always)]
    pub fn is_long(&self) -> bool {
        self.long
    }

    /// From here on nothing is to be asked for.
    #[inline(always)]
    pub fn ask_nothing(&mut self) {
        self.long = false;
    }

    /// Which element of the whole array is the first.
    pub fn first(&self) -> usize {
        self.tensor.first + self.at
    }

    /// The elements from `at` on, `len` of them.
    #[inline(always)]
    pub fn cut(&mut self, at: usize, len: usize) -> Arrays<'_, F> {
        assert!(at <= self.len && len <= self.len - at);
        Arrays { at: self.at + at, len, ..*self }
    }

    /// Whether the parameter is updated where it is.
    #[inline(always)]
    pub fn in_place(&self) -> bool {
        matches!(self.origin, Origin::Here)
    }

    /// Whether a copy of the parameter is kept.
    #[inline(always)]
    pub fn is_copied(&self) -> bool {
        !self.tensor.copy.is_null()
    }

    /// Whether what is left is to be what was added to the parameter.
    pub fn wants_difference(&self) -> bool {
        matches!(self.origin, Origin::Before(_) | Origin::Unknown)
    }

    /// The parameter with what belongs to it.
    pub fn params(&mut self) -> Params<'_, F> {
        let Self { tensor, params, origin, at, len, .. } = *self;
        // SAFETY: what `Arrays` says, which are borrowed while we are. None of the three overlaps another, and nobody writes
        // where the parameter comes from.
        unsafe {
            let slice = |pointer: *mut u8| stretch::<F>(pointer, at, len);
            let before = match origin {
                Origin::At(from) | Origin::Before(from) => {
                    Some(slice::from_raw_parts(from.cast::<F>().add(at), len))
                }
                Origin::Here | Origin::Unknown => None,
            };
            Params {
                p: slice(params),
                average: (!tensor.average.is_null()).then(|| slice(tensor.average)),
                copy: (!tensor.copy.is_null()).then(|| stretch(tensor.copy, at, len)),
                before,
            }
        }
    }

    #[inline(always)]
    pub fn with(self, g: &'a [F]) -> Streams<'a, F> {
        assert!(g.len() == self.len);
        Streams { arrays: self, g }
    }
}

/// A stretch of a parameter.
#[derive(Debug)]
pub struct Params<'a, F> {
    /// Where it is written.
    pub p: &'a mut [F],
    pub average: Option<&'a mut [F]>,
    /// What is to hold its upper halves, rounded to nearest.
    pub copy: Option<&'a mut [u16]>,
    /// Where it comes from, if that is another array that is known.
    pub before: Option<&'a [F]>,
}

/// All that one update reads and writes, in the dtype of its arithmetic.
#[derive(Debug)]
pub struct Streams<'a, F> {
    pub arrays: Arrays<'a, F>,
    pub(super) g: &'a [F],
}

impl<F> Streams<'_, F> {
    /// The parameter, the gradient and the first `N` slots: slices of one length.
    #[inline(always)]
    pub fn split<const N: usize>(&mut self) -> (&mut [F], &[F], [&mut [F]; N]) {
        let Arrays { tensor, params, at, len, .. } = self.arrays;
        assert!(N <= tensor.slots && tensor.narrow == 0);
        // SAFETY: what `Arrays` says, which are borrowed while we are. No slot overlaps another.
        unsafe {
            let slice = |pointer: *mut u8| stretch::<F>(pointer, at, len);
            (slice(params), self.g, std::array::from_fn(|k| slice(tensor.state[k])))
        }
    }
}

/// A tensor made of slices, for those who have no [`Tensors`].
#[derive(Debug)]
pub struct Whole<'a, F> {
    tensor: Tensor,
    borrow: PhantomData<&'a mut [F]>,
}

impl<'a, F: Stored> Whole<'a, F> {
    pub fn new(p: &'a mut [F], state: impl IntoIterator<Item = &'a mut [F]>) -> Self {
        let mut tensor = Tensor::new(F::DTYPE, p.len(), p.as_mut_ptr().cast());
        for slot in state {
            assert!(slot.len() == p.len());
            tensor.state[tensor.slots] = slot.as_mut_ptr().cast();
            tensor.slots += 1;
        }
        Self { tensor, borrow: PhantomData }
    }

    pub fn arrays(&mut self) -> Arrays<'_, F> {
        let Self { tensor, .. } = &*self;
        Arrays {
            tensor,
            params: tensor.params,
            origin: Origin::Here,
            at: 0,
            len: tensor.len,
            long: tensor.len >= LONG,
            borrow: PhantomData,
        }
    }
}

/// Streams of either dtype.
#[derive(Debug)]
pub enum Block<'a> {
    Single(Streams<'a, f32>),
    Double(Streams<'a, f64>),
}
