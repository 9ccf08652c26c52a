//! The one element loop: every rule, dtype and tier runs through here.

use crate::floats::Float;
use crate::rules::Update;
use crate::simd::{Tier, Vectorized};

/// The most state slots that a rule may have.
pub const MAX_STATE: usize = 3;

/// What happens to gradient and parameter before the rule sees them, constants of one step:
///   g ← clamp(scale·g, ±limit);  coupled decay g ← g + decay·p;  decoupled decay p ← shrink·p
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intake<F> {
    pub scale: F,
    pub limit: F,
    pub decay: F,
    pub shrink: F,
}

impl<F: Float> Intake<F> {
    /// Changes nothing.
    pub fn neutral() -> Self {
        let one = F::from_f64(1.0);
        Self { scale: one, limit: F::INFINITY, decay: F::ZERO, shrink: one }
    }

    #[inline(always)]
    fn apply(&self, p: F, g: F) -> (F, F) {
        let g = g * self.scale;
        let g = if self.limit == F::INFINITY { g } else { g.nan_min(self.limit).nan_max(-self.limit) };
        // Without decay nothing may be added: 0·p is NaN where p is infinite, and −0 + 0 loses its sign.
        let g = if self.decay == F::ZERO { g } else { g + self.decay * p };
        (p * self.shrink, g)
    }
}

/// Runs `step` over the elements of one chunk. All slices have the length of `p`, or are empty beyond
/// the rule's `N` slots.
pub(crate) fn update<F: Float, G: Float, U: Update<F, N>, const N: usize>(
    tier: Tier,
    step: U,
    intake: Option<Intake<F>>,
    p: &mut [F],
    g: &[G],
    state: [&mut [F]; MAX_STATE],
) {
    // A neutral intake is compiled away rather than multiplied through.
    match intake {
        None => tier.run(Elements { step, intake: Skip, p, g, state }),
        Some(intake) => tier.run(Elements { step, intake, p, g, state }),
    }
}

trait Before<F>: Copy {
    fn before(&self, p: F, g: F) -> (F, F);
}

#[derive(Clone, Copy)]
struct Skip;

impl<F: Float> Before<F> for Skip {
    #[inline(always)]
    fn before(&self, p: F, g: F) -> (F, F) {
        (p, g)
    }
}

impl<F: Float> Before<F> for Intake<F> {
    #[inline(always)]
    fn before(&self, p: F, g: F) -> (F, F) {
        self.apply(p, g)
    }
}

struct Elements<'a, F, G, U, B, const N: usize> {
    step: U,
    intake: B,
    p: &'a mut [F],
    g: &'a [G],
    state: [&'a mut [F]; MAX_STATE],
}

impl<F: Float, G: Float, U: Update<F, N>, B: Before<F>, const N: usize> Vectorized
    for Elements<'_, F, G, U, B, N>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [s0, s1, s2] = self.state;
        each(&self.step, &self.intake, self.p, self.g, s0, s1, s2);
    }
}

/// The loop. Each slice is a parameter of its own, so that LLVM knows that none aliases another.
#[inline(always)]
fn each<F: Float, G: Float, U: Update<F, N>, B: Before<F>, const N: usize>(
    step: &U,
    intake: &B,
    p: &mut [F],
    g: &[G],
    s0: &mut [F],
    s1: &mut [F],
    s2: &mut [F],
) {
    let n = p.len();
    // One check for each slice here, none in the loop.
    assert!(g.len() == n);
    assert!(N < 1 || s0.len() == n);
    assert!(N < 2 || s1.len() == n);
    assert!(N < 3 || s2.len() == n);
    for i in 0..n {
        let mut state = [F::ZERO; N];
        if N > 0 {
            state[0] = s0[i];
        }
        if N > 1 {
            state[1] = s1[i];
        }
        if N > 2 {
            state[2] = s2[i];
        }
        let (element, gradient) = intake.before(p[i], F::from_f64(g[i].to_f64()));
        let (new, state) = step.update(element, gradient, state);
        p[i] = new;
        if N > 0 {
            s0[i] = state[0];
        }
        if N > 1 {
            s1[i] = state[1];
        }
        if N > 2 {
            s2[i] = state[2];
        }
    }
}
