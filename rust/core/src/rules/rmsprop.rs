//! RMSProp: the gradient over a running root mean square; plain or centered, with or without momentum.

use super::{Hypers, Options, Rule, Spec, Update, hypers};
use crate::error::BadValue;
use crate::floats::Float;
use crate::groups::{Group, Typed};

pub(super) const SPEC: Spec =
    Spec { name: "rmsprop", hypers: Rmsprop::<false, false>::HYPERS, flags: &["centered"], build };

hypers! {
    /// RMSProp (Tieleman, Hinton 2012; centered form of Graves 2013), as torch computes it.
    ///   v ← αv + (1−α)g²;  centered: a ← αa + (1−α)g, σ² = max(v − a², 0), else σ² = v
    ///   p ← p − lr·g/(√σ² + ε), or with momentum b ← μb + g/(√σ² + ε), p ← p − lr·b
    pub struct Rmsprop<const CENTERED: bool, const MOMENTUM: bool> { alpha: Unit, momentum: Unit, eps: NonNegative }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of Spec::build")]
fn build(options: &Options<'_>) -> Result<Box<dyn Group>, BadValue> {
    let momentum = options.constant("momentum") != Some(0.0);
    Ok(match (options.flag("centered"), momentum) {
        (false, false) => Typed::<Rmsprop<false, false>, 1>::group(),
        (false, true) => Typed::<Rmsprop<false, true>, 2>::group(),
        (true, false) => Typed::<Rmsprop<true, false>, 2>::group(),
        (true, true) => Typed::<Rmsprop<true, true>, 3>::group(),
    })
}

#[derive(Clone, Copy, Debug)]
pub struct RmspropStep<F, const CENTERED: bool, const MOMENTUM: bool> {
    lr: F,
    alpha: F,
    rest: F,
    momentum: F,
    eps: F,
}

impl<F: Float, const CENTERED: bool, const MOMENTUM: bool> RmspropStep<F, CENTERED, MOMENTUM> {
    fn new(rule: &Rmsprop<CENTERED, MOMENTUM>, lr: f64) -> Self {
        Self {
            lr: F::from_f64(lr),
            alpha: F::from_f64(rule.alpha),
            rest: F::from_f64(1.0 - rule.alpha),
            momentum: F::from_f64(rule.momentum),
            eps: F::from_f64(rule.eps),
        }
    }

    #[inline(always)]
    fn average(&self, old: F, new: F) -> F {
        self.alpha * old + self.rest * new
    }

    /// √(v − a²) + ε. Rounding can put a² above v, where torch's root is NaN; zero is the limit meant.
    #[inline(always)]
    fn centered(&self, v: F, a: F) -> F {
        (v - a * a).nan_max(F::ZERO).sqrt() + self.eps
    }
}

impl Rule<1> for Rmsprop<false, false> {
    const STATE: [&'static str; 1] = ["square_avg"];
    type Step<F: Float> = RmspropStep<F, false, false>;

    fn at<F: Float>(&self, lr: f64, _t: u64) -> Self::Step<F> {
        RmspropStep::new(self, lr)
    }
}

impl<F: Float> Update<F, 1> for RmspropStep<F, false, false> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v]: [F; 1]) -> (F, [F; 1]) {
        let v = self.average(v, g * g);
        (p - self.lr * g / (v.sqrt() + self.eps), [v])
    }
}

impl Rule<2> for Rmsprop<false, true> {
    const STATE: [&'static str; 2] = ["square_avg", "momentum_buffer"];
    type Step<F: Float> = RmspropStep<F, false, true>;

    fn at<F: Float>(&self, lr: f64, _t: u64) -> Self::Step<F> {
        RmspropStep::new(self, lr)
    }
}

impl<F: Float> Update<F, 2> for RmspropStep<F, false, true> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, b]: [F; 2]) -> (F, [F; 2]) {
        let v = self.average(v, g * g);
        let b = self.momentum * b + g / (v.sqrt() + self.eps);
        (p - self.lr * b, [v, b])
    }
}

impl Rule<2> for Rmsprop<true, false> {
    const STATE: [&'static str; 2] = ["square_avg", "grad_avg"];
    type Step<F: Float> = RmspropStep<F, true, false>;

    fn at<F: Float>(&self, lr: f64, _t: u64) -> Self::Step<F> {
        RmspropStep::new(self, lr)
    }
}

impl<F: Float> Update<F, 2> for RmspropStep<F, true, false> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, a]: [F; 2]) -> (F, [F; 2]) {
        let v = self.average(v, g * g);
        let a = self.average(a, g);
        (p - self.lr * g / self.centered(v, a), [v, a])
    }
}

impl Rule<3> for Rmsprop<true, true> {
    const STATE: [&'static str; 3] = ["square_avg", "grad_avg", "momentum_buffer"];
    type Step<F: Float> = RmspropStep<F, true, true>;

    fn at<F: Float>(&self, lr: f64, _t: u64) -> Self::Step<F> {
        RmspropStep::new(self, lr)
    }
}

impl<F: Float> Update<F, 3> for RmspropStep<F, true, true> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [v, a, b]: [F; 3]) -> (F, [F; 3]) {
        let v = self.average(v, g * g);
        let a = self.average(a, g);
        let b = self.momentum * b + g / self.centered(v, a);
        (p - self.lr * b, [v, a, b])
    }
}
