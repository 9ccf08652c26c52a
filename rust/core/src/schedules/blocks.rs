//! How a composition fills an array through its children: in blocks on the stack.

use super::curve::Curve;
use crate::machine::simd::{Tier, Vectorized};

/// The steps that a composition hands to its child at once: small enough for the L1 cache, large enough that
/// the call costs nothing.
const BLOCK: usize = 256;

/// The same in deep compositions: 64 buffers of this size, one in another, fit into the smallest stack that a
/// thread can be expected to have, 128 KiB.
pub(super) const SMALL_BLOCK: usize = 32;

/// Writes `child` at `map(t)` for each of `steps`.
pub(super) fn fill_mapped(
    child: &dyn Curve,
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    map: impl Fn(u64) -> u64 + Copy,
) {
    if steps.len() <= SMALL_BLOCK {
        map_blocks::<SMALL_BLOCK>(child, tier, steps, out, map);
    } else {
        map_blocks::<BLOCK>(child, tier, steps, out, map);
    }
}

/// Not inlined, so that the small buffer does not lie beside a large one on the stack.
#[inline(never)]
fn map_blocks<const SIZE: usize>(
    child: &dyn Curve,
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    map: impl Fn(u64) -> u64 + Copy,
) {
    let mut buffer = [0; SIZE];
    for (steps, out) in steps.chunks(SIZE).zip(out.chunks_mut(SIZE)) {
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
    if steps.len() <= SMALL_BLOCK {
        combine_blocks::<SMALL_BLOCK>(child, tier, steps, out, combine);
    } else {
        combine_blocks::<BLOCK>(child, tier, steps, out, combine);
    }
}

/// As with [`map_blocks`].
#[inline(never)]
fn combine_blocks<const SIZE: usize>(
    child: &dyn Curve,
    tier: Tier,
    steps: &[u64],
    out: &mut [f64],
    combine: impl Fn(f64, f64) -> f64 + Copy,
) {
    let mut buffer = [0.0; SIZE];
    for (steps, out) in steps.chunks(SIZE).zip(out.chunks_mut(SIZE)) {
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
