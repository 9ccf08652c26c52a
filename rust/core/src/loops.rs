//! The loops over the elements of a block: that which every rule, dtype and tier runs through, that with the upper halves
//! of the state, and the dry one, which only tells what is summed.

use crate::codecs::{bfloat16, narrow, noise};
use crate::floats::Float;
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Halves, Streams};
use crate::numbers::{Factors, Numbers};
use crate::rule::{MAX_STATE, Rule, Sums};
use crate::sums::{Lanes, Plain, Square};
use std::marker::PhantomData;

/// Elements of a block: all streams of a step and their scratch rows fit the first cache.
pub(crate) const BLOCK: usize = 512;

/// Updates a block by the rule `R`.
#[inline(always)]
pub(crate) fn apply<F: Float, R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<F>,
    streams: &mut Streams<'_, F>,
) {
    let rule = PhantomData::<R>;
    let Factors { scale, decay, shrink, gain } = numbers.factors;
    let one = F::ONE;
    let plain = if const { N == 0 } { tier } else { Tier::BASELINE };
    if decay != F::ZERO {
        // Without decay nothing may be added: 0·p is NaN where p is infinite, and −0 + 0 loses its sign.
        tier.run(Loop::<F, R, K, N, true, true> { numbers, streams, rule });
    } else if tier == plain && [scale, shrink, gain] == [one; 3] {
        // Narrow registers make three idle multiplications felt: without them SGD is 1.7 times as fast in
        // cache on SSE2. Wider ones hide them where there is state to be moved.
        plain.run(Loop::<F, R, K, N, false, false> { numbers, streams, rule });
    } else {
        tier.run(Loop::<F, R, K, N, true, false> { numbers, streams, rule });
    }
}

/// The same with the upper halves of its state.
pub(crate) fn apply_halves<R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    halves: &mut Halves<'_>,
) {
    let rule = PhantomData::<R>;
    if numbers.factors.decay == 0.0 {
        tier.run(HalvesLoop::<R, K, N, false> { numbers, halves, rule });
    } else {
        tier.run(HalvesLoop::<R, K, N, true> { numbers, halves, rule });
    }
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
        tier.run(Dry { numbers, p, g, slots, first, second, rule });
        for (sum, row) in sums.iter_mut().zip(&rows) {
            match R::SUMS {
                Some(Sums::OfSquares(_)) => sum.add::<Square, _>(tier, &row[..len]),
                Some(Sums::Plain(_)) | None => sum.add::<Plain, _>(tier, &row[..len]),
            }
        }
    }
}

/// `FACTORS`: whether they are multiplied by; `DECAY`: whether decay enters the gradient.
struct Loop<'a, 'b, F, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool> {
    numbers: &'a Numbers<F>,
    streams: &'a mut Streams<'b, F>,
    rule: PhantomData<R>,
}

/// The loop that only tells what is summed.
struct Dry<'a, F, R, const K: usize, const N: usize> {
    numbers: &'a Numbers<F>,
    p: &'a [F],
    g: &'a [F],
    slots: [&'a [F]; N],
    first: &'a mut [F],
    second: &'a mut [F],
    rule: PhantomData<R>,
}

impl<F: Float, R: Rule<K, N>, const K: usize, const N: usize> Vectorized for Dry<'_, F, R, K, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        #[inline(always)]
        fn each<F: Float, R: Rule<K, N>, const K: usize, const N: usize>(
            Factors { scale, decay, shrink, .. }: Factors<F>,
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
                let gradient = g[i] * scale;
                let gradient = if decay == F::ZERO { gradient } else { gradient + decay * p[i] };
                let (element, state) = (p[i] * shrink, slots.map(|slot| slot[i]));
                let (step, _) = R::step(constants, element, gradient, state);
                [first[i], second[i]] = R::summed(constants, element, gradient, step, state);
            }
        }
        let Self { numbers, p, g, slots, first, second, .. } = self;
        let constants = std::array::from_fn(|k| numbers.constants[k]);
        each::<F, R, K, N>(numbers.factors, constants, p, g, slots, [first, second]);
    }
}

/// What the loop does to one element: gives the new parameter and state.
#[inline(always)]
fn element<
    F: Float,
    R: Rule<K, N>,
    const K: usize,
    const N: usize,
    const FACTORS: bool,
    const DECAY: bool,
>(
    Factors { scale, decay, shrink, gain }: Factors<F>,
    constants: [F; K],
    p: F,
    g: F,
    state: [F; N],
) -> (F, [F; N]) {
    let gradient = if FACTORS { g * scale } else { g };
    let gradient = if DECAY { gradient + decay * p } else { gradient };
    let element = if FACTORS { p * shrink } else { p };
    let (step, state) = R::step(constants, element, gradient, state);
    (if FACTORS { element - gain * step } else { element - step }, state)
}

