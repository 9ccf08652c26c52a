//! How a composition fills an array through its children: in blocks on the stack.

use super::Curve;
use crate::simd::{Tier, Vectorized};

/// The steps that a composition hands to its child at once: small enough for the L1 cache and the
/// stack of deep compositions, large enough that the call costs nothing.
const BLOCK: usize = 256;

/// Writes `child` at `map(t)` for each of `steps`.
pub(super) fn fill_mapped(
    child: &dyn Curve,
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    map: impl Fn(u64) -> u64 + Copy,
) {
    let mut buffer = [0; BLOCK];
    for (steps, out) in steps.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mapped = &mut buffer[..steps.len()];
        tier.run(Map { steps, mapped, apply: map });
        child.fill(tier, mapped, out);
    }
}

/// Combines what is in `out` with `child` at each of `steps`.
pub(super) fn fill_combined(
    child: &dyn Curve,
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    combine: impl Fn(f64, f64) -> f64 + Copy,
) {
    let mut buffer = [0.0; BLOCK];
    for (steps, out) in steps.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let values = &mut buffer[..steps.len()];
        child.fill(tier, steps, values);
        tier.run(Combine { out, values, apply: combine });
    }
}

/// Replaces each value `v` of `out` by `change(v)`.
pub(super) fn change(tier: Tier, out: &mut [f64], change: impl Fn(f64) -> f64) {
    tier.run(Change { out, apply: change });
}

/// The steps from `begin` to `last`, both included, that belong to child number `index`.
#[derive(Clone, Copy)]
pub(super) struct Segment {
    pub(super) index: usize,
    pub(super) begin: u64,
    pub(super) last: u64,
}

/// Cuts `steps` into runs that stay inside one segment, and calls `fill` with each. A block that is
/// whole inside its segment, as nearly all are in a sorted array, is found so by one vector loop.
pub(super) fn fill_by_segment(
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    segment: impl Fn(u64) -> Segment,
    fill: impl Fn(Segment, &[u64], &mut [f64]),
) {
    for (mut steps, mut out) in steps.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mut here = segment(steps[0]);
        if tier.run(Inside { steps, segment: here }) {
            fill(here, steps, out);
            continue;
        }
        loop {
            let outside = |&t: &u64| t < here.begin || t > here.last;
            let run = steps.iter().position(outside).unwrap_or(steps.len());
            let (out_run, out_rest) = out.split_at_mut(run);
            fill(here, &steps[..run], out_run);
            (steps, out) = (&steps[run..], out_rest);
            match steps.first() {
                Some(&t) => here = segment(t),
                None => break,
            }
        }
    }
}

struct Map<'a, F> {
    steps: &'a [u64],
    mapped: &'a mut [u64],
    apply: F,
}

impl<F: Fn(u64) -> u64> Vectorized for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (mapped, &t) in self.mapped.iter_mut().zip(self.steps) {
            *mapped = (self.apply)(t);
        }
    }
}

struct Combine<'a, F> {
    out: &'a mut [f64],
    values: &'a [f64],
    apply: F,
}

impl<F: Fn(f64, f64) -> f64> Vectorized for Combine<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, &value) in self.out.iter_mut().zip(self.values) {
            *out = (self.apply)(*out, value);
        }
    }
}

struct Change<'a, F> {
    out: &'a mut [f64],
    apply: F,
}

impl<F: Fn(f64) -> f64> Vectorized for Change<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for out in self.out {
            *out = (self.apply)(*out);
        }
    }
}

struct Inside<'a> {
    steps: &'a [u64],
    segment: Segment,
}

impl Vectorized for Inside<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Segment { begin, last, .. } = self.segment;
        // One maximum with no early exit vectorises: what is before `begin` wraps round and is far.
        self.steps.iter().fold(0, |far, &t| t.wrapping_sub(begin).max(far)) <= last - begin
    }
}
