//! Stochastic gradient descent, with heavy-ball or Nesterov momentum.

use crate::error::{BadValue, Number};
use crate::floats::Float;
use crate::kernel::{Kernel, kernel};
use crate::rule::{Hypers, Rule, Slot, hypers};
use crate::spec::{Options, Spec};

pub(super) const SPEC: Spec = Spec { name: "sgd", hypers: Sgd::<false>::HYPERS, build };

/// What the buffer takes in: the gradient, the rate times the gradient, or (1−μ) times the gradient.
const FORMS: &[&str] = &["torch", "keras", "average"];
const TORCH: f64 = 0.0;
const KERAS: f64 = 1.0;

hypers! {
    /// SGD with momentum (Polyak 1964; Nesterov form of Sutskever et al. 2013), as torch computes it.
    ///   b ← μb + (1−d)g, where b ← g at the first step
    ///   p ← p − lr·b, or with Nesterov p ← p − lr(g + μb); without momentum p ← p − lr·g
    /// As Keras and scikit-learn compute it: b ← μb + lr·g; p ← p − b, or with Nesterov p ← p − (lr·g + μb)
    /// As a running average: b ← μb + (1−μ)g; p ← p − lr·b, or with Nesterov p ← p − lr((1−μ)g + μb)
    struct Sgd<const NESTEROV: bool> {
        momentum: Unit,
        dampening: UnitClosed,
        nesterov: Flag,
        momentum_form: Choice FORMS = 0.0,
    }
}

fn build(options: &Options<'_>) -> Result<&'static dyn Kernel, BadValue> {
    let no_momentum = options.constant("momentum") == Some(0.0);
    let undampened = options.constant("dampening") == Some(0.0);
    let shown = |name| options.constant(name).map_or("a schedule".to_owned(), |x| Number(x).to_string());
    if options.constant("momentum_form") != Some(TORCH) && !undampened {
        return Err(BadValue::new(
            "momentum_form",
            "'torch' unless dampening is the constant 0",
            shown("dampening"),
        ));
    }
    if !options.flag("nesterov") {
        return Ok(if no_momentum { kernel::<Sgd<false>, 1, 0>() } else { kernel::<Sgd<false>, 5, 1>() });
    }
    if no_momentum || !undampened {
        let wants = "False unless momentum is above 0 and dampening is the constant 0";
        let got = format!("True with momentum {} and dampening {}", shown("momentum"), shown("dampening"));
        return Err(BadValue::new("nesterov", wants, got));
    }
    Ok(kernel::<Sgd<true>, 5, 1>())
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

impl<const NESTEROV: bool> Rule<5, 1> for Sgd<NESTEROV> {
    const SLOTS: [Slot; 1] = [Slot::zero("momentum_buffer")];

    fn constants(&self, lr: f64, t: u64) -> [f64; 5] {
        let Self { momentum, dampening, momentum_form, .. } = *self;
        let keep = if t == 0 { 0.0 } else { momentum };
        let (outside, share, own) = if momentum_form == TORCH {
            // The buffer starts as the gradient, whatever it held; without momentum there is nothing to dampen.
            (lr, if t == 0 || momentum == 0.0 { 1.0 } else { 1.0 - dampening }, 1.0)
        } else if momentum_form == KERAS {
            (1.0, lr, lr)
        } else {
            (lr, 1.0 - momentum, 1.0 - momentum)
        };
        [outside, momentum, keep, share, own]
    }

    #[inline(always)]
    fn step<F: Float>(
        [outside, momentum, keep, share, own]: [F; 5],
        _p: F,
        g: F,
        [b]: [F; 1],
    ) -> (F, [F; 1]) {
        // What an empty buffer holds may be NaN.
        let kept = if keep == F::ZERO { F::ZERO } else { keep * b };
        let b = kept + share * g;
        let direction = if NESTEROV { own * g + momentum * b } else { b };
        (outside * direction, [b])
    }
}
