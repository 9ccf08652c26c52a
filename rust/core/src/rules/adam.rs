//! Adam and its AMSGrad variant. AdamW is the same rule with the decay taken from the parameter,
//! which is not a rule's business.

use super::{Hypers, Rule, Spec, Update, hypers};
use crate::floats::Float;
use crate::groups::Typed;

pub(super) const SPEC: Spec = Spec {
    name: "adam",
    hypers: Adam::HYPERS,
    flags: &["amsgrad"],
    build: |options| {
        Ok(if options.flag("amsgrad") { Typed::<Adam, 3>::group() } else { Typed::<Adam, 2>::group() })
    },
};

hypers! {
    /// Adam (Kingma, Ba 2015) and AMSGrad (Reddi, Kale, Kumar 2018), as torch computes them.
    ///   m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  v̂ = v, or with amsgrad v̂ ← max(v̂, v)
    ///   p ← p − lr/(1−β₁ᵗ) · m / (√v̂/√(1−β₂ᵗ) + ε), where t counts this step
    pub struct Adam { beta1: Unit, beta2: Unit, eps: NonNegative }
}

impl Rule<2> for Adam {
    const STATE: [&'static str; 2] = ["exp_avg", "exp_avg_sq"];
    type Step<F: Float> = AdamStep<F>;

    fn at<F: Float>(&self, lr: f64, t: u64) -> AdamStep<F> {
        AdamStep::new(self, lr, t)
    }
}

impl Rule<3> for Adam {
    const STATE: [&'static str; 3] = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];
    type Step<F: Float> = AdamStep<F>;

    fn at<F: Float>(&self, lr: f64, t: u64) -> AdamStep<F> {
        AdamStep::new(self, lr, t)
    }
}

/// Numerator and denominator of the update are both multiplied by √(1−β₂ᵗ), which leaves one division
/// and one root an element: p − `rate`·m / (√v̂ + `eps`).
#[derive(Clone, Copy, Debug)]
pub struct AdamStep<F> {
    rate: F,
    beta1: F,
    rest1: F,
    beta2: F,
    rest2: F,
    eps: F,
}

impl<F: Float> AdamStep<F> {
    fn new(rule: &Adam, lr: f64, t: u64) -> Self {
        let count = t as f64 + 1.0;
        let correction1 = 1.0 - rule.beta1.powf(count);
        let correction2 = (1.0 - rule.beta2.powf(count)).sqrt();
        Self {
            rate: F::from_f64(lr * correction2 / correction1),
            beta1: F::from_f64(rule.beta1),
            rest1: F::from_f64(1.0 - rule.beta1),
            beta2: F::from_f64(rule.beta2),
            rest2: F::from_f64(1.0 - rule.beta2),
            eps: F::from_f64(rule.eps * correction2),
        }
    }

    #[inline(always)]
    fn moments(&self, g: F, m: F, v: F) -> (F, F) {
        (self.beta1 * m + self.rest1 * g, self.beta2 * v + self.rest2 * g * g)
    }

    #[inline(always)]
    fn apply(&self, p: F, m: F, v: F) -> F {
        p - self.rate * m / (v.sqrt() + self.eps)
    }
}

impl<F: Float> Update<F, 2> for AdamStep<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v]: [F; 2]) -> (F, [F; 2]) {
        let (m, v) = self.moments(g, m, v);
        (self.apply(p, m, v), [m, v])
    }
}

impl<F: Float> Update<F, 3> for AdamStep<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [m, v, v_max]: [F; 3]) -> (F, [F; 3]) {
        let (m, v) = self.moments(g, m, v);
        let v_max = v_max.nan_max(v);
        (self.apply(p, m, v_max), [m, v, v_max])
    }
}