/// The loop over elements with the upper halves of their state.
struct HalvesLoop<'a, 'b, R, const K: usize, const N: usize, const DECAY: bool> {
    numbers: &'a Numbers<f32>,
    halves: &'a mut Halves<'b>,
    rule: PhantomData<R>,
}

/// Whether a slot is kept in fewer bits. To be asked at compile time, or LLVM learns too late which slices have been
/// checked, and takes the last elements of each block one by one.
const fn is_narrow<R: Rule<K, N>, const K: usize, const N: usize>(slot: usize) -> bool {
    narrow(&R::SLOTS) >> slot & 1 == 1
}

/// The loops over the elements, with a parameter for each state slot that a rule may have: so LLVM knows
/// that no slice aliases another.
macro_rules! streams { ($($k:literal $slot:ident $half:ident),*) => {
    const _: () = assert!([$($k),*].len() == MAX_STATE);

    impl<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>
        Vectorized for Loop<'_, '_, F, R, K, N, FACTORS, DECAY>
    {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn each<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
                factors: Factors<F>,
                constants: [F; K],
                p: &mut [F],
                g: &[F],
                $($slot: &mut [F]),*
            ) {
                let n = p.len();
                // One check for each slice here, none in the loop.
                assert!(g.len() == n);
                $(assert!(N <= $k || $slot.len() == n);)*
                for i in 0..n {
                    let mut state = [F::ZERO; N];
                    $(if N > $k { state[$k] = $slot[i]; })*
                    let (element, state) =
                        element::<F, R, K, N, FACTORS, DECAY>(factors, constants, p[i], g[i], state);
                    p[i] = element;
                    $(if N > $k { $slot[i] = state[$k]; })*
                }
            }
            let (p, g, state) = self.streams.split::<N>();
            let mut state = state.into_iter();
            $(let $slot = if N > $k { state.next().unwrap_or_default() } else { &mut [] };)*
            let constants = std::array::from_fn(|k| self.numbers.constants[k]);
            each::<F, R, K, N, FACTORS, DECAY>(self.numbers.factors, constants, p, g, $($slot),*);
        }
    }

    impl<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool> Vectorized
        for HalvesLoop<'_, '_, R, K, N, DECAY>
    {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn each<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool>(
                factors: Factors<f32>,
                constants: [f32; K],
                mut counters: [u32; noise::PAIRS],
                p: &mut [f32],
                g: &[f32],
                $($slot: &mut [f32], $half: &mut [u16]),*
            ) {
                let n = p.len();
                assert!(g.len() == n);
                $(assert!(N <= $k || if const { is_narrow::<R, K, N>($k) } { $half.len() } else { $slot.len() } == n);)*
                for i in 0..n {
                    let mut state = [0.0; N];
                    $(if N > $k { state[$k] = if const { is_narrow::<R, K, N>($k) } { bfloat16::load($half[i]) } else { $slot[i] }; })*
                    let (element, state) =
                        element::<f32, R, K, N, true, DECAY>(factors, constants, p[i], g[i], state);
                    p[i] = element;
                    // A running counter: LLVM does not make one of i·WEYL.
                    let random = counters.map(noise::bits);
                    counters = counters.map(|counter| counter.wrapping_add(noise::WEYL));
                    $(if N > $k {
                        if const { is_narrow::<R, K, N>($k) } {
                            let random = random[$k / 2];
                            $half[i] = bfloat16::store(
                                state[$k],
                                if $k % 2 == 0 { random & 0xFFFF } else { random >> 16 },
                            );
                        } else {
                            $slot[i] = state[$k];
                        }
                    })*
                }
            }
            let counters = self.halves.counters;
            let (p, g, slots, halves) = self.halves.split::<N>(const { narrow(&R::SLOTS) });
            let (mut slots, mut halves) = (slots.into_iter(), halves.into_iter());
            $(let ($slot, $half) = if N > $k {
                (slots.next().unwrap_or_default(), halves.next().unwrap_or_default())
            } else {
                Default::default()
            };)*
            let constants = std::array::from_fn(|k| self.numbers.constants[k]);
            each::<R, K, N, DECAY>(self.numbers.factors, constants, counters, p, g, $($slot, $half),*);
        }
    }
} }
streams!(0 s0 h0, 1 s1 h1, 2 s2 h2, 3 s3 h3, 4 s4 h4, 5 s5 h5);
