//! The passes of a step over all its tensors.

use crate::dtypes::Dtype;
use crate::machine::simd::Tier;
use crate::memory::{Piece, Tensors};
use crate::plans::Plan;
use crate::stages::{Scratches, Staged, Terms, gradient, update};
use crate::sums::{Lanes, Partials};

/// What all passes of a step have in common.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    pub tier: Tier,
    pub workers: usize,
    pub plan: &'a Plan,
    /// With room for the workers, if any gradient needs it.
    pub scratches: &'a Scratches,
}

impl Pass<'_> {
    /// One update of all tensors, each under its terms.
    pub fn write(&self, tensors: &mut Tensors<'_>, terms: &[Terms]) {
        tensors.for_each(self.plan, self.workers, |worker, _, piece| {
            update(self.tier, &terms[piece.terms()], piece, self.scratches, worker);
        });
    }

    /// The sums of g² over all chunks, each g as its parameter's dtype has it: what the update would make
    /// infinite is infinite here. `partials` has room for the plan's chunks.
    pub fn squares(&self, tensors: &mut Tensors<'_>, partials: &Partials) {
        tensors.for_each(self.plan, self.workers, |worker, chunk, piece| {
            let sum = match piece.dtype() {
                Dtype::F32 => self.squares_of::<f32>(piece, worker),
                Dtype::F64 => self.squares_of::<f64>(piece, worker),
            };
            partials.set(chunk, sum);
        });
    }

    fn squares_of<F: Staged>(&self, mut piece: Piece<'_>, worker: usize) -> f64 {
        let mut lanes = Lanes::ZERO;
        let (_, source) = piece.lend::<F>();
        gradient(self.tier, source, None, self.scratches, worker, |_, g: &[F]| {
            lanes.add_squares(self.tier, g);
        });
        lanes.fold()
    }
}
