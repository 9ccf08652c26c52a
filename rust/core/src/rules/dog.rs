//! DoG: gradient descent at the rate that the run itself suggests, distance over gradients.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Scope, Slot, Sums, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec { name: "dog", hypers: Dog::HYPERS, build: |_| Ok(kernel::<Dog, 2, 1>()) };

hypers! {
    /// DoG (Ivgi, Hinder, Carmon 2023), as optax computes it. The norms are over all tensors.
    ///   r ← max(r, ‖p − x₀‖), at the first step reps_rel·(1 + ‖x₀‖);  G ← G + ‖g‖²
    ///   p ← p − lr·r/√(G + ε)·g
    struct Dog { reps_rel: Positive, eps: NonNegative }
    remembers { max_dist, sum_sq_grads, rate }
}

impl Rule<2, 1> for Dog {
    const SLOTS: [Slot; 1] = [Slot::params("init_params")];
    const READS_PARAMS: bool = true;
    const SUMS: Option<Sums> = Some(Sums::OfSquares(Scope::All));

    /// The second one tells the first step: it keeps x₀ out of the distance.
    fn constants(&self, _lr: f64, _t: u64) -> [f64; 2] {
        [self.rate, if self.max_dist == 0.0 { 0.0 } else { 1.0 }]
    }

    #[inline(always)]
    fn step<F: Float>([rate, _]: [F; 2], _p: F, g: F, s: [F; 1]) -> (F, [F; 1]) {
        (rate * g, s)
    }

    /// The gradient and the way from the start, at the first step p.
    #[inline(always)]
    fn summed<F: Float>([_, kept]: [F; 2], p: F, g: F, _step: F, [start]: [F; 1]) -> [F; 2] {
        [g, p - kept * start]
    }

    fn settle(&mut self, lr: f64, _t: u64, [grads, moved]: [f64; 2]) {
        self.max_dist = if self.max_dist == 0.0 {
            self.reps_rel * (1.0 + moved.sqrt())
        } else {
            self.max_dist.nan_max(moved.sqrt())
        };
        self.sum_sq_grads += grads;
        self.rate = lr * self.max_dist / (self.sum_sq_grads + self.eps).sqrt();
    }
}
