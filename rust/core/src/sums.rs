//! Sums that are the same bits at any number of threads and on every tier.
//!
//! A chunk is summed in float64, in `LANES` interleaved accumulators that are folded in a fixed tree; the sums
//! of the chunks are added up in the order of the chunks.

use crate::floats::Float;
use crate::machine::simd::{Tier, Vectorized};
use std::collections::TryReserveError;
use std::sync::atomic::{AtomicU64, Ordering};

/// Independent accumulators of one chunk: four full registers of f64 at 512 bits, enough to hide the latency of
/// an addition.
const LANES: usize = 32;

/// A sum under way over the elements of a chunk, of which element i goes to lane i mod `LANES`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes {
    lanes: [f64; LANES],
    /// The lane of the next element.
    next: usize,
}

impl Lanes {
    pub(crate) const ZERO: Self = Self { lanes: [0.0; LANES], next: 0 };

    /// Adds x² of each element of the next stretch.
    pub(crate) fn add_squares<F: Float>(&mut self, tier: Tier, elements: &[F]) {
        let begun = if self.next == 0 { 0 } else { (LANES - self.next).min(elements.len()) };
        let (first, whole) = elements.split_at(begun);
        for (lane, x) in self.lanes[self.next..].iter_mut().zip(first) {
            *lane += square(*x);
        }
        self.next = (self.next + elements.len()) % LANES;
        tier.run(Squares { lanes: &mut self.lanes, elements: whole });
    }

    pub(crate) fn fold(self) -> f64 {
        let Self { mut lanes, .. } = self;
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

struct Squares<'a, F> {
    lanes: &'a mut [f64; LANES],
    elements: &'a [F],
}

impl<F: Float> Vectorized for Squares<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        each(self.lanes, self.elements);
    }
}

#[inline(always)]
fn each<F: Float>(lanes: &mut [f64; LANES], elements: &[F]) {
    let (blocks, rest) = elements.as_chunks::<LANES>();
    for block in blocks {
        for k in 0..LANES {
            lanes[k] += square(block[k]);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += square(*x);
    }
}

#[inline(always)]
fn square<F: Float>(x: F) -> f64 {
    let x = x.to_f64();
    x * x
}

/// A place for one sum of each chunk, kept from step to step.
#[derive(Debug, Default)]
pub struct Partials(Vec<AtomicU64>);

impl Partials {
    /// Makes room for so many chunks.
    pub fn reserve(&mut self, chunks: usize) -> Result<(), TryReserveError> {
        self.0.try_reserve_exact(chunks.saturating_sub(self.0.len()))?;
        self.0.resize_with(chunks, AtomicU64::default);
        Ok(())
    }

    pub(crate) fn set(&self, chunk: usize, sum: f64) {
        self.0[chunk].store(sum.to_bits(), Ordering::Relaxed);
    }

    pub fn total(&self) -> f64 {
        // Not `sum`, to which nothing is −0.
        self.sums().fold(0.0, |total, sum| total + sum)
    }

    /// The first chunk whose sum is NaN or infinite, and its sum.
    pub fn first_nonfinite(&self) -> Option<(usize, f64)> {
        self.sums().enumerate().find(|(_, sum)| !sum.is_finite())
    }

    fn sums(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_and_every_cut_gives_the_same_bits() {
        let elements: Vec<f32> = (0..1003).map(|i| (i as f32 * 0.37).sin() * 1e3).collect();
        let exact: f64 = elements.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let sum = |tier, stretch: usize| {
            let mut lanes = Lanes::ZERO;
            elements.chunks(stretch).for_each(|elements| lanes.add_squares(tier, elements));
            lanes.fold()
        };
        let whole = sum(Tier::BASELINE, 1003);
        assert!((whole / exact - 1.0).abs() < 1e-14);
        for tier in Tier::supported() {
            for stretch in [1, 5, LANES, 77, 16 * LANES, 1003] {
                assert_eq!(sum(tier, stretch).to_bits(), whole.to_bits(), "{tier} {stretch}");
            }
        }
    }
}
