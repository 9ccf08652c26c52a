//! The loop over a block of elements whose state is in bytes. Codes become numbers where these are used; the new numbers
//! are left in rows, and are encoded while the next block is updated, once the largest of their block is known: so the
//! divisions of the one and the arithmetic of the other are under way together.

use super::element::{element, is_narrow, is_signed};
use crate::codecs::float8::{self, BLOCK};
use crate::codecs::noise::{self, PAIRS, WEYL};
use crate::machine::simd::{Tier, Vectorized};
use crate::numbers::{Factors, Numbers};
use crate::rule::{MAX_STATE, Rule};
use std::marker::PhantomData;

/// A block that is to be updated, while the one before it is encoded.
pub(super) struct Block<'a, const N: usize> {
    pub(super) numbers: &'a Numbers<f32>,
    pub(super) p: &'a mut [f32; BLOCK],
    pub(super) g: &'a [f32; BLOCK],
    pub(super) slots: [SlotBlock<'a>; N],
    /// Those of the block before it.
    pub(super) counters: [u32; PAIRS],
    /// The largest height of each slot that is narrow, once it has been updated.
    pub(super) tops: [u32; N],
}

/// What there is of a slot. One that is not narrow has nothing but its own numbers, and whatever else there may be.
pub(super) struct SlotBlock<'a> {
    pub(super) row: &'a mut [f32; BLOCK],
    pub(super) codes: &'a [u8; BLOCK],
    pub(super) row_before: &'a [f32; BLOCK],
    pub(super) codes_before: &'a mut [u8; BLOCK],
    pub(super) exponent: u32,
    pub(super) exponent_before: u32,
}

/// Updates a block by a rule with `N` slots.
pub(super) type Update<const N: usize> = fn(Tier, &mut Block<'_, N>);

/// The loop over a block. `FACTORS`: whether they are multiplied by; `DECAY`: whether decay enters the gradient.
struct BlockLoop<'a, 'b, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
    &'a mut Block<'b, N>,
    PhantomData<R>,
);

/// Runs it.
pub(super) fn update<
    R: Rule<K, N>,
    const K: usize,
    const N: usize,
    const FACTORS: bool,
    const DECAY: bool,
>(
    tier: Tier,
    block: &mut Block<'_, N>,
) {
    tier.run(BlockLoop::<R, K, N, FACTORS, DECAY>(block, PhantomData));
}

/// The loop, with parameters for each state slot that a rule may have: so LLVM knows that no slice aliases another.
macro_rules! blocks { ($($k:literal $row:ident $codes:ident $exponent:ident
    $row_before:ident $codes_before:ident $exponent_before:ident),*) => {
    const _: () = assert!([$($k),*].len() == MAX_STATE);

    impl<R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool> Vectorized
        for BlockLoop<'_, '_, R, K, N, FACTORS, DECAY>
    {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn each<R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
                factors: Factors<f32>,
                constants: [f32; K],
                mut counters: [u32; PAIRS],
                p: &mut [f32; BLOCK],
                g: &[f32; BLOCK],
                $(
                    $row: &mut [f32], $codes: &[u8], $exponent: u32,
                    $row_before: &[f32], $codes_before: &mut [u8], $exponent_before: u32
                ),*
            ) -> [u32; N] {
                $(assert!(N <= $k || $row.len() == BLOCK);
                assert!(N <= $k || !const { is_narrow::<R, K, N>($k) } || $codes.len() == BLOCK);
                assert!(N <= $k || !const { is_narrow::<R, K, N>($k) } || $row_before.len() == BLOCK);
                assert!(N <= $k || !const { is_narrow::<R, K, N>($k) } || $codes_before.len() == BLOCK);)*
                let mut tops = [0; N];
                for i in 0..BLOCK {
                    let random = counters.map(noise::bits);
                    counters = counters.map(|counter| counter.wrapping_add(WEYL));
                    let mut state = [0.0; N];
                    $(if N > $k {
                        state[$k] = if const { is_narrow::<R, K, N>($k) } {
                            float8::load(const { is_signed::<R, K, N>($k) }, $codes[i], $exponent)
                        } else {
                            $row[i]
                        };
                    })*
                    let (element, state) =
                        element::<f32, R, K, N, FACTORS, DECAY>(factors, constants, p[i], g[i], state);
                    p[i] = element;
                    $(if N > $k {
                        $row[i] = state[$k];
                        if const { is_narrow::<R, K, N>($k) } {
                            let signed = const { is_signed::<R, K, N>($k) };
                            tops[$k] = float8::height(signed, state[$k]).max(tops[$k]);
                            let random = float8::part(random[$k / 2], $k % 2 == 0);
                            $codes_before[i] =
                                float8::store(signed, $row_before[i], $exponent_before, random);
                        }
                    })*
                }
                tops
            }
            let Self(Block { numbers, p, g, slots, counters, tops }, _) = self;
            let mut slots = slots.iter_mut();
            $(let ($row, $codes, $exponent, $row_before, $codes_before, $exponent_before) = match slots.next() {
                Some(slot) => (
                    &mut slot.row[..], &slot.codes[..], slot.exponent,
                    &slot.row_before[..], &mut slot.codes_before[..], slot.exponent_before,
                ),
                None => Default::default(),
            };)*
            let constants = std::array::from_fn(|k| numbers.constants[k]);
            *tops = each::<R, K, N, FACTORS, DECAY>(
                numbers.factors, constants, *counters, p, g,
                $($row, $codes, $exponent, $row_before, $codes_before, $exponent_before),*
            );
        }
    }
} }
blocks!(
    0 r0 c0 e0 r0_before c0_before e0_before,
    1 r1 c1 e1 r1_before c1_before e1_before,
    2 r2 c2 e2 r2_before c2_before e2_before,
    3 r3 c3 e3 r3_before c3_before e3_before,
    4 r4 c4 e4 r4_before c4_before e4_before,
    5 r5 c5 e5 r5_before c5_before e5_before
);
