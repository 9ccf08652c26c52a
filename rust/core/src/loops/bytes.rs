//! The way through state in bytes, a block after the other; it knows of a rule its slots and its [`Update`] only, so that
//! there is one of it for all.

use super::block::{Block, SlotBlock, Update};
use crate::codecs::float8::{self, BLOCK, Rounding};
use crate::codecs::narrow;
use crate::codecs::noise;
use crate::machine::prefetch::{AHEAD, ask};
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::NarrowStreams;
use crate::numbers::Numbers;
use crate::rule::{MAX_STATE, Narrowing, Slot};

/// The numbers of a slot. A register of them that lies across two cache lines is slow to be read after it was written.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row([f32; BLOCK]);

/// Updates all blocks by a rule with such slots.
#[inline(never)]
pub(super) fn update_blocks<const N: usize>(
    tier: Tier,
    numbers: &Numbers<f32>,
    streams: &mut NarrowStreams<'_>,
    slots: &[Slot; N],
    update: Update<N>,
) {
    let is_narrow = slots.map(|slot| slot.narrowing != Narrowing::Never);
    let is_signed = slots.map(Slot::is_signed);
    let (mut counters, long) = (streams.counters, streams.arrays.is_long());
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
