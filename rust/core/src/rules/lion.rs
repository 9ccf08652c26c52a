//! Lion: the sign of a running mean.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "lion", hypers: Lion::HYPERS, build: |_| Ok(kernel::<Lion, 5, 1>()) };

hypers! {
    /// Lion (Chen et al. 2023), as optax computes it.
    ///   p ← p − lr·sign(β₁m + (1−β₁)g);  m ← β₂m + (1−β₂)g
    struct Lion { beta1: Unit, beta2: Unit }
}

impl Rule<5, 1> for Lion {
    const SLOTS: [Slot; 1] = [Slot::zero("exp_avg")];

    fn constants(&self, lr: f64, _t: u64) -> [f64; 5] {
        [lr, self.beta1, 1.0 - self.beta1, self.beta2, 1.0 - self.beta2]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 5], _p: F, g: F, [m]: [F; 1]) -> (F, [F; 1]) {
        let [lr, beta1, rest1, beta2, rest2] = c;
        (lr * (beta1 * m + rest1 * g).sign(), [beta2 * m + rest2 * g])
    }
}
