//! The loop over elements whose state is in bytes, a block at a time. Codes become numbers where these are used; the new
//! numbers are left in rows, and are encoded while the next block is updated, once the largest of their block is known: so
//! the divisions of the one and the arithmetic of the other are under way together.

use super::element::{element, is_narrow, is_signed};
use crate::codecs::float8::{self, BLOCK, Rounding};
use crate::codecs::narrow;
use crate::codecs::noise::{self, PAIRS, WEYL};
use crate::machine::prefetch::{AHEAD, ask};
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::NarrowStreams;
use crate::numbers::{Factors, Numbers};
use crate::rule::{MAX_STATE, Rule};
use std::hint::black_box;
use std::marker::PhantomData;

/// `DECAY`: whether decay enters the gradient.
pub(super) struct BytesLoop<'a, 'b, R, const K: usize, const N: usize, const DECAY: bool> {
    pub(super) tier: Tier,
    pub(super) numbers: &'a Numbers<f32>,
    pub(super) narrow: &'a mut NarrowStreams<'b>,
    pub(super) rule: PhantomData<R>,
}

/// The numbers of a slot. A register of them that lies across two cache lines is slow to be read after it was written.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row([f32; BLOCK]);

/// Of a slot, what the update of one block reads and writes. A slot that is not narrow has nothing but its own numbers.
#[derive(Default)]
struct SlotBlock<'a> {
    row: &'a mut [f32],
    codes: &'a [u8],
    exponent: u32,
    row_before: &'a [f32],
    codes_before: &'a mut [u8],
    exponent_before: u32,
}

impl<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool> Vectorized
    for BytesLoop<'_, '_, R, K, N, DECAY>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tier, numbers, narrow: streams, .. } = self;
        let (mut counters, long) = (streams.counters, streams.streams.is_long());
        let (p, g, mut exact, mut codes, of_blocks) = streams.bytes::<N>(const { narrow(&R::SLOTS) });
        let n = p.len();
        let [mut one, mut other] = [[Row([0.0; BLOCK]); N]; 2];
        let (mut rows, mut rows_before, mut exponents) = (&mut one, &mut other, [0; N]);
        let (mut last, mut nowhere) = (Last::<N>::NONE, [[0; BLOCK]; N]);
        for at in (0..n).step_by(BLOCK) {
            // The last block may be shorter: then it has no `first_chunk` below, and `last` stands in for it.
            let (block, is_short) = (at / BLOCK, n - at < BLOCK);
            if is_short {
                last.fill::<R, K>(&p[at..], &g[at..], at, &exact, &codes, rows);
            }
            if long {
                ask(p, at + AHEAD, BLOCK);
                ask(g, at + AHEAD, BLOCK);
            }
            let mut slots: [SlotBlock<'_>; MAX_STATE] = Default::default();
            let rooms = rows.iter_mut().zip(rows_before.iter()).zip(&mut nowhere);
            let own = exact.iter_mut().zip(&mut codes);
            for (k, ((slot, ((row, row_before), nowhere)), (numbers, codes))) in
                slots.iter_mut().zip(rooms).zip(own).enumerate()
            {
                if long {
                    ask(numbers, at + AHEAD, BLOCK);
                    ask(codes, at + AHEAD, BLOCK);
                }
                if is_narrow::<R, K, N>(k) {
                    let (before, from) = codes.split_at_mut(at);
                    *slot = SlotBlock {
                        row: &mut row.0,
                        codes: from.first_chunk().unwrap_or(&last.codes[k]),
                        // Hidden from LLVM: of what is known to be a byte it makes sums of 64 bits.
                        exponent: black_box(of_blocks[k][block].into()),
                        row_before: &row_before.0,
                        codes_before: before.last_chunk_mut().unwrap_or(nowhere),
                        exponent_before: exponents[k],
                    };
                } else {
                    slot.row = numbers[at..].first_chunk_mut().unwrap_or(&mut row.0);
                }
            }
            let to = p[at..].first_chunk_mut().unwrap_or(&mut last.p);
            let from = g[at..].first_chunk().unwrap_or(&last.g);
            let mut tops = update_block::<R, K, N, DECAY>(numbers, counters, to, from, slots);
            if is_short {
                last.empty::<R, K>(&mut p[at..], at, &mut exact, rows, &mut tops);
            }
            for k in 0..N {
                if is_narrow::<R, K, N>(k) {
                    exponents[k] = float8::exponent(is_signed::<R, K, N>(k), tops[k], &mut rows[k].0);
                    of_blocks[k][block] = exponents[k] as u8;
                }
            }
            if at > 0 {
                // At the first block there is none before it: the counters are still its own.
                counters = counters.map(|counter| noise::moved(counter, BLOCK));
            }
            std::mem::swap(&mut rows, &mut rows_before);
        }
        let last_block = n.saturating_sub(1) / BLOCK * BLOCK;
        for (k, (codes, row)) in codes.into_iter().zip(rows_before).enumerate() {
            if n > 0 && is_narrow::<R, K, N>(k) {
                let rounding = Rounding::Random { counter: counters[k / 2], first: k % 2 == 0 };
                let (signed, exponent) = (is_signed::<R, K, N>(k), exponents[k]);
                let codes = &mut codes[last_block..];
                apart(tier, EncodeLast { signed, rounding, exponent, row: &row.0, codes });
            }
        }
    }
}

