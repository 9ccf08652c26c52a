//! Adadelta: steps in proportion to those that were made before.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "adadelta", hypers: Adadelta::HYPERS, build: |_| Ok(kernel::<Adadelta, 4, 2>()) };

hypers! {
    /// Adadelta (Zeiler 2012), as torch computes it.
    ///   v ← ρv + (1−ρ)g²;  Δ = √(u + ε)/√(v + ε) · g;  u ← ρu + (1−ρ)Δ²;  p ← p − lr·Δ
    struct Adadelta { rho: Unit, eps: NonNegative }
}

impl Rule<4, 2> for Adadelta {
    const SLOTS: [Slot; 2] = [Slot::zero("square_avg").unsigned(), Slot::zero("acc_delta").unsigned()];

    fn constants(&self, lr: f64, _t: u64) -> [f64; 4] {
        [lr, self.rho, 1.0 - self.rho, self.eps]
    }

    #[inline(always)]
    fn step<F: Float>([lr, rho, rest, eps]: [F; 4], _p: F, g: F, [v, u]: [F; 2]) -> (F, [F; 2]) {
        let v = rho * v + rest * (g * g);
        let delta = ((u + eps) / (v + eps)).sqrt() * g;
        (lr * delta, [v, rho * u + rest * (delta * delta)])
    }
}
