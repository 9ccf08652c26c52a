//! What a schedule is.

use std::fmt;
use std::sync::Arc;

use crate::machine::simd::{Tier, Vectorized};

/// The largest step there is. Below 2⁶³ the sum of two steps or counts still fits into 64 bits.
pub const LAST_STEP: u64 = i64::MAX as u64;

/// One schedule. `t` is the count of updates done, so 0 is the first update, and at most [`LAST_STEP`].
pub trait Curve: Send + Sync {
    /// The value at update number `t`.
    fn value(&self, t: u64) -> f64;

    /// The t until which the curve is to be drawn to be seen whole, None if it has no length of its own: the
    /// end, where it has one; three periods; a quarter more than the last boundary; the fall to a hundredth
    /// of an exponential decay, to about a tenth or a third of a slower one. It may be infinite.
    fn horizon(&self) -> Option<f64> {
        None
    }

    /// Writes the value at each `steps[i]` to `out[i]`, the same bits as [`Curve::value`].
    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        let _ = tier;
        for (value, &t) in out.iter_mut().zip(steps) {
            *value = self.value(t);
        }
    }
}

/// A curve that is nothing but numbers and a formula, so that its array loop can be vectorised.
pub trait Formula: Copy + Send + Sync {
    /// The value at update number `t`. Mark it `#[inline(always)]`.
    fn at(self, t: u64) -> f64;

    /// As [`Curve::horizon`].
    fn horizon(self) -> Option<f64> {
        None
    }
}

impl<F: Formula> Curve for F {
    fn value(&self, t: u64) -> f64 {
        self.at(t)
    }

    fn horizon(&self) -> Option<f64> {
        Formula::horizon(*self)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        tier.run(Fill { formula: *self, steps, out });
    }
}

impl fmt::Debug for dyn Curve + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Curve").field("start", &self.value(0)).field("horizon", &self.horizon()).finish()
    }
}

/// A schedule as everybody holds it: shared and immutable.
pub type Schedule = Arc<dyn Curve>;

/// Holds a copy of the formula: behind a reference, for all the compiler knows, a write to `out` might
/// change its parameters.
struct Fill<'a, F> {
    formula: F,
    steps: &'a [u64],
    out: &'a mut [f64],
}

impl<F: Formula> Vectorized for Fill<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, &t) in self.out.iter_mut().zip(self.steps) {
            *value = self.formula.at(t);
        }
    }
}

/// The point between `start` and `end` where `weight` (1 to 0) of the way is left. Unlike
/// end + (start−end)·weight it is exact at both ends.
#[inline(always)]
pub(super) fn blend(start: f64, end: f64, weight: f64) -> f64 {
    start * weight + end * (1.0 - weight)
}
