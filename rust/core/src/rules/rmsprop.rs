//! RMSProp: the gradient over a running root mean square; plain or centered, with or without momentum.

use crate::error::BadValue;
use crate::floats::Float;
use crate::kernel::{Kernel, kernel};
use crate::rule::{Hypers, Rule, Slot, hypers, on};
use crate::spec::{Options, Spec};

pub(super) const SPEC: Spec = Spec { name: "rmsprop", hypers: Rmsprop::<false, false>::HYPERS, build };

/// Whether the rate is outside the momentum buffer or inside.
const FORMS: &[&str] = &["torch", "keras"];

hypers! {
    /// RMSProp (Tieleman, Hinton 2012; centered form of Graves 2013), as torch computes it.
    ///   v ← αv + (1−α)g²;  centered: a ← αa + (1−α)g, σ² = max(v − a², 0), else σ² = v
    ///   p ← p − lr·g/(√(σ² + ρ) + ε), or with momentum b ← μb + g/(√(σ² + ρ) + ε), p ← p − lr·b
    /// As Keras and optax compute it, with momentum: b ← μb + lr·g/(√(σ² + ρ) + ε), p ← p − b.
    struct Rmsprop<const CENTERED: bool, const MOMENTUM: bool> {
        alpha: Unit,
        momentum: Unit,
        eps: NonNegative,
        centered: Flag,
        momentum_form: Choice FORMS = 0.0,
        eps_root: NonNegative = 0.0,
        initial_accumulator_value: NonNegative = 0.0,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of Spec::build")]
fn build(options: &Options<'_>) -> Result<&'static dyn Kernel, BadValue> {
    let momentum = options.constant("momentum") != Some(0.0);
    Ok(match (options.flag("centered"), momentum) {
        (false, false) => kernel::<Rmsprop<false, false>, 7, 1>(),
        (false, true) => kernel::<Rmsprop<false, true>, 7, 2>(),
        (true, false) => kernel::<Rmsprop<true, false>, 7, 2>(),
        (true, true) => kernel::<Rmsprop<true, true>, 7, 3>(),
    })
}

impl<const CENTERED: bool, const MOMENTUM: bool, const N: usize> Rule<7, N> for Rmsprop<CENTERED, MOMENTUM> {
    const SLOTS: [Slot; N] = Slot::chosen(&[
        (Slot::filled("square_avg", "initial_accumulator_value").unsigned(), true),
        (Slot::zero("grad_avg"), CENTERED),
        (Slot::zero("momentum_buffer"), MOMENTUM),
    ]);

    fn constants(&self, lr: f64, _t: u64) -> [f64; 7] {
        let (inside, outside) = if MOMENTUM && on(self.momentum_form) { (lr, 1.0) } else { (1.0, lr) };
        [inside, outside, self.alpha, 1.0 - self.alpha, self.momentum, self.eps, self.eps_root]
    }

    #[inline(always)]
    fn step<F: Float>(c: [F; 7], _p: F, g: F, mut s: [F; N]) -> (F, [F; N]) {
        let [inside, outside, alpha, rest, momentum, eps, root] = c;
        s[0] = alpha * s[0] + rest * (g * g);
        let variance = if CENTERED {
            s[1] = alpha * s[1] + rest * g;
            // Rounding can put a² above v, where torch's root is NaN; zero is the limit meant.
            (s[0] - s[1] * s[1]).nan_max(F::ZERO)
        } else {
            s[0]
        };
        let denominator = (variance + root).sqrt() + eps;
        if MOMENTUM {
            s[N - 1] = momentum * s[N - 1] + inside * g / denominator;
            (outside * s[N - 1], s)
        } else {
            (outside * g / denominator, s)
        }
    }
}
