//! LARS: momentum, at a rate that fits each tensor.

use crate::floats::Float;
use crate::kernel::kernel;
use crate::rule::{Hypers, Rule, Scope, Slot, Sums, hypers};
use crate::spec::Spec;

pub(super) const SPEC: Spec = Spec {
    name: "lars",
    hypers: Lars::<false>::HYPERS,
    build: |options| {
        let nesterov = options.flag("nesterov");
        Ok(if nesterov { kernel::<Lars<true>, 2, 1>() } else { kernel::<Lars<false>, 2, 1>() })
    },
};

hypers! {
    /// LARS (You, Gitman, Ginsburg 2017), as optax computes it.
    ///   r = ν‖p‖/(‖g‖ + ε) over the tensor, or 1 if either norm is 0
    ///   b ← μb + lr·r·g;  p ← p − b, or with Nesterov p ← p − (lr·r·g + μb)
    struct Lars<const NESTEROV: bool> {
        momentum: Unit,
        trust_coefficient: NonNegative,
        eps: NonNegative,
        nesterov: Flag = 0.0,
    }
    remembers { rate }
}

impl<const NESTEROV: bool> Rule<2, 1> for Lars<NESTEROV> {
    const SLOTS: [Slot; 1] = [Slot::zero("momentum_buffer")];
    const READS_PARAMS: bool = true;
    const SUMS: Option<Sums> = Some(Sums::OfSquares(Scope::Tensor));

    fn constants(&self, _lr: f64, _t: u64) -> [f64; 2] {
        [self.rate, self.momentum]
    }

    #[inline(always)]
    fn step<F: Float>([rate, momentum]: [F; 2], _p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        let b = momentum * b + rate * g;
        (if NESTEROV { rate * g + momentum * b } else { b }, [b])
    }

    #[inline(always)]
    fn summed<F: Float>(_: [F; 2], p: F, g: F, _: F, _: [F; 1]) -> [F; 2] {
        [p, g]
    }

    fn settle(&mut self, lr: f64, _t: u64, sums: [f64; 2]) {
        let [p, g] = sums.map(f64::sqrt);
        let trust = if p == 0.0 || g == 0.0 { 1.0 } else { self.trust_coefficient * p / (g + self.eps) };
        self.rate = lr * trust;
    }
}
