//! AdaGrad: each element's rate falls with the sum of its squared gradients.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adagrad", hypers: Adagrad::HYPERS, build: |_| Ok(kernel::<Adagrad, 3, 1>()) };

hypers! {
    /// AdaGrad (Duchi, Hazan, Singer 2011), as torch computes it; Keras and optax have ρ for ε.
    ///   s ← s + g²;  p ← p − lr/(1 + t·lr_decay) · g/(√(s + ρ) + ε)
    struct Adagrad {
        lr_decay: NonNegative,
        initial_accumulator_value: NonNegative,
        eps: NonNegative,
        eps_root: NonNegative = 0.0,
    }
}

impl Rule<3, 1> for Adagrad {
    const SLOTS: [Slot; 1] = [Slot::filled("sum", "initial_accumulator_value").unsigned()];

    fn constants(&self, lr: f64, t: u64) -> [f64; 3] {
        [lr / (1.0 + t as f64 * self.lr_decay), self.eps, self.eps_root]
    }

    #[inline(always)]
    fn step<F: Float>([lr, eps, root]: [F; 3], _p: F, g: F, [sum]: [F; 1]) -> (F, [F; 1]) {
        let sum = sum + g * g;
        (lr * g / ((sum + root).sqrt() + eps), [sum])
    }
}
