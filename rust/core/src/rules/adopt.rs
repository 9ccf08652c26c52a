//! ADOPT: momentum of gradients that are normalised by the squares before them.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers, on};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adopt", hypers: Adopt::HYPERS, build: |_| Ok(kernel::<Adopt, 7, 2>()) };

hypers! {
    /// ADOPT (Taniguchi et al. 2024), as optax computes it. t is the number of updates done before this one.
    ///   n = g/max(√v, ε), held within ±t^¼ with use_clipping;  m ← β₁m + (1−β₁)n
    ///   v ← β₂v + (1−β₂)g²;  p ← p − lr·m
    /// The first step only sets v to g².
    struct Adopt { beta1: Unit, beta2: Unit, eps: NonNegative, use_clipping: Flag = 1.0 }
}

impl Rule<7, 2> for Adopt {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_avg_sq").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 7] {
        if t == 0 {
            return [lr, 1.0, 0.0, 0.0, 1.0, self.eps, 0.0];
        }
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2];
        let limit = if on(self.use_clipping) { (t as f64).powf(0.25) } else { f64::INFINITY };
        [lr, self.beta1, rest1, self.beta2, rest2, self.eps, limit]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 7], _p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [lr, beta1, rest1, beta2, rest2, eps, limit] = c;
        let normalised = (g / v.sqrt().nan_max(eps)).held(limit);
        let m = beta1 * m + rest1 * normalised;
        (lr * m, [m, beta2 * v + rest2 * g * g])
    }
}
