//! Floats of 8 bits in blocks that share an exponent: a code is a part of the bits of a float32, seen from the lowest
//! exponent of its block, so that to read and to write one is integer arithmetic.
//!
//! With E for the exponent of the block and r for 20 random bits, in wrapping arithmetic of 32 bits:
//!   not negative, 5 bits of exponent and 3 of mantissa:
//!     E = max(((top + 2²⁰) >> 23, at most 255) − 31, 0), where top is the largest value's bits
//!     code = (max(bits(x), E·2²³) + (r | −E·2²³)) >> 20;  x = float((code << 20) + E·2²³)
//!   signed, a sign and 4 + 3 bits of |x| + 2^(E−127), so that 0 is exact and its neighbours lie on a line:
//!     E = max(((top + 2²⁰ + 2⁹) >> 23, at most 255) − 15, 1), of the magnitudes
//!     code = sign | (bits(|x| + 2^(E−127)) + (r | −E·2²³)) >> 20
//! The largest value is a code below the top of the range, so that nothing has to be held inside when it is rounded up. A
//! value below the range of its block stays at the lowest, which is above 0, or is rounded at random to 0 if it has a sign.
//! All zeros is the block of zeros.

use super::noise::{WEYL, bits};
use crate::machine::simd::{Tier, Vectorized};
use crate::rule::Narrowing;

/// Elements of a block.
pub const BLOCK: usize = 128;

/// Tensors of fewer elements are not kept so.
pub const LEAST: usize = 4096;

const INFINITY: u32 = 0x7F80_0000;
const QUIET_NAN: u32 = 0x7FC0_0000;
const MAGNITUDE: u32 = 0x7FFF_FFFF;
const SIGN: u32 = 0x8000_0000;

/// What is cut off a code, and half of it.
const CUT: u32 = 0xF_FFFF;
const HALF: u32 = 0x8_0000;

/// By what numbers are rounded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rounding {
    /// To nearest, halves up.
    Nearest,
    /// By the random bits of the counter of the first element: the first 20 of 32, or the last.
    Random { counter: u32, first: bool },
}

/// Reads blocks, the last of which may be shorter, into as many numbers as there are codes.
pub fn decode(tier: Tier, narrowing: Narrowing, codes: &[u8], exponents: &[u8], values: &mut [f32]) {
    tier.run(Decode { narrowing, codes, exponents, values });
}

/// Writes a block, which may be a short one, rounded to nearest, and returns its exponent. NaNs become alike, and so do signs
/// where there is no code for them.
pub fn encode(tier: Tier, narrowing: Narrowing, values: &[f32], codes: &mut [u8]) -> u8 {
    tier.run(Encode { narrowing, values, codes })
}

pub(crate) struct Decode<'a> {
    pub(crate) narrowing: Narrowing,
    pub(crate) codes: &'a [u8],
    pub(crate) exponents: &'a [u8],
    pub(crate) values: &'a mut [f32],
}

impl Vectorized for Decode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { narrowing, codes, exponents, values } = self;
        let signed = narrowing != Narrowing::Unsigned;
        let blocks = codes.chunks(BLOCK).zip(exponents).zip(values.chunks_mut(BLOCK));
        for ((codes, &exponent), values) in blocks {
            if signed {
                decode_block::<true>(codes, exponent.into(), values);
            } else {
                decode_block::<false>(codes, exponent.into(), values);
            }
        }
    }
}

struct Encode<'a> {
    narrowing: Narrowing,
    values: &'a [f32],
    codes: &'a mut [u8],
}

impl Vectorized for Encode<'_> {
    type Output = u8;

    #[inline(always)]
    fn run(self) -> u8 {
        let Self { narrowing, values, codes } = self;
        let (signed, mut block) = (narrowing != Narrowing::Unsigned, [0.0; BLOCK]);
        block[..values.len()].copy_from_slice(values);
        let exponent = exponent(signed, top(signed, &block), &mut block);
        write(signed, Rounding::Nearest, exponent, &block, codes);
        exponent as u8
    }
}

/// The number of a code in a block of that exponent.
#[inline(always)]
pub(crate) fn load(signed: bool, code: u8, exponent: u32) -> f32 {
    let base = exponent << 23;
    if signed {
        let code = i32::from(code as i8) as u32;
        let moved = f32::from_bits(((code << 20) & 0x07F0_0000).wrapping_add(base));
        let magnitude = moved - f32::from_bits(base);
        f32::from_bits(magnitude.to_bits() | (code & SIGN))
    } else {
        f32::from_bits((u32::from(code) << 20).wrapping_add(base))
    }
}

/// What the exponent of a block is the largest of.
#[inline(always)]
pub(crate) fn height(signed: bool, value: f32) -> u32 {
    if signed { value.to_bits() & MAGNITUDE } else { value.to_bits() }
}

