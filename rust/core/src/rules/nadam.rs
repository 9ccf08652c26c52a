//! NAdam: Adam that looks one step ahead, with a momentum that grows.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers, on};
use crate::rules::corrections::{scaled, share};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "nadam", hypers: Nadam::HYPERS, build: |_| Ok(kernel::<Nadam, 8, 2>()) };

hypers! {
    /// NAdam (Dozat 2016), as torch computes it.
    ///   μₜ = β₁(1 − 0.96^(tψ)/2), where t counts this step and ψ is momentum_decay;  Π = μ₁·…·μₜ
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²
    ///   p ← p − lr·(μₜ₊₁·m/(1 − Π·μₜ₊₁) + (1−μₜ)·g/(1 − Π)) / (√(v/(1−β₂ᵗ) + ρ) + ε)
    /// With eps_hat, ρ and ε are added before v is corrected; without bias_correction there is none.
    struct Nadam {
        beta1: Unit,
        beta2: Unit,
        eps: NonNegative,
        momentum_decay: NonNegative,
        eps_hat: Flag = 0.0,
        eps_root: NonNegative = 0.0,
        bias_correction: Flag = 1.0,
    }
}

/// ln 0.96.
const LN_BASE: f64 = -0.040_821_994_520_255_166;

impl Nadam {
    /// μₜ.
    fn momentum(&self, count: f64) -> f64 {
        self.beta1 * (1.0 - 0.5 * (LN_BASE * count * self.momentum_decay).exp())
    }

    /// Π as a function of t alone, so that a run can be resumed at any. With q = 0.96^ψ and i from 1 to t,
    ///   ln Π = t·ln β₁ + Σᵢ ln(1 − qⁱ/2) = t·ln β₁ − Σₖ Σᵢ qⁱᵏ/(k·2ᵏ),
    /// where the sum over i is a geometric one, and some fifty k are all that counts.
    fn product(&self, count: f64) -> f64 {
        let powers = self.beta1.powf(count);
        // Beside 1 it is nothing from here on.
        if powers < f64::EPSILON / 4.0 {
            return 0.0;
        }
        let decay = -LN_BASE * self.momentum_decay;
        let (mut sum, mut k, mut half) = (0.0, 1.0, 0.5);
        loop {
            let geometric =
                if decay == 0.0 { count } else { -(-decay * k * count).exp_m1() / (decay * k).exp_m1() };
            let next = sum + half / k * geometric;
            if next == sum {
                return powers * (-sum).exp();
            }
            (sum, k, half) = (next, k + 1.0, half / 2.0);
        }
    }
}

impl Rule<8, 2> for Nadam {
    const SLOTS: [Slot; 2] = [Slot::zero("exp_avg"), Slot::zero("exp_avg_sq").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 8] {
        let count = t as f64 + 1.0;
        let [now, next] = [self.momentum(count), self.momentum(count + 1.0)];
        let product = if on(self.bias_correction) { self.product(count) } else { 0.0 };
        let share2 = share(self.beta2, count, self.bias_correction);
        let rate = lr * share2.sqrt();
        let [ahead, direct] = [rate * next / (1.0 - product * next), rate * (1.0 - now) / (1.0 - product)];
        let [eps, root] = scaled(self.eps, self.eps_root, self.eps_hat, share2);
        [ahead, direct, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2, eps, root]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 8], _p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let [ahead, direct, beta1, rest1, beta2, rest2, eps, root] = c;
        let m = beta1 * m + rest1 * g;
        let v = beta2 * v + rest2 * g * g;
        ((ahead * m + direct * g) / ((v + root).sqrt() + eps), [m, v])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_that_of_all_momenta() {
        for beta1 in [0.0, 0.5, 0.9, 0.999] {
            for momentum_decay in [0.0, 1e-12, 4e-3, 1.0, 1e3] {
                let rule = Nadam::from_values(&[beta1, 0.999, 1e-8, momentum_decay, 0.0, 0.0, 1.0]);
                let mut product = 1.0;
                for t in 1..=500 {
                    product *= rule.momentum(f64::from(t));
                    // As far as it counts beside 1.
                    assert!((rule.product(f64::from(t)) - product).abs() < 2e-15, "{rule:?} at {t}");
                }
            }
        }
    }
}
