//! The passes of a step over all its tensors.

use crate::dtypes::Dtype;
use crate::intake::{Hands, accumulate, gradient};
use crate::loops::BLOCK;
use crate::machine::simd::Tier;
use crate::memory::{Piece, Tensors, Touch};
use crate::plans::Plan;
use crate::scratch::Scratches;
use crate::staged::Staged;
use crate::stages::{Terms, measure, update};
use crate::sums::{Lanes, NonFinite, Partials, Square, Term};

/// What all passes of a step have in common.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    pub tier: Tier,
    pub workers: usize,
    pub plan: &'a Plan,
    /// With room for the workers, if any gradient needs it. Partials that a pass is given have room for the plan's
    /// chunks.
    pub scratches: &'a Scratches,
}

impl Pass<'_> {
    /// One update of all tensors, each under its terms. Where there are `partials`, they become the sums of squares of
    /// what was added to the parameters, and of what they were before.
    pub fn write(&self, tensors: &mut Tensors<'_>, terms: &[Terms], partials: Option<&Partials<2>>) {
        let Some(partials) = partials else {
            return tensors.for_each(self.plan, self.workers, Touch::Params, |worker, _, pieces| {
                pieces.each(|piece| update(self.hands(worker), &terms[piece.terms()], piece, None));
            });
        };
        tensors.for_each(self.plan, self.workers, Touch::Params, |worker, chunk, pieces| {
            let mut sums = [Lanes::ZERO; 2];
            pieces.each(|piece| update(self.hands(worker), &terms[piece.terms()], piece, Some(&mut sums)));
            partials.set(chunk, sums.map(Lanes::fold));
        });
    }

    /// A dry run: the sums over all chunks that the terms' rules ask for. Writes `partials`, and brings parameters to where
    /// they will be written.
    pub fn measure(&self, tensors: &mut Tensors<'_>, terms: &[Terms], partials: &Partials<2>) {
        tensors.for_each(self.plan, self.workers, Touch::Params, |worker, chunk, pieces| {
            let mut sums = [Lanes::ZERO; 2];
            pieces.each(|piece| measure(self.hands(worker), &terms[piece.terms()], piece, &mut sums));
            partials.set(chunk, sums.map(Lanes::fold));
        });
    }

    /// Adds the gradients to what their tensors have accumulated, or begins with them.
    pub fn accumulate(&self, tensors: &mut Tensors<'_>) {
        tensors.for_each(self.plan, self.workers, Touch::Params, |worker, _, pieces| {
            pieces.each(|piece| match piece.dtype() {
                Dtype::F32 => self.accumulate_in::<f32>(piece, worker),
                Dtype::F64 => self.accumulate_in::<f64>(piece, worker),
            });
        });
    }

    fn accumulate_in<F: Staged>(&self, piece: &mut Piece<'_>, worker: usize) {
        let adds = piece.adds();
        let (sum, source) = piece.lend_accumulated::<F>();
        accumulate(self.hands(worker), sum, source, adds);
    }

    /// The sums of g² over all chunks, each g as its parameter's dtype has it: what the update would make
    /// infinite is infinite here.
    pub fn squares(&self, tensors: &mut Tensors<'_>, partials: &Partials<1>) {
        self.sum::<Square>(tensors, partials);
    }

    /// How many elements of each chunk's gradient are NaN or infinite.
    pub fn count_nonfinite(&self, tensors: &mut Tensors<'_>, partials: &Partials<1>) {
        self.sum::<NonFinite>(tensors, partials);
    }

    /// The sums over the gradients' elements. `partials` has room for the plan's chunks.
    fn sum<T: Term<f32> + Term<f64>>(&self, tensors: &mut Tensors<'_>, partials: &Partials<1>) {
        tensors.for_each(self.plan, self.workers, Touch::Values, |worker, chunk, pieces| {
            let mut lanes = Lanes::ZERO;
            pieces.each(|piece| match piece.dtype() {
                Dtype::F32 => self.sum_in::<T, f32>(piece, worker, &mut lanes),
                Dtype::F64 => self.sum_in::<T, f64>(piece, worker, &mut lanes),
            });
            partials.set(chunk, [lanes.fold()]);
        });
    }

    fn sum_in<T: Term<F>, F: Staged>(&self, piece: &mut Piece<'_>, worker: usize, lanes: &mut Lanes) {
        let intake = piece.lend_gradient::<F>();
        gradient(self.hands(worker), intake, None, BLOCK, &mut |_, g: &[F]| {
            if !T::adds_nothing(self.tier, g) {
                lanes.add::<T, _>(self.tier, g);
            }
        });
    }

    fn hands(&self, worker: usize) -> Hands<'_> {
        Hands { tier: self.tier, scratches: self.scratches, worker }
    }
}
