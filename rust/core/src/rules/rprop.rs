//! Rprop: the sign of the gradient, and a length of step for each element.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec =
    Spec { name: "rprop", hypers: Rprop::HYPERS, build: |_| Ok(kernel::<Rprop, 4, 2>()) };

hypers! {
    /// Rprop (Riedmiller, Braun 1993; the form without weight-backtracking, "iRprop−", of Igel, Hüsken 2000), as torch
    /// computes it. s starts at lr.
    ///   s ← s·η₊ where g has the sign of the last g, s·η₋ where it has the other, held in [step_min, step_max]
    ///   p ← p − s·sign(g), but where the sign has changed g counts as 0, now and at the next step
    struct Rprop {
        eta_minus: Unit,
        eta_plus: AtLeastOne,
        step_min: NonNegative,
        step_max: NonNegative,
    }
}

impl Rule<4, 2> for Rprop {
    const SLOTS: [Slot; 2] = [Slot::zero("prev"), Slot::filled("step_size", "lr").exact()];

    fn constants(&self, _lr: f64, _t: u64) -> [f64; 4] {
        [self.eta_minus, self.eta_plus, self.step_min, self.step_max]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 4], _p: F, g: F, [prev, size]: [F; 2]) -> (F, [F; 2]) {
        let [minus, plus, min, max] = c;
        let product = g * prev;
        let turned = product < F::ZERO;
        let longer = if product > F::ZERO { plus } else { F::ONE };
        let factor = if turned { minus } else { longer };
        let g = if turned { F::ZERO } else { g };
        let size = (size * factor).nan_max(min).nan_min(max);
        (size * g.sign(), [g, size])
    }
}
