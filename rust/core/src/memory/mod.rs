//! Where pointers become slices: the arrays of a step, and who may touch which stretch of them.
//!
//! # Rationale
//! Arrays belong to Python and reach the core as pointers. Whoever calls [`Tensors::new`] vouches for them;
//! from there on everything is safe. [`Tensors::for_each`] hands out [`Piece`]s, no two of which overlap, and
//! a piece lends its elements as slices: to borrow the piece is to borrow the memory.

mod ahead;
mod gradient;
mod lent;
mod narrow;
#[cfg(test)]
mod row_tests;
mod scattered;
mod tensor;
#[cfg(test)]
mod tests;
mod walks;

use crate::codecs::Format;
use crate::dtypes::{Dtype, GradDtype};
use crate::machine::prefetch::LONG;
use crate::plans::{Cut, Plan};
use crate::rows::Table;
use std::marker::PhantomData;
use std::slice;

use lent::Origin;
use walks::{Picked, Walk};

pub use gradient::{Gradient, Order, Output};
pub use lent::{Arrays, Block, Intake, Params, Source, Stored, Streams, Strided, Values, Whole};
pub use narrow::{Decoded, Grad, Grads, Kept, NarrowStreams};
pub use scattered::Scattered;
pub use tensor::Tensor;
pub use walks::Touch;

/// The tensors of a step and their gradients, some tensors perhaps without.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "what it is called after")]
pub struct Tensors<'a> {
    tensors: &'a [Tensor],
    gradients: &'a [Gradient],
    rows: &'a [Table],
}

// SAFETY: whoever makes one vouches for the pointers while it lives, on whatever thread they are followed.
unsafe impl Sync for Tensors<'_> {}

impl<'a> Tensors<'a> {
    /// # Safety
    /// While it lives:
    /// - each pointer of a tensor that has a gradient (the first `slots` of the state, the average, what is
    ///   accumulated and the copy, of elements of two bytes, unless they are null, and the one that its gradient's output writes) is aligned for its dtype
    ///   and valid for reading and writing `len` elements, overlaps nothing else here, and nobody else reads or
    ///   writes there; a slot that `narrow` names has elements of two bytes or of one, as `format` says, those of
    ///   `Float8` with a byte for each block of them among the `exponents`;
    /// - each gradient's pointer is aligned for its dtype and valid for reading all between the lowest and
    ///   the highest of `len` elements in its order, nobody writes there, and no two gradients name one tensor;
    ///   so is what its output reads, for `len` elements of the tensor's dtype. A gradient may be what its tensor
    ///   has accumulated if it is not added to it;
    /// - where its order is that of rows, it is valid over the reach of their table among the `rows` instead, whose rows
    ///   are of the tensor's width and inside it, and is not added up.
    pub unsafe fn new(tensors: &'a [Tensor], gradients: &'a [Gradient], rows: &'a [Table]) -> Self {
        Self { tensors, gradients, rows }
    }

    /// Calls `work(worker, chunk, pieces)` once for each chunk of `plan`, which was made of the extents of the gradients;
    /// shared by so many workers. No two pieces that are alive at once have the same worker.
    #[inline]
    pub fn for_each(
        &mut self,
        plan: &Plan,
        workers: usize,
        touch: Touch,
        work: impl Fn(usize, usize, Pieces<'_>) + Sync,
    ) {
        let all = &*self;
        plan.for_each(workers, |worker, chunk, cut| work(worker, chunk, Pieces { all, cut, touch }));
    }

    /// Calls `work` with each piece of `len` elements of an item from `at` on, whose gradient has rows.
    #[inline(never)]
    fn for_rows(
        &self,
        item: usize,
        at: usize,
        len: usize,
        touch: Touch,
        work: &mut dyn FnMut(&mut Piece<'_>),
    ) {
        let gradient = &self.gradients[item];
        let &Gradient { tensor, dtype, data, order, output, .. } = gradient;
        let Order::Rows { table, apart } = order else { unreachable!("it has all rows") };
        let (tensor, rows, in_place) = (&self.tensors[tensor], &self.rows[table], output == Output::InPlace);
        let walk = Walk { tensor, rows, data, dtype, apart, in_place, touch };
        walk.each(at, len, &mut |tensor, at, len, picked| {
            work(&mut Piece { tensor, gradient, at, len, picked: Some(picked) });
        });
    }

    #[inline(always)]
    fn piece(&self, Cut { item, at, len }: Cut) -> Piece<'_> {
        let gradient = &self.gradients[item];
        let tensor = &self.tensors[gradient.tensor];
        assert!(at + len <= tensor.len);
        Piece { tensor, gradient, at, len, picked: None }
    }
}

/// What a chunk has: one piece, or where its gradient has rows, a piece for each run of them, in the order of the rows.
#[derive(Debug)]
pub struct Pieces<'a> {
    all: &'a Tensors<'a>,
    cut: Cut,
    touch: Touch,
}

