//! Adam and its AMSGrad variant. AdamW is the same rule with the decay taken from the parameter, which is not a
//! rule's business.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec {
    name: "adam",
    hypers: Adam::<false>::HYPERS,
    build: |options| {
        let amsgrad = options.constant("amsgrad") != Some(0.0);
        Ok(if amsgrad { kernel::<Adam<true>, 8, 3>() } else { kernel::<Adam<false>, 8, 2>() })
    },
};

/// Whether the largest v is kept, and whether it has been corrected for its start.
const AMSGRADS: &[&str] = &["False", "True", "corrected"];
const CORRECTED: f64 = 2.0;

hypers! {
    /// Adam (Kingma, Ba 2015) and AMSGrad (Reddi, Kale, Kumar 2018), as torch computes them.
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  v̂ = v, or with amsgrad v̂ ← max(v̂, v)
    ///   p ← p − lr/(1−β₁ᵗ) · m / (√(v̂/(1−β₂ᵗ) + ρ) + ε), where t counts this step
    /// With eps_hat, ρ and ε are added before v̂ is corrected; without bias_correction there is none.
    struct Adam<const AMSGRAD: bool> {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        amsgrad: Choice AMSGRADS,
        eps_hat: Flag = 0.0,
        eps_root: NonNegative = 0.0,
        bias_correction: Flag = 1.0,
        initial_accumulator_value: NonNegative = 0.0,
        first_count: Positive = 1.0,
    }
}

impl<const AMSGRAD: bool, const N: usize> Rule<8, N> for Adam<AMSGRAD> {
    const SLOTS: [Slot; N] = Slot::chosen(&[
        (Slot::filled("exp_avg", "initial_accumulator_value"), true),
        (Slot::filled("exp_avg_sq", "initial_accumulator_value").unsigned(), true),
        (Slot::zero("max_exp_avg_sq").unsigned(), AMSGRAD),
    ]);

    /// Numerator and denominator are both multiplied by √(1−β₂ᵗ).
    fn constants(&self, lr: f64, t: u64) -> [f64; 8] {
        let count = t as f64 + self.first_count;
        let [share1, share2] = [self.beta1, self.beta2].map(|beta| share(beta, count, self.bias_correction));
        let corrected = self.amsgrad == CORRECTED;
        let (unbias, share2) = if corrected { (1.0 / share2, 1.0) } else { (1.0, share2) };
        let rate = lr * share2.sqrt() / share1;
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share2);
        [rate, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2, eps, root, unbias]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 8], _p: F, g: F, mut s: [F; N]) -> (F, [F; N]) {
        let [rate, beta1, rest1, beta2, rest2, eps, root, unbias] = c;
        s[0] = beta1 * s[0] + rest1 * g;
        s[1] = beta2 * s[1] + rest2 * g * g;
        if AMSGRAD {
            s[2] = s[2].nan_max(unbias * s[1]);
        }
        (rate * s[0] / ((s[N - 1] + root).sqrt() + eps), s)
    }
}
