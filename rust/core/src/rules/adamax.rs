//! Adamax: momentum over the largest recent gradient.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers, on};
use crate::rules::corrections::share;
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adamax", hypers: Adamax::HYPERS, build: |_| Ok(kernel::<Adamax, 6, 2>()) };

hypers! {
    /// Adamax (Kingma, Ba 2015), as torch computes it.
    ///   m ← β₁m + (1−β₁)g;  u ← max(β₂u, |g| + ε);  p ← p − lr/(1−β₁ᵗ) · m/u, where t counts this step
    /// With eps_hat, as Keras and MLX compute it: u ← max(β₂u, |g|);  p ← p − lr/(1−β₁ᵗ) · m/(u + ε)
    struct Adamax {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        eps_hat: Flag = 0.0,
        bias_correction: Flag = 1.0,
    }
}

impl Rule<6, 2> for Adamax {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_inf").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 6] {
        let rate = lr / share(self.beta1, t as f64 + 1.0, self.bias_correction);
        let [inside, outside] = if on(self.eps_hat) { [0.0, self.eps] } else { [self.eps, 0.0] };
        [rate, self.beta1, 1.0 - self.beta1, self.beta2, inside, outside]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 6], _p: F, g: F, [m, u]: [F; 2]) -> (F, [F; 2]) {
        let [rate, beta1, rest1, beta2, inside, outside] = c;
        let m = beta1 * m + rest1 * g;
        let u = (beta2 * u).nan_max(g.abs() + inside);
        (rate * m / (u + outside), [m, u])
    }
}
