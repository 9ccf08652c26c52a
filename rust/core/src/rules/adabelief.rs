//! AdaBelief: momentum over how far the gradient is from what was expected.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adabelief", hypers: Adabelief::HYPERS, build: |_| Ok(kernel::<Adabelief, 7, 2>()) };

hypers! {
    /// AdaBelief (Zhuang et al. 2020), as optax computes it.
    ///   m ← β₁m + (1−β₁)g;  s ← β₂s + (1−β₂)(g−m)² + ρ
    ///   p ← p − lr/(1−β₁ᵗ) · m/(√(s/(1−β₂ᵗ)) + ε), where t counts this step
    /// With eps_hat, ε is added before s is corrected; without bias_correction there is none.
    struct Adabelief {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        eps_root: NonNegative,
        eps_hat: Flag = 0.0,
        bias_correction: Flag = 1.0,
    }
}

impl Rule<7, 2> for Adabelief {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_avg_var").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 7] {
        let count = t as f64 + 1.0;
        let [share1, share2] = [self.beta1, self.beta2].map(|beta| share(beta, count, self.bias_correction));
        let rate = lr * share2.sqrt() / share1;
        let [eps, _] = scaled(self.eps, 0.0, self.eps_hat, share2);
        [rate, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2, eps, self.eps_root]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 7], _p: F, g: F, [m, s]: [F; 2]) -> (F, [F; 2]) {
        let [rate, beta1, rest1, beta2, rest2, eps, root] = c;
        let m = beta1 * m + rest1 * g;
        let error = g - m;
        let s = beta2 * s + rest2 * error * error + root;
        (rate * m / (s.sqrt() + eps), [m, s])
    }
}
