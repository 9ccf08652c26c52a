//! Adan: Adam with the difference of gradients as a look ahead.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers, on};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adan", hypers: Adan::HYPERS, build: |_| Ok(kernel::<Adan, 12, 4>()) };

/// How much of the difference enters the mean square and the step: 1−β₂ or β₂.
const FORMS: &[&str] = &["optax", "paper"];

hypers! {
    /// Adan (Xie et al. 2022), as optax computes it.
    ///   d = g − (the last g), at the first step 0;  a = 1−β₂, or as the paper has it β₂
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)d;  n ← β₃n + (1−β₃)(g + a·d)²
    ///   p ← p − lr·(m/(1−β₁ᵗ) + a·v/(1−β₂ᵗ)) / (√(n/(1−β₃ᵗ) + ρ) + ε), where t counts this step
    /// With eps_hat, ρ and ε are added before n is corrected; without bias_correction there is none.
    struct Adan {
        beta1: Unit,
        beta2: Unit,
        beta3: Unit,
        eps: NonNegative,
        eps_root: NonNegative,
        difference_form: Choice FORMS = 0.0,
        eps_hat: Flag = 0.0,
        bias_correction: Flag = 1.0,
    }
}

impl Rule<12, 4> for Adan {
    const SLOTS: [Slot; 4] = [
        Slot::zero("exp_avg"),
        Slot::zero("exp_avg_diff"),
        Slot::zero("exp_avg_sq").unsigned(),
        Slot::zero("prev_grad"),
    ];

    /// The last one tells whether there is a last gradient.
    fn constants(&self, lr: f64, t: u64) -> [f64; 12] {
        let count = t as f64 + 1.0;
        let [share1, share2, share3] =
            [self.beta1, self.beta2, self.beta3].map(|beta| share(beta, count, self.bias_correction));
        let ahead = if on(self.difference_form) { self.beta2 } else { 1.0 - self.beta2 };
        let rate = lr * share3.sqrt();
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share3);
        let [rest1, rest2, rest3] = [1.0 - self.beta1, 1.0 - self.beta2, 1.0 - self.beta3];
        let [direct, differing] = [rate / share1, rate * ahead / share2];
        let second = if t == 0 { 0.0 } else { 1.0 };
        [direct, differing, self.beta1, rest1, self.beta2, rest2, self.beta3, rest3, ahead, eps, root, second]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 12], _p: F, g: F, [m, v, n, last]: [F; 4]) -> (F, [F; 4]) {
        let [direct, differing, beta1, rest1, beta2, rest2, beta3, rest3, ahead, eps, root, second] = c;
        let difference = if second == F::ZERO { F::ZERO } else { g - last };
        let m = beta1 * m + rest1 * g;
        let v = beta2 * v + rest2 * difference;
        let mixed = g + ahead * difference;
        let n = beta3 * n + rest3 * mixed * mixed;
        ((direct * m + differing * v) / ((n + root).sqrt() + eps), [m, v, n, g])
    }
}
