//! The loops that have a slice for each slot: of the dtype of the parameter, or of the upper halves.

use super::element::{element, is_narrow};
use crate::codecs::{bfloat16, narrow, noise};
use crate::floats::Float;
use crate::machine::prefetch::{AHEAD, STRETCH, ask};
use crate::machine::simd::Vectorized;
use crate::memory::{Grad, NarrowStreams, Streams};
use crate::numbers::{Factors, Numbers};
use crate::rule::{MAX_STATE, Rule};
use std::marker::PhantomData;

/// `FACTORS`: whether they are multiplied by; `DECAY`: whether decay enters the gradient.
pub(super) struct Loop<'a, 'b, F, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool> {
    pub(super) numbers: &'a Numbers<F>,
    pub(super) streams: &'a mut Streams<'b, F>,
    pub(super) rule: PhantomData<R>,
}

/// The loop over elements with the upper halves of their state. What reads a gradient in another dtype than float32, or
/// multiplies by no factors, is there for the stretches of a long stream only, and not on the baseline: [`Self::WHOLE`].
pub(super) struct HalvesLoop<
    'a,
    'b,
    G,
    R,
    const K: usize,
    const N: usize,
    const FACTORS: bool,
    const DECAY: bool,
> {
    pub(super) numbers: &'a Numbers<f32>,
    pub(super) narrow: &'a mut NarrowStreams<'b>,
    pub(super) rule: PhantomData<(G, R)>,
}

impl<G: Grad, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>
    HalvesLoop<'_, '_, G, R, K, N, FACTORS, DECAY>
{
    /// Whether the rest behind the stretches is updated too.
    const WHOLE: bool = G::SAME && FACTORS;
}

/// Makes a call for each stretch of long streams, before which what is ahead is asked for. What is left is the rest, or
/// everything: nothing is cut where they are short, as a few instructions are felt there.
macro_rules! in_stretches { ($long:ident, $p:ident, $g:ident, [$($stream:ident),*], $call:expr) => {
    while $long && $p.len() >= STRETCH {
        ask($p, AHEAD, STRETCH);
        ask($g, AHEAD, STRETCH);
        $(ask($stream, AHEAD, STRETCH);)*
        let $p = $p.split_off_mut(..STRETCH).unwrap_or_default();
        let $g = $g.split_off(..STRETCH).unwrap_or_default();
        $(let $stream = $stream.split_off_mut(..STRETCH).unwrap_or_default();)*
        $call;
    }
} }

/// The loops over the elements, with a parameter for each state slot that a rule may have: so LLVM knows
/// that no slice aliases another. Long ones are in stretches, before each of which what is ahead is asked for.
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
            let (Numbers { factors, constants }, long) = (self.numbers, self.streams.arrays.is_long());
            let (factors, constants) = (*factors, std::array::from_fn(|k| constants[k]));
            let (mut p, mut g, mut slots) = self.streams.split::<N>();
            $(let mut $slot = if N > $k { std::mem::take(&mut slots[$k]) } else { &mut [] };)*
            in_stretches!(long, p, g, [$($slot),*], each::<F, R, K, N, FACTORS, DECAY>(
                factors, constants, p, g, $($slot),*
            ));
            each::<F, R, K, N, FACTORS, DECAY>(factors, constants, p, g, $($slot),*);
        }

        #[inline(always)]
        fn run_on_baseline(self) {
            self.streams.arrays.ask_nothing();
            self.run();
        }
    }

    impl<G: Grad, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>
        Vectorized for HalvesLoop<'_, '_, G, R, K, N, FACTORS, DECAY>
    {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn each<G: Grad, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
                factors: Factors<f32>,
                constants: [f32; K],
                of_first: &mut [u32; noise::PAIRS],
                p: &mut [f32],
                g: &[G],
                $($slot: &mut [f32], $half: &mut [u16]),*
            ) {
                let (n, mut counters) = (p.len(), *of_first);
                assert!(g.len() == n);
                $(assert!(N <= $k || if const { is_narrow::<R, K, N>($k) } { $half.len() } else { $slot.len() } == n);)*
                for i in 0..n {
                    let mut state = [0.0; N];
                    $(if N > $k { state[$k] = if const { is_narrow::<R, K, N>($k) } { bfloat16::load($half[i]) } else { $slot[i] }; })*
                    let g = g[i].widened();
                    let (element, state) =
                        element::<f32, R, K, N, FACTORS, DECAY>(factors, constants, p[i], g, state);
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
                *of_first = counters;
            }
            let (Numbers { factors, constants }, long) = (self.numbers, self.narrow.arrays.is_long());
            let (factors, constants) = (*factors, std::array::from_fn(|k| constants[k]));
            let mut counters = self.narrow.counters;
            let (mut p, mut g, mut slots, mut halves) = self.narrow.halves::<G, N>(const { narrow(&R::SLOTS) });
            $(let (mut $slot, mut $half) = if N > $k {
                (std::mem::take(&mut slots[$k]), std::mem::take(&mut halves[$k]))
            } else {
                Default::default()
            };)*
            in_stretches!(long, p, g, [$($slot, $half),*], each::<G, R, K, N, FACTORS, DECAY>(
                factors, constants, &mut counters, p, g, $($slot, $half),*
            ));
            if Self::WHOLE {
                each::<G, R, K, N, FACTORS, DECAY>(factors, constants, &mut counters, p, g, $($slot, $half),*);
            }
        }

        #[inline(always)]
        fn run_on_baseline(self) {
            assert!(Self::WHOLE);
            self.narrow.arrays.ask_nothing();
            self.run();
        }
    }
} }
streams!(0 s0 h0, 1 s1 h1, 2 s2 h2, 3 s3 h3, 4 s4 h4, 5 s5 h5);
