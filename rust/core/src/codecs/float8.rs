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

/// By what numbers are rounded.
#[derive(Clone, Copy, Debug)]
pub enum Rounding {
    /// To nearest, halves up.
    Nearest,
    /// By the random bits of the counter of the first element: the first 20 of 32, or the last.
    Random { counter: u32, first: bool },
}

/// Reads blocks, the last of which may be shorter, into as many numbers as there are codes.
pub fn decode(tier: Tier, narrowing: Narrowing, codes: &[u8], exponents: &[u8], values: &mut [f32]) {
    tier.run(Decode { narrowing, codes, exponents, values });
}

/// Writes blocks, the last of which may be shorter. NaNs become alike, and so do signs where there is no code for them.
pub fn encode(
    tier: Tier,
    narrowing: Narrowing,
    values: &mut [f32],
    rounding: Rounding,
    codes: &mut [u8],
    exponents: &mut [u8],
) {
    tier.run(Encode { narrowing, values, rounding, codes, exponents });
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
        if narrowing == Narrowing::Unsigned {
            decode_all::<false>(codes, exponents, values);
        } else {
            decode_all::<true>(codes, exponents, values);
        }
    }
}

#[inline(always)]
fn decode_all<const SIGNED: bool>(codes: &[u8], exponents: &[u8], values: &mut [f32]) {
    let (whole, rest) = codes.as_chunks::<BLOCK>();
    let (values, rest_of_values) = values.as_chunks_mut::<BLOCK>();
    for ((codes, &exponent), values) in whole.iter().zip(exponents).zip(values) {
        decode_block::<SIGNED>(codes, exponent, values);
    }
    if !rest.is_empty() {
        let (mut padded, mut block) = ([0; BLOCK], [0.0; BLOCK]);
        padded[..rest.len()].copy_from_slice(rest);
        decode_block::<SIGNED>(&padded, exponents[whole.len()], &mut block);
        rest_of_values.copy_from_slice(&block[..rest.len()]);
    }
}

#[inline(always)]
fn decode_block<const SIGNED: bool>(codes: &[u8; BLOCK], exponent: u8, values: &mut [f32; BLOCK]) {
    let base = u32::from(exponent) << 23;
    let offset = f32::from_bits(base);
    for (value, &code) in values.iter_mut().zip(codes) {
        *value = if SIGNED {
            let code = i32::from(code as i8) as u32;
            let magnitude = f32::from_bits(((code << 20) & 0x07F0_0000).wrapping_add(base)) - offset;
            f32::from_bits(magnitude.to_bits() | (code & SIGN))
        } else {
            f32::from_bits((u32::from(code) << 20).wrapping_add(base))
        };
    }
}

pub(crate) struct Encode<'a> {
    pub(crate) narrowing: Narrowing,
    pub(crate) values: &'a mut [f32],
    pub(crate) rounding: Rounding,
    pub(crate) codes: &'a mut [u8],
    pub(crate) exponents: &'a mut [u8],
}

impl Vectorized for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { narrowing, values, rounding, codes, exponents } = self;
        match (narrowing == Narrowing::Unsigned, rounding) {
            (true, Rounding::Nearest) => encode_all::<false, false>(values, 0, 0, codes, exponents),
            (false, Rounding::Nearest) => encode_all::<true, false>(values, 0, 0, codes, exponents),
            (true, Rounding::Random { counter, first }) => {
                encode_all::<false, true>(values, counter, if first { 0 } else { 12 }, codes, exponents);
            }
            (false, Rounding::Random { counter, first }) => {
                encode_all::<true, true>(values, counter, if first { 0 } else { 12 }, codes, exponents);
            }
        }
    }
}

#[inline(always)]
fn encode_all<const SIGNED: bool, const RANDOM: bool>(
    values: &mut [f32],
    mut counter: u32,
    shift: u32,
    codes: &mut [u8],
    exponents: &mut [u8],
) {
    let (values, rest) = values.as_chunks_mut::<BLOCK>();
    let (whole, rest_of_codes) = codes.as_chunks_mut::<BLOCK>();
    let mut exponents = exponents.iter_mut();
    for ((values, codes), exponent) in values.iter_mut().zip(whole).zip(&mut exponents) {
        *exponent = encode_block::<SIGNED, RANDOM>(values, counter, shift, codes);
        counter = counter.wrapping_add(WEYL.wrapping_mul(BLOCK as u32));
    }
    if let Some(exponent) = exponents.next() {
        let (mut padded, mut block) = ([0.0; BLOCK], [0; BLOCK]);
        padded[..rest.len()].copy_from_slice(rest);
        *exponent = encode_block::<SIGNED, RANDOM>(&mut padded, counter, shift, &mut block);
        rest_of_codes.copy_from_slice(&block[..rest.len()]);
    }
}

/// Gives the exponent.
#[inline(always)]
fn encode_block<const SIGNED: bool, const RANDOM: bool>(
    values: &mut [f32; BLOCK],
    mut counter: u32,
    shift: u32,
    codes: &mut [u8; BLOCK],
) -> u8 {
    let mask = if SIGNED { MAGNITUDE } else { u32::MAX };
    // A maximum of integers, which LLVM may take in any order.
    let mut top = values.iter().fold(0, |top, value| top.max(value.to_bits() & mask));
    if top >= INFINITY {
        top = canonical(values, SIGNED);
    }
    let (room, octaves, least) = if SIGNED { (0x10_0200, 15, 1) } else { (0x10_0000, 31, 0) };
    let exponent = ((top + room) >> 23).min(255).saturating_sub(octaves).max(least);
    let base = exponent << 23;
    let negative_base = base.wrapping_neg();
    for (code, value) in codes.iter_mut().zip(&*values) {
        let random = if RANDOM { (bits(counter) >> shift) & 0xF_FFFF } else { 0x8_0000 };
        counter = counter.wrapping_add(WEYL);
        let value = value.to_bits();
        *code = if SIGNED {
            let moved = f32::from_bits(value) + f32::from_bits(base | (value & SIGN));
            let rounded = moved.to_bits().wrapping_add(random | negative_base);
            (((rounded >> 20) & 0x7F) | ((value >> 24) & 0x80)) as u8
        } else {
            (value.max(base).wrapping_add(random | negative_base) >> 20) as u8
        };
    }
    exponent as u8
}

/// Makes all NaNs alike, and takes signs away where there is no code for them. Returns the largest bits anew.
#[cold]
#[inline(never)]
fn canonical(values: &mut [f32; BLOCK], signed: bool) -> u32 {
    let mut top = 0;
    for value in values {
        let sign = if signed { value.to_bits() & SIGN } else { 0 };
        let magnitude = if value.is_nan() { QUIET_NAN } else { value.to_bits() & MAGNITUDE };
        *value = f32::from_bits(sign | magnitude);
        top = top.max(magnitude);
    }
    top
}
