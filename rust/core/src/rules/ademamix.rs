//! AdEMAMix: Adam with a second, much slower mean.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "ademamix", hypers: Ademamix::HYPERS, build: |_| Ok(kernel::<Ademamix, 10, 3>()) };

hypers! {
    /// AdEMAMix (Pagliardini et al. 2024), as optax computes it.
    ///   m₁ ← β₁m₁ + (1−β₁)g;  m₂ ← β₃m₂ + (1−β₃)g;  v ← β₂v + (1−β₂)g²
    ///   p ← p − lr·(m₁/(1−β₁ᵗ) + α·m₂) / (√(v/(1−β₂ᵗ) + ρ) + ε), where t counts this step
    /// With eps_hat, ρ and ε are added before v is corrected; without bias_correction there is none.
    struct Ademamix {
        beta1: Unit,
        beta2: Unit,
        beta3: Unit,
        alpha: NonNegative,
        eps: NonNegative,
        eps_hat: Flag = 0.0,
        eps_root: NonNegative = 0.0,
        bias_correction: Flag = 1.0,
    }
}

impl Rule<10, 3> for Ademamix {
    const SLOTS: [Slot; 3] =
        [Slot::zero("exp_avg_fast"), Slot::zero("exp_avg_slow"), Slot::zero("exp_avg_sq").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 10] {
        let count = t as f64 + 1.0;
        let [share1, share2] = [self.beta1, self.beta2].map(|beta| share(beta, count, self.bias_correction));
        let rate = lr * share2.sqrt();
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share2);
        let [rest1, rest2, rest3] = [1.0 - self.beta1, 1.0 - self.beta2, 1.0 - self.beta3];
        let [fast, slow] = [rate / share1, rate * self.alpha];
        [fast, slow, self.beta1, rest1, self.beta2, rest2, self.beta3, rest3, eps, root]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 10], _p: F, g: F, [m1, m2, v]: [F; 3]) -> (F, [F; 3]) {
        let [fast, slow, beta1, rest1, beta2, rest2, beta3, rest3, eps, root] = c;
        let m1 = beta1 * m1 + rest1 * g;
        let m2 = beta3 * m2 + rest3 * g;
        let v = beta2 * v + rest2 * g * g;
        ((fast * m1 + slow * m2) / ((v + root).sqrt() + eps), [m1, m2, v])
    }
}
