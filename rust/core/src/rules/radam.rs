//! RAdam: Adam that is plain momentum until its variance can be relied upon.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "radam", hypers: Radam::HYPERS, build: |_| Ok(kernel::<Radam, 8, 2>()) };

hypers! {
    /// RAdam (Liu et al. 2020), as torch computes it.
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²
    ///   ρ∞ = 2/(1−β₂) − 1;  ρₜ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ), where t counts this step
    ///   p ← p − lr/(1−β₁ᵗ) · m, or where ρₜ > 5
    ///   p ← p − lr·r/(1−β₁ᵗ) · √(1−β₂ᵗ)·m/(√(v + ϱ) + ε), r² = (ρₜ−4)(ρₜ−2)ρ∞/((ρ∞−4)(ρ∞−2)ρₜ)
    /// Without eps_hat, ϱ and ε are added after v has been corrected.
    struct Radam {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        eps_hat: Flag = 1.0,
        eps_root: NonNegative = 0.0,
    }
}

impl Rule<8, 2> for Radam {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_avg_sq").unsigned()];

    /// The last one tells whether v is relied upon.
    fn constants(&self, lr: f64, t: u64) -> [f64; 8] {
        let count = t as f64 + 1.0;
        let [share1, share2] = [self.beta1, self.beta2].map(|beta| share(beta, count, 1.0));
        let last = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = last - 2.0 * count * self.beta2.powf(count) / share2;
        let (mut rate, adaptive) = (lr / share1, length > 5.0);
        if adaptive {
            let squared =
                (length - 4.0) * (length - 2.0) * last / ((last - 4.0) * (last - 2.0) * length) * share2;
            rate *= squared.sqrt();
        }
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share2);
        let [rest1, rest2] = [1.0 - self.beta1, 1.0 - self.beta2];
        [rate, self.beta1, rest1, self.beta2, rest2, eps, root, f64::from(u8::from(adaptive))]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 8], _p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [rate, beta1, rest1, beta2, rest2, eps, root, adaptive] = c;
        let m = beta1 * m + rest1 * g;
        let v = beta2 * v + rest2 * g * g;
        let denominator = if adaptive == F::ZERO { F::ONE } else { (v + root).sqrt() + eps };
        (rate * m / denominator, [m, v])
    }
}
