//! Sums that are the same bits at any number of threads and on every tier.
//!
//! A chunk is summed in float64, in `LANES` interleaved accumulators that are folded in a fixed tree; the sums
//! of the chunks are added up in the order of the chunks.

use crate::floats::Float;
use crate::machine::simd::{Tier, Vectorized};
use std::collections::TryReserveError;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// Independent accumulators of one chunk: four full registers of f64 at 512 bits, enough to hide the latency of
/// an addition.
const LANES: usize = 32;

/// A sum under way over the elements of a chunk, of which element i goes to lane i mod `LANES`.
#[derive(Clone, Copy, Debug)]
pub struct Lanes {
    lanes: [f64; LANES],
    /// The lane of the next element.
    next: usize,
}

impl Lanes {
    pub const ZERO: Self = Self { lanes: [0.0; LANES], next: 0 };

    /// Adds what each element of the next stretch has to add.
    pub(crate) fn add<T: Term<E>, E: Copy>(&mut self, tier: Tier, elements: &[E]) {
        let begun = if self.next == 0 { 0 } else { (LANES - self.next).min(elements.len()) };
        let (first, whole) = elements.split_at(begun);
        add_each::<T, E>(&mut self.lanes[self.next..], first);
        self.next = (self.next + elements.len()) % LANES;
        tier.run(Whole::<T, E> { lanes: &mut self.lanes, elements: whole, term: PhantomData });
    }

    pub fn fold(self) -> f64 {
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

/// What an element adds.
pub(crate) trait Term<E> {
    fn of(element: E) -> f64;

    /// Whether it is known without adding that all of a stretch add 0.
    #[inline(always)]
    fn adds_nothing(_tier: Tier, _elements: &[E]) -> bool {
        false
    }
}

/// Its square.
pub(crate) struct Square;

impl<F: Float> Term<F> for Square {
    #[inline(always)]
    fn of(x: F) -> f64 {
        let x = x.to_f64();
        x * x
    }
}

/// 1 if it is NaN or infinite.
pub(crate) struct NonFinite;

impl<F: Float> Term<F> for NonFinite {
    #[inline(always)]
    fn of(x: F) -> f64 {
        f64::from(u8::from(!F::are_finite(&[x])))
    }

    fn adds_nothing(tier: Tier, elements: &[F]) -> bool {
        tier.run(AreFinite(elements))
    }
}

struct AreFinite<'a, F>(&'a [F]);

impl<F: Float> Vectorized for AreFinite<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        F::are_finite(self.0)
    }
}

/// Itself.
pub(crate) struct Plain;

impl<F: Float> Term<F> for Plain {
    #[inline(always)]
    fn of(x: F) -> f64 {
        x.to_f64()
    }
}

struct Whole<'a, T, E> {
    lanes: &'a mut [f64; LANES],
    elements: &'a [E],
    term: PhantomData<T>,
}

impl<T: Term<E>, E: Copy> Vectorized for Whole<'_, T, E> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        add_all::<T, E>(self.lanes, self.elements);
    }
}

/// With parameters of its own, so that LLVM knows that the lanes are not among the elements.
#[inline(always)]
fn add_all<T: Term<E>, E: Copy>(lanes: &mut [f64; LANES], elements: &[E]) {
    let (blocks, rest) = elements.as_chunks::<LANES>();
    for block in blocks {
        for k in 0..LANES {
            lanes[k] += T::of(block[k]);
        }
    }
    add_each::<T, E>(lanes, rest);
}

#[inline(always)]
fn add_each<T: Term<E>, E: Copy>(lanes: &mut [f64], elements: &[E]) {
    for (lane, &element) in lanes.iter_mut().zip(elements) {
        *lane += T::of(element);
    }
}

/// A place for `M` sums of each chunk, kept from step to step.
#[derive(Debug)]
pub struct Partials<const M: usize>(Vec<[AtomicU64; M]>);

impl<const M: usize> Default for Partials<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const M: usize> Partials<M> {
    /// Makes room for so many chunks.
    pub fn reserve(&mut self, chunks: usize) -> Result<(), TryReserveError> {
        self.0.try_reserve_exact(chunks.saturating_sub(self.0.len()))?;
        self.0.resize_with(chunks, || std::array::from_fn(|_| AtomicU64::default()));
        Ok(())
    }

    pub fn set(&self, chunk: usize, sums: [f64; M]) {
        for (place, sum) in self.0[chunk].iter().zip(sums) {
            place.store(sum.to_bits(), Ordering::Relaxed);
        }
    }

    /// The sums of some chunks, one after the other.
    pub fn sums(&self, chunks: Range<usize>) -> impl Iterator<Item = [f64; M]> {
        self.0[chunks].iter().map(load)
    }

    /// The sums over some chunks, in their order.
    pub fn total(&self, chunks: Range<usize>) -> [f64; M] {
        // Not `sum`, to which nothing is −0.
        let plus = |a: [f64; M], b: [f64; M]| std::array::from_fn(|m| a[m] + b[m]);
        self.sums(chunks).fold([0.0; M], plus)
    }

    /// The first of so many chunks with a sum that is NaN or infinite, and that sum.
    pub fn first_nonfinite(&self, chunks: usize) -> Option<(usize, f64)> {
        let sums = self.sums(0..chunks).enumerate();
        sums.flat_map(|(chunk, sums)| sums.map(|sum| (chunk, sum))).find(|(_, sum)| !sum.is_finite())
    }
}

fn load<const M: usize>(places: &[AtomicU64; M]) -> [f64; M] {
    std::array::from_fn(|m| f64::from_bits(places[m].load(Ordering::Relaxed)))
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
            elements.chunks(stretch).for_each(|elements| lanes.add::<Square, _>(tier, elements));
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
