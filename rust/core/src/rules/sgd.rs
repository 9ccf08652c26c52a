//! Stochastic gradient descent, with heavy-ball or Nesterov momentum.

use crate::error::{BadValue, Number};
use crate::floats::Float;
use crate::kernel::{Kernel, kernel};
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::{Options, Spec};

pub(super) const SPEC: Spec = Spec { name: "sgd", hypers: Sgd::<false>::HYPERS, flags: &["nesterov"], build };

hypers! {
    /// SGD with momentum (Polyak 1964; Nesterov form of Sutskever et al. 2013), as torch computes it.
    ///   b ← μb + (1−d)g, where b ← g at the first step
    ///   p ← p − lr·b, or with Nesterov p ← p − lr(g + μb); without momentum p ← p − lr·g
    struct Sgd<const NESTEROV: bool> { momentum: Unit, dampening: UnitClosed }
}

fn build(options: &Options<'_>) -> Result<&'static dyn Kernel, BadValue> {
    let no_momentum = options.constant("momentum") == Some(0.0);
    if !options.flag("nesterov") {
        return Ok(if no_momentum { kernel::<Sgd<false>, 1, 0>() } else { kernel::<Sgd<false>, 4, 1>() });
    }
    if no_momentum || options.constant("dampening") != Some(0.0) {
        let wants = "False unless momentum is above 0 and dampening is the constant 0";
        let shown = |name| options.constant(name).map_or("a schedule".to_owned(), |x| Number(x).to_string());
        let got = format!("True with momentum {} and dampening {}", shown("momentum"), shown("dampening"));
        return Err(BadValue::new("nesterov", wants, got));
    }
    Ok(kernel::<Sgd<true>, 4, 1>())
}

/// Without momentum.
impl Rule<1, 0> for Sgd<false> {
    const SLOTS: [Slot; 0] = [];

    fn constants(&self, lr: f64, _t: u64) -> [f64; 1] {
        [lr]
    }

    #[inline(always)]
    fn step<F: Float>([lr]: [F; 1], _p: F, g: F, []: [F; 0]) -> (F, [F; 0]) {
        (lr * g, [])
    }
}

impl<const NESTEROV: bool> Rule<4, 1> for Sgd<NESTEROV> {
    const SLOTS: [Slot; 1] = [Slot::zero("momentum_buffer")];

    fn constants(&self, lr: f64, t: u64) -> [f64; 4] {
        // The buffer starts as the gradient, whatever it held; without momentum there is nothing to dampen.
        let keep = if t == 0 { 0.0 } else { self.momentum };
        let share = if t == 0 || self.momentum == 0.0 { 1.0 } else { 1.0 - self.dampening };
        [lr, self.momentum, keep, share]
    }

    #[inline(always)]
    fn step<F: Float>([lr, momentum, keep, share]: [F; 4], _p: F, g: F, [b]: [F; 1]) -> (F, [F; 1]) {
        // What an empty buffer holds may be NaN.
        let kept = if keep == F::ZERO { F::ZERO } else { keep * b };
        let b = kept + share * g;
        let direction = if NESTEROV { g + momentum * b } else { b };
        (lr * direction, [b])
    }
}