impl Pieces<'_> {
    /// Calls `work` with one piece after the other.
    #[inline(always)]
    pub fn each(self, mut work: impl FnMut(&mut Piece<'_>)) {
        let Self { all, cut, touch } = self;
        if let Order::Rows { .. } = all.gradients[cut.item].order {
            // In registers: a cut in memory is felt where arrays are small.
            return all.for_rows(cut.item, cut.at, cut.len, touch, &mut work);
        }
        work(&mut all.piece(cut));
    }
}

/// A stretch of one tensor and of its gradient that nobody else has. Only [`Tensors::for_each`] makes them, the
/// chunks of a plan are disjoint, and a table has each row once. Its tensor may be a block of memory elsewhere, where short
/// rows have been gathered: then it has the elements of the piece, and no others.
#[derive(Debug)]
pub struct Piece<'a> {
    tensor: &'a Tensor,
    gradient: &'a Gradient,
    at: usize,
    len: usize,
    /// Whose values the gradient's are, where it has rows.
    picked: Option<&'a Picked<'a>>,
}

impl Piece<'_> {
    pub fn terms(&self) -> usize {
        self.gradient.terms
    }

    /// Which of the tensors it is of.
    pub fn tensor(&self) -> usize {
        self.gradient.tensor
    }

    /// The dtype of the parameter, in which all is computed.
    pub fn dtype(&self) -> Dtype {
        self.tensor.dtype
    }

    /// How the state is kept.
    #[inline(always)]
    pub fn format(&self) -> Format {
        self.tensor.format
    }

    /// All of it, where it is as most are: nothing has to be brought to where the loop reads or writes it.
    #[inline(always)]
    pub fn plain(&mut self) -> Option<Block<'_>> {
        let Self { tensor, gradient, picked, .. } = *self;
        let side_by_side = match picked {
            None => gradient.order == Order::Same,
            Some(picked) => picked.together.is_some() && picked.touch == Touch::Params,
        };
        let lies_plain = side_by_side
            && gradient.output == Output::InPlace
            && gradient.dtype == GradDtype::Whole(tensor.dtype)
            && tensor.format == Format::Whole
            && tensor.copy.is_null()
            && !gradient.adds;
        lies_plain.then(|| match tensor.dtype {
            Dtype::F32 => f32::block(self.streams()),
            Dtype::F64 => f64::block(self.streams()),
        })
    }

    #[inline(always)]
    fn streams<F: Stored>(&mut self) -> Streams<'_, F> {
        let Self { tensor, gradient, at, len, .. } = *self;
        assert!(tensor.dtype == F::DTYPE && gradient.dtype == GradDtype::Whole(F::DTYPE));
        assert!(gradient.output == Output::InPlace);
        let params = tensor.params;
        let long = len >= LONG;
        let arrays = Arrays { tensor, params, origin: Origin::Here, at, len, long, borrow: PhantomData };
        let Values::Same(g) = self.values() else { unreachable!("its values lie elsewhere") };
        arrays.with(g)
    }

    /// Lends the parameter with its state, and the gradient.
    #[inline(always)]
    pub fn lend<F: Stored>(&mut self) -> (Arrays<'_, F>, Intake<'_, F>) {
        let Self { tensor, gradient, at, len, .. } = *self;
        assert!(tensor.dtype == F::DTYPE);
        assert!(
            self.picked.is_none_or(|picked| picked.touch == Touch::Params),
            "its parameters are not here"
        );
        let (params, origin) = match gradient.output {
            Output::InPlace => (tensor.params, Origin::Here),
            Output::Copy { from, to } => (to, Origin::At(from)),
            Output::Difference { from, to } if from.is_null() => (to, Origin::Unknown),
            Output::Difference { from, to } => (to, Origin::Before(from)),
        };
        let accumulated = gradient.adds.then(|| &*self.accumulated());
        (
            Arrays { tensor, params, origin, at, len, long: len >= LONG, borrow: PhantomData },
            Intake { source: self.source(), accumulated },
        )
    }

    /// Lends the gradient, and what it is added to, where neither parameter nor state is touched.
    #[inline(always)]
    pub fn lend_gradient<F: Stored>(&mut self) -> Intake<'_, F> {
        let accumulated = self.gradient.adds.then(|| &*self.accumulated());
        Intake { source: self.source(), accumulated }
    }

    /// Lends the gradient, and what the tensor has accumulated, to be added to.
    pub fn lend_accumulated<F: Stored>(&mut self) -> (&mut [F], Source<'_>) {
        (self.accumulated(), self.source())
    }

    /// Whether the gradient is added to what the tensor has accumulated.
    pub fn adds(&self) -> bool {
        self.gradient.adds
    }

    #[expect(clippy::mut_from_ref, reason = "private; each caller says why nobody else has the stretch")]
    fn accumulated<F: Stored>(&self) -> &mut [F] {
        let Self { tensor, at, len, .. } = *self;
        assert!(tensor.dtype == F::DTYPE && !tensor.accumulated.is_null());
        // SAFETY: the pointer is valid for the tensor's length, and `at` and `len` are inside; no other piece has the
        // stretch, this one lends it once at a time, and nothing else that it lends is there.
        unsafe { slice::from_raw_parts_mut(tensor.accumulated.cast::<F>().add(at), len) }
    }

    #[inline(always)]
    fn source(&self) -> Source<'_> {
        match self.gradient.dtype {
            GradDtype::Whole(Dtype::F32) => Source::Single(self.values()),
            GradDtype::Whole(Dtype::F64) => Source::Double(self.values()),
            GradDtype::Bfloat16 => Source::Bfloat16(self.values()),
            GradDtype::Float16 => Source::Float16(self.values()),
        }
    }

    #[inline(always)]
    fn values<G>(&self) -> Values<'_, G> {
        let Self { tensor, gradient, at, len, .. } = *self;
        let data = gradient.data.cast::<G>();
        // SAFETY: the dtype is the gradient's own; the pointer is valid for reading over the whole extent, and
        // `at` and `len` stay inside.
        unsafe {
            match gradient.order {
                Order::Same => Values::Same(slice::from_raw_parts(data.add(at), len)),
                Order::Strided { columns, row, column } => {
                    let (low, high) = gradient.order.reach(tensor.len);
                    let memory = slice::from_raw_parts(data.offset(low), (high - low + 1) as usize);
                    Values::Strided(Strided { memory, first: -low, columns, row, column, at, len })
                }
                Order::Rows { apart, .. } => {
                    let picked = self.picked.expect("a piece of rows");
                    let &Picked { rows, ref range, skip, together, .. } = picked;
                    let (low, high) = rows.reach(apart);
                    let memory = slice::from_raw_parts(data.offset(low), (high - low + 1) as usize);
                    let first = skip as isize - low;
                    if let Some(place) = together {
                        let start = first + place as isize * apart;
                        return Values::Same(&memory[start as usize..][..len]);
                    }
                    let (range, len) = ((range.start, range.end), len / range.len());
                    Values::Scattered(Scattered { memory, first, apart, rows, range, len })
                }
            }
        }
    }
}
