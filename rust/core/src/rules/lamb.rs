//! LAMB: Adam's direction, at a length that fits each tensor.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Scope, Slot, Sums, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "lamb", hypers: Lamb::HYPERS, build: |_| Ok(kernel::<Lamb, 8, 2>()) };

hypers! {
    /// LAMB (You et al. 2020), as optax computes it.
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²
    ///   u = m/(1−β₁ᵗ) / (√v/√(1−β₂ᵗ) + ε) + λp, where t counts this step
    ///   p ← p − lr·r·u, where r = ‖p‖/‖u‖ over the tensor, or 1 if either is 0
    struct Lamb { beta1: Unit, beta2: Unit, eps: NonNegative, weight_decay: NonNegative }
    remembers { rate }
}

impl Rule<8, 2> for Lamb {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_avg_sq").unsigned()];
    const READS_PARAMS: bool = true;
    const SUMS: Option<Sums> = Some(Sums::OfSquares(Scope::Tensor));

    fn constants(&self, _lr: f64, t: u64) -> [f64; 8] {
        let count = t as f64 + 1.0;
        let correction1 = 1.0 - self.beta1.powf(count);
        let correction2 = (1.0 - self.beta2.powf(count)).sqrt();
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2];
        let (direction, eps) = (correction2 / correction1, self.eps * correction2);
        [self.rate, direction, self.beta1, rest1, self.beta2, rest2, eps, self.weight_decay]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 8], p: F, g: F, mut s: [F; 2]) -> (F, [F; 2]) {
        let [rate, direction, beta1, rest1, beta2, rest2, eps, weight_decay] = c;
        s[0] = beta1 * s[0] + rest1 * g;
        s[1] = beta2 * s[1] + rest2 * g * g;
        (rate * (direction * s[0] / (s[1].sqrt() + eps) + weight_decay * p), s)
    }

    #[inline(always)]
    fn summed<F: Float>(_: [F; 8], p: F, _: F, u: F, _: [F; 2]) -> [F; 2] {
        [p, u]
    }

    /// The dry run's step is u.
    fn start(&mut self) {
        self.rate = 1.0;
    }

    fn settle(&mut self, lr: f64, _t: u64, sums: [f64; 2]) {
        let [p, u] = sums.map(f64::sqrt);
        self.rate = if p == 0.0 || u == 0.0 { lr } else { lr * (p / u) };
    }
}
