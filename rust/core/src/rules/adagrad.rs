//! AdaGrad: each element's rate falls with the sum of its squared gradients.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adagrad", hypers: Adagrad::HYPERS, flags: &[], build: |_| Ok(kernel::<Adagrad, 2, 1>()) };

hypers! {
    /// AdaGrad (Duchi, Hazan, Singer 2011), as torch computes it.
    ///   s ← s + g²;  p ← p − lr/(1 + t·lr_decay) · g/(√s + ε)
    struct Adagrad { lr_decay: NonNegative, initial_accumulator_value: NonNegative, eps: NonNegative }
}

impl Rule<2, 1> for Adagrad {
    const SLOTS: [Slot; 1] = [Slot::filled("sum", "initial_accumulator_value")];

    fn constants(&self, lr: f64, t: u64) -> [f64; 2] {
        [lr / (1.0 + t as f64 * self.lr_decay), self.eps]
    }

    #[inline(always)]
    fn step<F: Float>([lr, eps]: [F; 2], _p: F, g: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let sum = sum + g * g;
        (lr * g / (sum.sqrt() + eps), [sum])
    }
}
