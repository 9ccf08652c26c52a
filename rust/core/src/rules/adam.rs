//! Adam and its AMSGrad variant. AdamW is the same rule with the decay taken from the parameter, which is not a
//! rule's business.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec {
    name: "adam",
    hypers: Adam::<false>::HYPERS,
    flags: &["amsgrad"],
    build: |options| {
        Ok(if options.flag("amsgrad") { kernel::<Adam<true>, 6, 3>() } else { kernel::<Adam<false>, 6, 2>() })
    },
};

hypers! {
    /// Adam (Kingma, Ba 2015) and AMSGrad (Reddi, Kale, Kumar 2018), as torch computes them.
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  v̂ = v, or with amsgrad v̂ ← max(v̂, v)
    ///   p ← p − lr/(1−β₁ᵗ) · m / (√v̂/√(1−β₂ᵗ) + ε), where t counts this step
    struct Adam<const AMSGRAD: bool> { beta1: Unit, beta2: Unit, eps: NonNegative }
}

impl<const AMSGRAD: bool, const N: usize> Rule<6, N> for Adam<AMSGRAD> {
    const SLOTS: [Slot; N] = Slot::chosen(&[
        (Slot::zero("exp_avg"), true),
        (Slot::zero("exp_avg_sq"), true),
        (Slot::zero("max_exp_avg_sq"), AMSGRAD),
    ]);

    /// Numerator and denominator are both multiplied by √(1−β₂ᵗ), which leaves one division and one root.
    fn constants(&self, lr: f64, t: u64) -> [f64; 6] {
        let count = t as f64 + 1.0;
        let correction1 = 1.0 - self.beta1.powf(count);
        let correction2 = (1.0 - self.beta2.powf(count)).sqrt();
        let rate = lr * correction2 / correction1;
        [rate, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2, self.eps * correction2]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 6], _p: F, g: F, mut s: [F; N]) -> (F, [F; N]) {
        let [rate, beta1, rest1, beta2, rest2, eps] = c;
        s[0] = beta1 * s[0] + rest1 * g;
        s[1] = beta2 * s[1] + rest2 * g * g;
        if AMSGRAD {
            s[2] = s[2].nan_max(s[1]);
        }
        (rate * s[0] / (s[N - 1].sqrt() + eps), s)
    }
}
