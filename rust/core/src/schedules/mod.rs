//! Learning-rate schedules: pure functions from the number of updates done to a float.
//!
//! A schedule is a struct of its checked parameters with one `value(t)`. It has no state and no
//! "current" anything, so resuming at any `t` is exact.

use std::fmt;
use std::sync::Arc;

use crate::simd::{Tier, Vectorized};

/// One schedule. `t` is the count of updates done, so 0 is the first update.
pub trait Curve: Send + Sync + fmt::Debug {
    /// The value at update number `t`. Mark it `#[inline(always)]` in leaves, so that [`Curve::fill`]
    /// vectorises.
    fn value(&self, t: u64) -> f64;

    /// Writes the value at each `steps[i]` to `out[i]`, the same bits as [`Curve::value`].
    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        tier.run(Fill { curve: self, steps, out });
    }
}

/// A schedule as everybody holds it: shared and immutable.
pub type Schedule = Arc<dyn Curve>;

struct Fill<'a, C: ?Sized> {
    curve: &'a C,
    steps: &'a [u64],
    out: &'a mut [f64],
}

impl<C: Curve + ?Sized> Vectorized for Fill<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, &t) in self.out.iter_mut().zip(self.steps) {
            *value = self.curve.value(t);
        }
    }
}