/// The largest height in a block.
#[inline(always)]
pub(crate) fn top(signed: bool, values: &[f32; BLOCK]) -> u32 {
    let mut top = 0;
    for &value in values {
        top = height(signed, value).max(top);
    }
    top
}

/// The exponent of a block of that largest height. In one that is not finite, NaNs are made alike first, and signs are
/// taken away where there is no code for them.
#[inline(always)]
pub(crate) fn exponent(signed: bool, mut top: u32, values: &mut [f32; BLOCK]) -> u32 {
    if top >= INFINITY {
        top = canonical(values, signed);
    }
    let (room, octaves, least) = if signed { (0x10_0200, 15, 1) } else { (0x10_0000, 31, 0) };
    ((top + room) >> 23).min(255).saturating_sub(octaves).max(least)
}

/// The 20 of 32 random bits that the first of two slots rounds by, or the second.
#[inline(always)]
pub(crate) fn part(bits: u32, first: bool) -> u32 {
    if first { bits & CUT } else { bits >> 12 }
}

/// The code of a number, rounded by 20 bits.
#[inline(always)]
pub(crate) fn store(signed: bool, value: f32, exponent: u32, random: u32) -> u8 {
    let (bits, base) = (value.to_bits(), exponent << 23);
    // The sum of the two, as what the base has not the random bits have.
    let rounding = random | base.wrapping_neg();
    if signed {
        let moved = value + f32::from_bits(base | (bits & SIGN));
        (((moved.to_bits().wrapping_add(rounding) >> 20) & 0x7F) | ((bits >> 24) & 0x80)) as u8
    } else {
        (bits.max(base).wrapping_add(rounding) >> 20) as u8
    }
}

// No closures below: they do not inherit the instruction set.

#[inline(always)]
fn decode_block<const SIGNED: bool>(codes: &[u8], exponent: u32, values: &mut [f32]) {
    for (value, &code) in values.iter_mut().zip(codes) {
        *value = load(SIGNED, code, exponent);
    }
}

/// Writes a block of that exponent: as many of its numbers as there are codes.
#[inline(always)]
pub(crate) fn write(
    signed: bool,
    rounding: Rounding,
    exponent: u32,
    values: &[f32; BLOCK],
    codes: &mut [u8],
) {
    let mut short = [0; BLOCK];
    if let Some(block) = codes.first_chunk_mut() {
        write_whole(signed, rounding, exponent, values, block);
    } else {
        write_whole(signed, rounding, exponent, values, &mut short);
        codes.copy_from_slice(&short[..codes.len()]);
    }
}

#[inline(always)]
fn write_whole(
    signed: bool,
    rounding: Rounding,
    exponent: u32,
    values: &[f32; BLOCK],
    codes: &mut [u8; BLOCK],
) {
    match (signed, rounding) {
        (true, Rounding::Nearest) => encode_block::<true, NEAREST>(exponent, values, codes, 0),
        (false, Rounding::Nearest) => encode_block::<false, NEAREST>(exponent, values, codes, 0),
        (true, Rounding::Random { counter, first: true }) => {
            encode_block::<true, FIRST>(exponent, values, codes, counter);
        }
        (false, Rounding::Random { counter, first: true }) => {
            encode_block::<false, FIRST>(exponent, values, codes, counter);
        }
        (true, Rounding::Random { counter, .. }) => {
            encode_block::<true, SECOND>(exponent, values, codes, counter);
        }
        (false, Rounding::Random { counter, .. }) => {
            encode_block::<false, SECOND>(exponent, values, codes, counter);
        }
    }
}

/// What a block is rounded by.
const NEAREST: u8 = 0;
const FIRST: u8 = 1;
const SECOND: u8 = 2;

#[inline(always)]
fn encode_block<const SIGNED: bool, const BY: u8>(
    exponent: u32,
    values: &[f32; BLOCK],
    codes: &mut [u8; BLOCK],
    mut counter: u32,
) {
    for (code, &value) in codes.iter_mut().zip(values) {
        let random = if BY == NEAREST { HALF } else { part(bits(counter), BY == FIRST) };
        *code = store(SIGNED, value, exponent, random);
        counter = counter.wrapping_add(WEYL);
    }
}

/// Makes all NaNs alike, and takes signs away where there is no code for them. Returns the largest bits anew.
#[cold]
#[inline(never)]
fn canonical(values: &mut [f32; BLOCK], signed: bool) -> u32 {
    let mut top = 0;
    for value in values {
        let sign = if signed && !value.is_nan() { value.to_bits() & SIGN } else { 0 };
        let magnitude = if value.is_nan() { QUIET_NAN } else { value.to_bits() & MAGNITUDE };
        *value = f32::from_bits(sign | magnitude);
        top = top.max(magnitude);
    }
    top
}
