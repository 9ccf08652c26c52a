//! AdaGrad: each element's rate falls with the sum of its squared gradients.

use super::{Hypers, Rule, Spec, Update, hypers};
use crate::floats::Float;
use crate::groups::Typed;

pub(super) const SPEC: Spec = Spec {
    name: "adagrad",
    hypers: Adagrad::HYPERS,
    flags: &[],
    build: |_| Ok(Typed::<Adagrad, 1>::group()),
};

hypers! {
    /// AdaGrad (Duchi, Hazan, Singer 2011), as torch computes it.
    ///   s ← s + g²;  p ← p − lr/(1 + t·lr_decay) · g/(√s + ε)
    pub struct Adagrad { lr_decay: NonNegative, initial_accumulator_value: NonNegative, eps: NonNegative }
}

impl Rule<1> for Adagrad {
    const STATE: [&'static str; 1] = ["sum"];
    type Step<F: Float> = AdagradStep<F>;

    fn at<F: Float>(&self, lr: f64, t: u64) -> AdagradStep<F> {
        AdagradStep { lr: F::from_f64(lr / (1.0 + t as f64 * self.lr_decay)), eps: F::from_f64(self.eps) }
    }

    fn init(&self) -> [f64; 1] {
        [self.initial_accumulator_value]
    }
}

#[derive(Clone, Copy, Debug)]
pub struct AdagradStep<F> {
    lr: F,
    eps: F,
}

impl<F: Float> Update<F, 1> for AdagradStep<F> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let sum = sum + g * g;
        (p - self.lr * g / (sum.sqrt() + self.eps), [sum])
    }
}
