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
use crate::rule::{MAX_STATE, Narrowing, Rule, Slot};
use std::marker::PhantomData;

/// The numbers of a slot. A register of them that lies across two cache lines is slow to be read after it was written.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row([f32; BLOCK]);

/// A block that is to be updated, while the one before it is encoded.
pub(super) struct Block<'a, const N: usize> {
    numbers: &'a Numbers<f32>,
    p: &'a mut [f32; BLOCK],
    g: &'a [f32; BLOCK],
    slots: [SlotBlock<'a>; N],
    /// Those of the block before it.
    counters: [u32; PAIRS],
    /// The largest height of each slot that is narrow, once it has been updated.
    tops: [u32; N],
}

/// What there is of a slot. One that is not narrow has nothing but its own numbers, and whatever else there may be.
struct SlotBlock<'a> {
    row: &'a mut [f32; BLOCK],
    codes: &'a [u8; BLOCK],
    row_before: &'a [f32; BLOCK],
    codes_before: &'a mut [u8; BLOCK],
    exponent: u32,
    exponent_before: u32,
}

/// Updates a block by a rule with `N` slots.
pub(super) type Update<const N: usize> = fn(Tier, &mut Block<'_, N>);

/// Updates all blocks of a rule with such slots. It knows the rule no further, so that there is one of it for all.
#[inline(never)]
pub(super) fn update_blocks<const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    streams: &mut NarrowStreams<'_>,
    slots: &[Slot; N],
    update: Update<N>,
) {
    let is_narrow = slots.each_ref().map(|slot| slot.narrowing != Narrowing::Never);
    let is_signed = slots.each_ref().map(|slot| slot.narrowing != Narrowing::Unsigned);
    let (mut counters, long) = (streams.counters, streams.is_long());
    let (p, g, mut exact, mut codes, of_blocks) = streams.bytes::<N>(narrow(slots));
    let n = p.len();
    let [mut one, mut other] = [[Row([0.0; BLOCK]); N]; 2];
    let (mut rows, mut rows_before, mut exponents) = (&mut one, &mut other, [0; N]);
    let (mut last, mut nowhere) = (Last::NONE, [[0; BLOCK]; N]);
    for at in (0..n).step_by(BLOCK) {
        // The last block may be shorter: then it has no `first_chunk` below, and `last` stands in for it.
        let (block, is_short) = (at / BLOCK, n - at < BLOCK);
        if is_short {
            last.fill(&p[at..], &g[at..], at, &exact, &codes, rows);
        }
        if long {
            ask(p, at + AHEAD, BLOCK);
            ask(g, at + AHEAD, BLOCK);
        }
        let rooms = rows.iter_mut().zip(rows_before.iter()).zip(&mut nowhere);
        let mut own = exact.iter_mut().zip(&mut codes).zip(rooms);
        let slots = std::array::from_fn(|k| {
            let ((numbers, codes), ((row, row_before), nowhere)) = own.next().expect("one for each slot");
            if long {
                ask(numbers, at + AHEAD, BLOCK);
                ask(codes, at + AHEAD, BLOCK);
            }
            if is_narrow[k] {
                let (before, from) = codes.split_at_mut(at);
                SlotBlock {
                    row: &mut row.0,
                    codes: from.first_chunk().unwrap_or(&last.codes[k]),
                    row_before: &row_before.0,
                    codes_before: before.last_chunk_mut().unwrap_or(nowhere),
                    exponent: of_blocks[k][block].into(),
                    exponent_before: exponents[k],
                }
            } else {
                SlotBlock {
                    row: numbers[at..].first_chunk_mut().unwrap_or(&mut row.0),
                    codes: &last.codes[k],
                    row_before: &row_before.0,
                    codes_before: nowhere,
                    exponent: 0,
                    exponent_before: 0,
                }
            }
        });
        let mut work = Block {
            numbers,
            p: p[at..].first_chunk_mut().unwrap_or(&mut last.p),
            g: g[at..].first_chunk().unwrap_or(&last.g),
            slots,
            counters,
            tops: [0; N],
        };
        update(tier, &mut work);
        let mut tops = work.tops;
        if is_short {
            last.empty(&mut p[at..], at, &mut exact, rows);
        }
        for k in (0..N).filter(|&k| is_narrow[k]) {
            if is_short {
                tops[k] = tier.run(LastTop { signed: is_signed[k], len: n - at, row: &mut rows[k].0 });
            }
            exponents[k] = float8::exponent(is_signed[k], tops[k], &mut rows[k].0);
            of_blocks[k][block] = exponents[k] as u8;
        }
        if at > 0 {
            // At the first block there is none before it: the counters are still its own.
            counters = counters.map(|counter| noise::moved(counter, BLOCK));
        }
        std::mem::swap(&mut rows, &mut rows_before);
    }
    let last_block = n.saturating_sub(1) / BLOCK * BLOCK;
    for (k, (codes, row)) in codes.into_iter().zip(rows_before).enumerate() {
        if n > 0 && is_narrow[k] {
            let rounding = Rounding::Random { counter: counters[k / 2], first: k % 2 == 0 };
            let (signed, exponent) = (is_signed[k], exponents[k]);
            tier.run(EncodeLast { signed, rounding, exponent, row: &row.0, codes: &mut codes[last_block..] });
        }
    }
}

