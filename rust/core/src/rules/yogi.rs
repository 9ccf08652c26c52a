//! Yogi: Adam whose mean square moves by no more than the square that it sees.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "yogi", hypers: Yogi::HYPERS, build: |_| Ok(kernel::<Yogi, 6, 2>()) };

hypers! {
    /// Yogi (Zaheer et al. 2018), as optax computes it. Both m and v start at initial_accumulator_value.
    ///   m ← β₁m + (1−β₁)g;  v ← v − (1−β₂)·sign(v−g²)·g²
    ///   p ← p − lr/(1−β₁ᵗ) · m/(√(v/(1−β₂ᵗ) + ρ) + ε), where t counts this step
    /// With eps_hat, ρ and ε are added before v is corrected; without bias_correction there is none.
    struct Yogi {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        initial_accumulator_value: NonNegative,
        eps_hat: Flag = 0.0,
        eps_root: NonNegative = 0.0,
        bias_correction: Flag = 1.0,
    }
}

impl Rule<6, 2> for Yogi {
    const SLOTS: [Slot; 2] = [
        Slot::filled("exp_avg", "initial_accumulator_value"),
        Slot::filled("exp_avg_sq", "initial_accumulator_value").unsigned(),
    ];

    fn constants(&self, lr: f64, t: u64) -> [f64; 6] {
        let count = t as f64 + 1.0;
        let [share1, share2] = [self.beta1, self.beta2].map(|beta| share(beta, count, self.bias_correction));
        let rate = lr * share2.sqrt() / share1;
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share2);
        [rate, self.beta1, 1.0 - self.beta1, 1.0 - self.beta2, eps, root]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 6], _p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [rate, beta1, rest1, rest2, eps, root] = c;
        let m = beta1 * m + rest1 * g;
        let square = g * g;
        let v = v - rest2 * square * (v - square).sign();
        (rate * m / ((v + root).sqrt() + eps), [m, v])
    }
}
