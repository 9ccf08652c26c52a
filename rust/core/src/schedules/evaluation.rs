//! The values of a schedule at many steps.

use std::sync::{Mutex, PoisonError};

use super::blocks::SMALL_BLOCK;
use super::curve::{Curve, LAST_STEP};
use crate::machine::simd::Tier;
use crate::machine::threads;

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
pub(super) const DEEP: usize = 16;

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