/// The last elements of a tensor, with zeros behind them up to a whole block. Slots that are not narrow have numbers, the
/// others codes.
struct Last {
    p: [f32; BLOCK],
    g: [f32; BLOCK],
    codes: [[u8; BLOCK]; MAX_STATE],
}

impl Last {
    const NONE: Self = Self { p: [0.0; BLOCK], g: [0.0; BLOCK], codes: [[0; BLOCK]; MAX_STATE] };

    /// Brings them here, and numbers of slots into the rows.
    #[cold]
    #[inline(never)]
    fn fill(
        &mut self,
        p: &[f32],
        g: &[f32],
        at: usize,
        exact: &[&mut [f32]],
        codes: &[&mut [u8]],
        rows: &mut [Row],
    ) {
        self.p[..p.len()].copy_from_slice(p);
        self.g[..p.len()].copy_from_slice(g);
        for (last, codes) in self.codes.iter_mut().zip(codes).filter(|(_, codes)| !codes.is_empty()) {
            last[..p.len()].copy_from_slice(&codes[at..]);
        }
        for (row, exact) in rows.iter_mut().zip(exact).filter(|(_, exact)| !exact.is_empty()) {
            row.0[..p.len()].copy_from_slice(&exact[at..]);
        }
    }

    /// Brings back what was updated, but what is to be encoded.
    #[cold]
    #[inline(never)]
    fn empty(&self, p: &mut [f32], at: usize, exact: &mut [&mut [f32]], rows: &[Row]) {
        p.copy_from_slice(&self.p[..p.len()]);
        for (row, exact) in rows.iter().zip(exact).filter(|(_, exact)| !exact.is_empty()) {
            exact[at..].copy_from_slice(&row.0[..p.len()]);
        }
    }
}

/// The largest height in a row of so many elements. What has become of the zeros behind them does not count.
struct LastTop<'a> {
    signed: bool,
    len: usize,
    row: &'a mut [f32; BLOCK],
}

impl Vectorized for LastTop<'_> {
    type Output = u32;

    #[inline(always)]
    fn run(self) -> u32 {
        let Self { signed, len, row } = self;
        row[len..].fill(0.0);
        float8::top(signed, row)
    }
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

/// The loop over a block. `FACTORS`: whether they are multiplied by; `DECAY`: whether decay enters the gradient.
struct BlockLoop<'a, 'b, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
    &'a mut Block<'b, N>,
    PhantomData<R>,
);

/// Runs it.
pub(super) fn update_block<R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
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
