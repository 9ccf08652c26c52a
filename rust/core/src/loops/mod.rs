//! The loops over the elements of a block: that which every rule, dtype and tier runs through, those with state in fewer
//! bits, and the dry one, which only tells what is summed.

mod block;
mod bytes;
mod element;
mod streams;

use crate::codecs::Format;
use crate::codecs::bfloat16::Bfloat16;
use crate::floats::Float;
use crate::machine::prefetch::STRETCH;
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Grad, Grads, NarrowStreams, Streams};
use crate::numbers::{Factors, Numbers};
use crate::rule::{Rule, Sums};
use crate::sums::{Lanes, Plain, Square};
use std::marker::PhantomData;

use bytes::update_blocks;
use element::enter;
use streams::{HalvesLoop, Loop};

/// Elements of a block: all streams of a step and their scratch rows fit the first cache.
pub(crate) const BLOCK: usize = 512;

/// Elements of one that takes something besides what its elements take: still few enough for the first cache.
pub(crate) const LONG_BLOCK: usize = 4 * BLOCK;

/// Updates a block by the rule `R`.
#[inline(always)]
pub(crate) fn apply<F: Float, R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<F>,
    streams: &mut Streams<'_, F>,
) {
    let rule = PhantomData::<R>;
    let plain = if const { N == 0 } { tier } else { Tier::BASELINE };
    if numbers.factors.decay != F::ZERO {
        // Without decay nothing may be added: 0·p is NaN where p is infinite, and −0 + 0 loses its sign.
        tier.run(Loop::<F, R, K, N, true, true> { numbers, streams, rule });
    } else if tier == plain && numbers.factors.are_idle() {
        // Narrow registers make idle multiplications felt: without them SGD is 1.7 times as fast in
        // cache on SSE2. Wider ones hide them where there is state to be moved.
        plain.run(Loop::<F, R, K, N, false, false> { numbers, streams, rule });
    } else {
        tier.run(Loop::<F, R, K, N, true, false> { numbers, streams, rule });
    }
}

/// The same with its state in fewer bits. Returns how many of the first elements it has updated: all, but by gradients that
/// are not in float32 whole stretches or none.
#[inline(always)]
pub(crate) fn apply_narrow<R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    narrow: &mut NarrowStreams<'_>,
) -> usize {
    match (narrow.format(), narrow.grads()) {
        (Format::Float8, Grads::Single(_)) => apply_bytes::<R, K, N>(tier, numbers, narrow),
        (Format::Float8, _) => 0,
        _ => apply_halves::<R, K, N>(tier, numbers, narrow),
    }
}

fn apply_bytes<R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    narrow: &mut NarrowStreams<'_>,
) -> usize {
    let update: block::Update<N> = if numbers.factors.decay != 0.0 {
        block::update::<R, K, N, true, true>
    } else if numbers.factors.are_idle() {
        block::update::<R, K, N, false, false>
    } else {
        block::update::<R, K, N, true, false>
    };
    update_blocks(tier, numbers, narrow, const { &R::SLOTS }, update);
    narrow.arrays.len()
}

fn apply_halves<R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    narrow: &mut NarrowStreams<'_>,
) -> usize {
    let (decays, is_idle) = (numbers.factors.decay != 0.0, numbers.factors.are_idle());
    let is_single = matches!(narrow.grads(), Grads::Single(_));
    let mut done = 0;
    if !decays && narrow.arrays.is_long() && tier != Tier::BASELINE {
        done = narrow.arrays.len() / STRETCH * STRETCH;
        match (is_single, is_idle) {
            // To decode and to encode leaves no room that idle multiplications could hide in.
            (true, true) => halves::<f32, R, K, N, false, false>(tier, numbers, narrow),
            (true, false) => done = 0,
            (false, true) => halves::<Bfloat16, R, K, N, false, false>(tier, numbers, narrow),
            (false, false) => halves::<Bfloat16, R, K, N, true, false>(tier, numbers, narrow),
        }
        narrow.skip(done);
    }
    if !is_single {
        return done;
    }
    if decays {
        halves::<f32, R, K, N, true, true>(tier, numbers, narrow);
    } else {
        halves::<f32, R, K, N, true, false>(tier, numbers, narrow);
    }
    done + narrow.arrays.len()
}

fn halves<G: Grad, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
    tier: Tier,
    numbers: &Numbers<f32>,
    narrow: &mut NarrowStreams<'_>,
) {
    tier.run(HalvesLoop::<G, R, K, N, FACTORS, DECAY> { numbers, narrow, rule: PhantomData });
}

/// Adds what a block has to add to the sums.
pub(crate) fn measure<F: Float, R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<F>,
    streams: &mut Streams<'_, F>,
    sums: &mut [Lanes; 2],
) {
    let (p, g, slots) = streams.split::<N>();
    let mut rows = [[F::ZERO; BLOCK]; 2];
    for at in (0..g.len()).step_by(BLOCK) {
        let len = BLOCK.min(g.len() - at);
        let slots = slots.each_ref().map(|slot| &slot[at..at + len]);
        let [first, second] = rows.each_mut().map(|row| &mut row[..len]);
        let (p, g, rule) = (&p[at..at + len], &g[at..at + len], PhantomData::<R>);
        if numbers.factors.decay == F::ZERO {
            tier.run(Dry::<F, R, K, N, false> { numbers, p, g, slots, first, second, rule });
        } else {
            tier.run(Dry::<F, R, K, N, true> { numbers, p, g, slots, first, second, rule });
        }
        for (sum, row) in sums.iter_mut().zip(&rows) {
            match R::SUMS {
                Some(Sums::OfSquares(_)) => sum.add::<Square, _>(tier, &row[..len]),
                Some(Sums::Plain(_)) | None => sum.add::<Plain, _>(tier, &row[..len]),
            }
        }
    }
}

/// The loop that only tells what is summed.
struct Dry<'a, F, R, const K: usize, const N: usize, const DECAY: bool> {
    numbers: &'a Numbers<F>,
    p: &'a [F],
    g: &'a [F],
    slots: [&'a [F]; N],
    first: &'a mut [F],
    second: &'a mut [F],
    rule: PhantomData<R>,
}

impl<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool> Vectorized
    for Dry<'_, F, R, K, N, DECAY>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        #[inline(always)]
        fn each<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool>(
            factors: Factors<F>,
            constants: [F; K],
            p: &[F],
            g: &[F],
            slots: [&[F]; N],
            [first, second]: [&mut [F]; 2],
        ) {
            let n = g.len();
            assert!(p.len() == n && first.len() == n && second.len() == n);
            assert!(slots.iter().all(|slot| slot.len() == n));
            for i in 0..n {
                let (element, gradient) = enter::<F, true, DECAY>(factors, p[i], g[i]);
                let state = slots.map(|slot| slot[i]);
                let (step, _) = R::step(constants, element, gradient, state);
                [first[i], second[i]] = R::summed(constants, element, gradient, step, state);
            }
        }
        let Self { numbers, p, g, slots, first, second, .. } = self;
        let constants = std::array::from_fn(|k| numbers.constants[k]);
        each::<F, R, K, N, DECAY>(numbers.factors, constants, p, g, slots, [first, second]);
    }
}
