//! Learning-rate schedules: pure functions from the number of updates done to a float.
//!
//! A schedule is a struct of its checked parameters with one `value(t)`. It has no state and no
//! "current" anything, so resuming at any `t` is exact. Every boundary is an integer compared with an
//! integer, and past its end a schedule holds its last value exactly.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::machine::simd::{Tier, Vectorized};
use crate::machine::threads;
use blocks::SMALL_BLOCK;

mod blocks;
mod compositions;
mod decays;
mod joins;
mod milestones;
mod opaque;
mod phases;
mod raised_cosine;
mod waves;

pub use compositions::{Clip, Every, Product, Repeat, Shift};
pub use decays::{
    Constant, Exponential, ExponentialRate, InverseSqrt, InverseTime, Linear, Polynomial, StepDecay,
};
pub use joins::{Join, Warmup};
pub use milestones::{MultiStep, Piecewise, Table};
pub use opaque::Opaque;
pub use phases::{OneCycle, WarmupStableDecay};
pub use waves::{Cosine, CosineRestarts, Cyclic};

/// The largest step there is. Below 2⁶³ the sum of two steps or counts still fits into 64 bits.
pub const LAST_STEP: u64 = i64::MAX as u64;

/// One schedule. `t` is the count of updates done, so 0 is the first update, and at most [`LAST_STEP`].
pub trait Curve: Send + Sync + fmt::Debug {
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
pub trait Formula: Copy + Send + Sync + fmt::Debug {
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

/// A schedule as everybody holds it: shared and immutable.
pub type Schedule = Arc<dyn Curve>;

/// A schedule whole: its curve, and how deep compositions nest in it, a lone curve being 1.
#[derive(Clone, Copy, Debug)]
pub struct Nested<'a> {
    pub curve: &'a dyn Curve,
    pub depth: usize,
}

/// The steps that one parallel task evaluates: some 50 µs of a cosine, twice the time to wake a thread.
pub const CHUNK: usize = 1 << 16;

/// So many tasks keep all threads busy to the end; the list of more would need memory that grows with the
/// array, and there may be none.
const MOST_TASKS: usize = 256;

/// Compositions that nest deeper are filled in small blocks.
const DEEP: usize = 16;

/// [`Curve::fill`], unless a step is not below 2⁶³: then that step.
pub fn fill_checked(schedule: Nested<'_>, tier: Tier, steps: &[u64], out: &mut [f64]) -> Result<(), u64> {
    // All steps together have the top bit that any of them has, and finding out vectorises.
    if steps.iter().fold(0, |bits, &t| bits | t) > LAST_STEP {
        return steps.iter().find(|&&t| t > LAST_STEP).map_or(Ok(()), |&t| Err(t));
    }
    let block = if schedule.depth > DEEP { SMALL_BLOCK } else { steps.len().max(1) };
    for (steps, out) in steps.chunks(block).zip(out.chunks_mut(block)) {
        schedule.curve.fill(tier, steps, out);
    }
    Ok(())
}

/// [`fill_checked`] over all threads.
pub fn fill_parallel(schedule: Nested<'_>, tier: Tier, steps: &[u64], out: &mut [f64]) -> Result<(), u64> {
    let size = steps.len().div_ceil(MOST_TASKS).max(CHUNK);
    let chunks: Vec<_> = steps
        .chunks(size)
        .zip(out.chunks_mut(size))
        .map(|(steps, out)| Mutex::new((steps, out, Ok(()))))
        .collect();
    threads::share(threads::workers(chunks.len()), chunks.len(), &|_, i| {
        // Each chunk is taken once, so its lock is always free; it only proves that to the compiler.
        let mut chunk = chunks[i].lock().unwrap_or_else(PoisonError::into_inner);
        let (steps, out, result) = &mut *chunk;
        *result = fill_checked(schedule, tier, steps, out);
    });
    chunks.into_iter().try_for_each(|chunk| chunk.into_inner().unwrap_or_else(PoisonError::into_inner).2)
}

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
fn blend(start: f64, end: f64, weight: f64) -> f64 {
    start * weight + end * (1.0 - weight)
}

#[cfg(test)]
mod tests;
