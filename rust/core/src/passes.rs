//! The passes of a step over all its tensors.

use crate::dtypes::Dtype;
use crate::machine::simd::Tier;
use crate::memory::{Piece, Tensors};
use crate::plans::Plan;
use crate::stages::{Scratches, Staged, Terms, gradient, measure, update};
use crate::sums::{Lanes, Partials, Square};

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

    /// A dry run: the sums over all chunks that the terms' rules ask for. Writes nothing but `partials`, which has room
    /// for the plan's chunks.
    pub fn measure(&self, tensors: &mut Tensors<'_>, terms: &[Terms], partials: &Partials<2>) {
        tensors.for_each(self.plan, self.workers, |worker, chunk, piece| {
            let terms = &terms[piece.terms()];
            partials.set(chunk, measure(self.tier, terms, piece, self.scratches, worker));
        });
    }

    /// The sums of g² over all chunks, each g as its parameter's dtype has it: what the update would make
    /// infinite is infinite here. `partials` has room for the plan's chunks.
    pub fn squares(&self, tensors: &mut Tensors<'_>, partials: &Partials<1>) {
        tensors.for_each(self.plan, self.workers, |worker, chunk, piece| {
            let sums = match piece.dtype() {
                Dtype::F32 => self.squares_of::<f32>(piece, worker),
                Dtype::F64 => self.squares_of::<f64>(piece, worker),
            };
            partials.set(chunk, sums);
        });
    }

    fn squares_of<F: Staged>(&self, mut piece: Piece<'_>, worker: usize) -> [f64; 1] {
        let mut lanes = Lanes::ZERO;
        let (_, source) = piece.lend::<F>();
        gradient(self.tier, source, None, self.scratches, worker, |_, g: &[F]| {
            lanes.add::<Square, _>(self.tier, g);
        });
        [lanes.fold()]
    }
}
