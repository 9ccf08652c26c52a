//! The loop over elements whose state is in bytes: a block of it is decoded, updated and encoded at a time, so that the
//! divisions of one block and the encoding of the one before are under way together.

use super::streams::update;
use crate::codecs::float8::{self, BLOCK, Rounding};
use crate::codecs::noise::{self, PAIRS};
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Kept, NarrowStreams};
use crate::numbers::Numbers;
use crate::rule::{Narrowing, Rule, Slot};
use std::marker::PhantomData;

/// `DECAY`: whether decay enters the gradient.
pub(super) struct BytesLoop<'a, 'b, R, const K: usize, const N: usize, const DECAY: bool> {
    pub(super) tier: Tier,
    pub(super) numbers: &'a Numbers<f32>,
    pub(super) narrow: &'a mut NarrowStreams<'b>,
    pub(super) rule: PhantomData<R>,
}

impl<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool> Vectorized
    for BytesLoop<'_, '_, R, K, N, DECAY>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let counters = self.narrow.counters;
        let (p, g, kept) = self.narrow.kept::<N>();
        update_blocks::<R, K, N, DECAY>(self.tier, self.numbers, counters, p, g, kept);
    }
}

/// Whether it may be below 0.
fn is_signed(slot: &Slot) -> bool {
    slot.narrowing != Narrowing::Unsigned
}

/// The numbers of a slot. A register of them that lies across two cache lines is slow to be read after it was written.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Row([f32; BLOCK]);

#[inline(always)]
fn update_blocks<R: Rule<K, N>, const K: usize, const N: usize, const DECAY: bool>(
    tier: Tier,
    numbers: &Numbers<f32>,
    mut counters: [u32; PAIRS],
    p: &mut [f32],
    g: &[f32],
    mut kept: [Kept<'_>; N],
) {
    let n = p.len();
    assert!(g.len() == n);
    let mut rows = [Row([0.0; BLOCK]); N];
    for block in 0..n.div_ceil(BLOCK) {
        let at = block * BLOCK;
        let len = BLOCK.min(n - at);
        for (k, (kept, row)) in kept.iter().zip(&mut rows).enumerate() {
            Read { signed: is_signed(&R::SLOTS[k]), kept, block, row }.run();
        }
        let state = rows.each_mut().map(|row| &mut row.0[..len]);
        update::<f32, R, K, N, true, DECAY>(numbers, &mut p[at..at + len], &g[at..at + len], state);
        if len < BLOCK {
            for row in &mut rows {
                row.0[len..].fill(0.0);
            }
        }
        for (pair, (kept, rows)) in kept.chunks_mut(2).zip(rows.chunks_mut(2)).enumerate() {
            let (slots, counter) = (&R::SLOTS[2 * pair..], counters[pair]);
            if let ([Kept::Bytes(..), Kept::Bytes(..)], [a, b]) = (&*kept, &mut *rows)
                && let [one, other] = kept
            {
                let signed = [is_signed(&slots[0]), is_signed(&slots[1])];
                apart(tier, WritePair { signed, kept: [one, other], block, rows: [a, b], counter });
                continue;
            }
            for (i, (kept, row)) in kept.iter_mut().zip(rows).enumerate() {
                let signed = is_signed(&slots[i]);
                apart(tier, Write { signed, kept, block, row, counter, first: i == 0 });
            }
        }
        counters = counters.map(|counter| counter.wrapping_add(noise::WEYL.wrapping_mul(BLOCK as u32)));
    }
}

/// Runs what is no part of the loop, so that there is one of it for all rules: it is most of the code.
#[inline(never)]
fn apart(tier: Tier, work: impl Vectorized<Output = ()>) {
    tier.run(work);
}

/// Brings a block of a slot into its row.
struct Read<'a, 'b> {
    signed: bool,
    kept: &'a Kept<'b>,
    block: usize,
    row: &'a mut Row,
}

impl Vectorized for Read<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { signed, kept, block, row } = self;
        let at = block * BLOCK;
        match kept {
            Kept::Bytes(codes, exponents) => {
                let codes = &codes[at..];
                if let Some(codes) = codes.first_chunk() {
                    float8::read(signed, codes, exponents[block], &mut row.0);
                } else {
                    let mut whole = [0; BLOCK];
                    whole[..codes.len()].copy_from_slice(codes);
                    float8::read(signed, &whole, exponents[block], &mut row.0);
                }
            }
            Kept::Whole(own) => {
                let own = &own[at..];
                let len = BLOCK.min(own.len());
                row.0[..len].copy_from_slice(&own[..len]);
            }
            Kept::Halves(_) => unreachable!("in blocks"),
        }
    }
}

/// Puts the row of a slot back, whose random bits are the `first` ones of its pair.
struct Write<'a, 'b> {
    signed: bool,
    kept: &'a mut Kept<'b>,
    block: usize,
    row: &'a mut Row,
    counter: u32,
    first: bool,
}

impl Vectorized for Write<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { signed, kept, block, row, counter, first } = self;
        let at = block * BLOCK;
        match kept {
            Kept::Bytes(codes, exponents) => {
                let rounding = Rounding::Random { counter, first };
                let codes = &mut codes[at..];
                if let Some(codes) = codes.first_chunk_mut() {
                    exponents[block] = float8::write(signed, rounding, &mut row.0, codes);
                } else {
                    let mut whole = [0; BLOCK];
                    exponents[block] = float8::write(signed, rounding, &mut row.0, &mut whole);
                    codes.copy_from_slice(&whole[..codes.len()]);
                }
            }
            Kept::Whole(own) => {
                let own = &mut own[at..];
                let len = BLOCK.min(own.len());
                own[..len].copy_from_slice(&row.0[..len]);
            }
            Kept::Halves(_) => unreachable!("in blocks"),
        }
    }
}

/// Puts the rows of two slots back by the same random bits, which are made once.
struct WritePair<'a, 'b> {
    signed: [bool; 2],
    kept: [&'a mut Kept<'b>; 2],
    block: usize,
    rows: [&'a mut Row; 2],
    counter: u32,
}

impl Vectorized for WritePair<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { signed, kept, block, rows: [a, b], counter } = self;
        let [Kept::Bytes(first, of_first), Kept::Bytes(second, of_second)] = kept else {
            unreachable!("both are narrow")
        };
        let at = block * BLOCK;
        let (values, first, second) = ([&mut a.0, &mut b.0], &mut first[at..], &mut second[at..]);
        let exponents =
            if let (Some(first), Some(second)) = (first.first_chunk_mut(), second.first_chunk_mut()) {
                float8::write_pair(signed, values, [first, second], counter)
            } else {
                let [mut a, mut b] = [[0; BLOCK]; 2];
                let exponents = float8::write_pair(signed, values, [&mut a, &mut b], counter);
                let len = first.len();
                first.copy_from_slice(&a[..len]);
                second.copy_from_slice(&b[..len]);
                exponents
            };
        [of_first[block], of_second[block]] = exponents;
    }
}