/// The last elements of a tensor, with zeros behind them up to a whole block.
struct Last<const N: usize> {
    p: [f32; BLOCK],
    g: [f32; BLOCK],
    codes: [[u8; BLOCK]; N],
}

impl<const N: usize> Last<N> {
    const NONE: Self = Self { p: [0.0; BLOCK], g: [0.0; BLOCK], codes: [[0; BLOCK]; N] };

    /// Brings them here, and into the rows what slots have that are not narrow.
    #[cold]
    fn fill<R: Rule<K, N>, const K: usize>(
        &mut self,
        p: &[f32],
        g: &[f32],
        at: usize,
        exact: &[&mut [f32]; N],
        codes: &[&mut [u8]; N],
        rows: &mut [Row; N],
    ) {
        self.p[..p.len()].copy_from_slice(p);
        self.g[..p.len()].copy_from_slice(g);
        for k in 0..N {
            if is_narrow::<R, K, N>(k) {
                self.codes[k][..p.len()].copy_from_slice(&codes[k][at..]);
            } else {
                rows[k].0[..p.len()].copy_from_slice(&exact[k][at..]);
            }
        }
    }

    /// Brings back what was updated. What has become of the zeros does not count for their block.
    #[cold]
    fn empty<R: Rule<K, N>, const K: usize>(
        &self,
        p: &mut [f32],
        at: usize,
        exact: &mut [&mut [f32]; N],
        rows: &mut [Row; N],
        tops: &mut [u32; N],
    ) {
        p.copy_from_slice(&self.p[..p.len()]);
        for (k, row) in rows.iter_mut().enumerate() {
            if is_narrow::<R, K, N>(k) {
                row.0[p.len()..].fill(0.0);
                tops[k] = float8::top(is_signed::<R, K, N>(k), &row.0);
            } else {
                exact[k][at..].copy_from_slice(&row.0[..p.len()]);
            }
        }
    }
}

/// Runs what is no part of the loop, so that there is one of it for all rules.
#[inline(never)]
fn apart(tier: Tier, work: impl Vectorized<Output = ()>) {
    tier.run(work);
}

/// Encodes the row of the last block, which may be shorter.
struct EncodeLast<'a> {
    signed: bool,
    rounding: Rounding,
    exponent: u32,
    row: &'a [f32; BLOCK],
    codes: &'a mut [u8],
}

impl Vectorized for EncodeLast<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { signed, rounding, exponent, row, codes } = self;
        float8::write(signed, rounding, exponent, row, codes);
    }
}

/// The loop, with parameters for each state slot that a rule may have: so LLVM knows that no slice aliases another.
macro_rules! blocks { ($($k:literal $row:ident $codes:ident $exponent:ident
    $row_before:ident $codes_before:ident $exponent_before:ident),*) => {
    const _: () = assert!([$($k),*].len() == MAX_STATE);

    /// Updates a block, and encodes the one before it, whose counters these are. Gives the largest height of each slot
    /// that is narrow.
    #[inline(always)]
    fn update_block<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool>(
        numbers: &Numbers<f32>,
        counters: [u32; PAIRS],
        p: &mut [f32; BLOCK],
        g: &[f32; BLOCK],
        slots: [SlotBlock<'_>; MAX_STATE],
    ) -> [u32; N] {
        #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
        #[inline(always)]
        fn each<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool>(
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
            // Each by itself: several lengths that are compared at once go through memory.
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
                    element::<f32, R, K, N, true, DECAY>(factors, constants, p[i], g[i], state);
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
        let [$(SlotBlock {
            row: $row, codes: $codes, exponent: $exponent,
            row_before: $row_before, codes_before: $codes_before, exponent_before: $exponent_before,
        }),*] = slots;
        let constants = std::array::from_fn(|k| numbers.constants[k]);
        each::<R, K, N, DECAY>(
            numbers.factors, constants, counters, p, g,
            $($row, $codes, $exponent, $row_before, $codes_before, $exponent_before),*
        )
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
