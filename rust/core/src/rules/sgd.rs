//! Stochastic gradient descent, with heavy-ball or Nesterov momentum.

use super::{Hypers, Options, Rule, Spec, Update, hypers};
use crate::error::{BadValue, Number};
use crate::floats::Float;
use crate::groups::{Group, Typed};

pub(super) const SPEC: Spec = Spec { name: "sgd", hypers: Sgd::<false>::HYPERS, flags: &["nesterov"], build };

hypers! {
    /// SGD with momentum (Polyak 1964; Nesterov form of Sutskever et al. 2013), as torch computes it.
    ///   b ← μb + (1−d)g, where b ← g at the first step
    ///   p ← p − lr·b, or with Nesterov p ← p − lr(g + μb); without momentum p ← p − lr·g
    pub struct Sgd<const NESTEROV: bool> { momentum: Unit, dampening: UnitClosed }
}

fn build(options: &Options<'_>) -> Result<Box<dyn Group>, BadValue> {
    let no_momentum = options.constant("momentum") == Some(0.0);
    if !options.flag("nesterov") {
        return Ok(if no_momentum {
            Typed::<Sgd<false>, 0>::group()
        } else {
            Typed::<Sgd<false>, 1>::group()
        });
    }
    if no_momentum || options.constant("dampening") != Some(0.0) {
        let wants = "False unless momentum is above 0 and dampening is the constant 0";
        let shown = |name| options.constant(name).map_or("a schedule".to_owned(), |x| Number(x).to_string());
        let got = format!("True with momentum {} and dampening {}", shown("momentum"), shown("dampening"));
        return Err(BadValue::new("nesterov", wants, got));
    }
    Ok(Typed::<Sgd<true>, 1>::group())
}

impl<const NESTEROV: bool> Rule<0> for Sgd<NESTEROV> {
    const STATE: [&'static str; 0] = [];
    type Step<F: Float> = SgdStep<F, NESTEROV>;

    fn at<F: Float>(&self, lr: f64, t: u64) -> SgdStep<F, NESTEROV> {
        SgdStep::new(self, lr, t)
    }
}

impl<const NESTEROV: bool> Rule<1> for Sgd<NESTEROV> {
    const STATE: [&'static str; 1] = ["momentum_buffer"];
    type Step<F: Float> = SgdStep<F, NESTEROV>;

    fn at<F: Float>(&self, lr: f64, t: u64) -> SgdStep<F, NESTEROV> {
        SgdStep::new(self, lr, t)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct SgdStep<F, const NESTEROV: bool> {
    lr: F,
    momentum: F,
    /// What stays of the buffer, and what of the gradient goes into it.
    keep: F,
    intake: F,
}

impl<F: Float, const NESTEROV: bool> SgdStep<F, NESTEROV> {
    fn new(rule: &Sgd<NESTEROV>, lr: f64, t: u64) -> Self {
        // The buffer starts as the gradient, whatever it held; without momentum there is nothing to dampen.
        let whole = t == 0 || rule.momentum == 0.0;
        Self {
            lr: F::from_f64(lr),
            momentum: F::from_f64(rule.momentum),
            keep: F::from_f64(if t == 0 { 0.0 } else { rule.momentum }),
            intake: F::from_f64(if whole { 1.0 } else { 1.0 - rule.dampening }),
        }
    }
}

impl<F: Float, const NESTEROV: bool> Update<F, 0> for SgdStep<F, NESTEROV> {
    #[inline(always)]
    fn update(&self, p: F, g: F, []: [F; 0]) -> (F, [F; 0]) {
        (p - self.lr * g, [])
    }
}

impl<F: Float, const NESTEROV: bool> Update<F, 1> for SgdStep<F, NESTEROV> {
    #[inline(always)]
    fn update(&self, p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        // What an empty buffer holds may be NaN.
        let kept = if self.keep == F::ZERO { F::ZERO } else { self.keep * b };
        let b = kept + self.intake * g;
        let direction = if NESTEROV { g + self.momentum * b } else { b };
        (p - self.lr * direction, [b])
    }
}
