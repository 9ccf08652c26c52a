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
pub enum Rounding {
    /// To nearest, halves up.
    Nearest,
    /// By the random bits of the counter of the first element: the first 20 of 32, or the last.
    Random { counter: u32, first: bool },
}

impl Rounding {
    /// That of the elements that are so many behind.
    fn moved(self, by: usize) -> Self {
        match self {
            Self::Nearest => self,
            Self::Random { counter, first } => {
                Self::Random { counter: counter.wrapping_add((by as u32).wrapping_mul(WEYL)), first }
            }
        }
    }
}

/// Reads blocks, the last of which may be shorter, into as many numbers as there are codes.
pub fn decode(tier: Tier, narrowing: Narrowing, codes: &[u8], exponents: &[u8], values: &mut [f32]) {
    tier.run(Decode { narrowing, codes, exponents, values });
}

/// Writes blocks, the last of which may be shorter. NaNs become alike, and so do signs where there is no code for them.
pub fn encode(
    tier: Tier,
    narrowing: Narrowing,
    values: &[f32],
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
        let signed = narrowing != Narrowing::Unsigned;
        let blocks = codes.chunks(BLOCK).zip(exponents).zip(values.chunks_mut(BLOCK));
        for ((codes, &exponent), values) in blocks {
            let (mut of_block, mut block) = ([0; BLOCK], [0.0; BLOCK]);
            of_block[..codes.len()].copy_from_slice(codes);
            read(signed, &of_block, exponent, &mut block);
            values.copy_from_slice(&block[..codes.len()]);
        }
    }
}

struct Encode<'a> {
    narrowing: Narrowing,
    values: &'a [f32],
    rounding: Rounding,
    codes: &'a mut [u8],
    exponents: &'a mut [u8],
}

impl Vectorized for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { narrowing, values, rounding, codes, exponents } = self;
        let signed = narrowing != Narrowing::Unsigned;
        let blocks = values.chunks(BLOCK).zip(codes.chunks_mut(BLOCK)).zip(exponents);
        for (i, ((values, codes), exponent)) in blocks.enumerate() {
            let (mut of_block, mut block) = ([0; BLOCK], [0.0; BLOCK]);
            block[..values.len()].copy_from_slice(values);
            *exponent = write(signed, rounding.moved(i * BLOCK), &mut block, &mut of_block);
            codes.copy_from_slice(&of_block[..values.len()]);
        }
    }
}

/// Reads a block.
#[inline(always)]
pub(crate) fn read(signed: bool, codes: &[u8; BLOCK], exponent: u8, values: &mut [f32; BLOCK]) {
    if signed {
        decode_block::<true>(codes, exponent, values);
    } else {
        decode_block::<false>(codes, exponent, values);
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

/// What the random bits of an element are to a slot.
const NEAREST: u8 = 0;
const FIRST: u8 = 1;
const SECOND: u8 = 2;

#[inline(always)]
fn random<const FOR: u8>(counter: u32) -> u32 {
    match FOR {
        NEAREST => HALF,
        FIRST => bits(counter) & CUT,
        _ => bits(counter) >> 12,
    }
}

// No closures below: they do not inherit the instruction set.

/// Writes a block. Gives its exponent.
#[inline(always)]
pub(crate) fn write(
    signed: bool,
    rounding: Rounding,
    values: &mut [f32; BLOCK],
    codes: &mut [u8; BLOCK],
) -> u8 {
    match (signed, rounding) {
        (true, Rounding::Nearest) => encode_block::<true, NEAREST>(values, codes, 0),
        (false, Rounding::Nearest) => encode_block::<false, NEAREST>(values, codes, 0),
        (true, Rounding::Random { counter, first: true }) => {
            encode_block::<true, FIRST>(values, codes, counter)
        }
        (false, Rounding::Random { counter, first: true }) => {
            encode_block::<false, FIRST>(values, codes, counter)
        }
        (true, Rounding::Random { counter, .. }) => encode_block::<true, SECOND>(values, codes, counter),
        (false, Rounding::Random { counter, .. }) => encode_block::<false, SECOND>(values, codes, counter),
    }
}

/// Writes two blocks by the same random bits, which are made once. Gives their exponents.
#[inline(always)]
pub(crate) fn write_pair(
    signed: [bool; 2],
    values: [&mut [f32; BLOCK]; 2],
    codes: [&mut [u8; BLOCK]; 2],
    counter: u32,
) -> [u8; 2] {
    match signed {
        [true, true] => encode_two::<true, true>(values, codes, counter),
        [true, false] => encode_two::<true, false>(values, codes, counter),
        [false, true] => encode_two::<false, true>(values, codes, counter),
        [false, false] => encode_two::<false, false>(values, codes, counter),
    }
}

/// Gives the exponent.
#[inline(always)]
fn encode_block<const SIGNED: bool, const FOR: u8>(
    values: &mut [f32; BLOCK],
    codes: &mut [u8; BLOCK],
    mut counter: u32,
) -> u8 {
    let exponent = exponent::<SIGNED>(values);
    for (to, &value) in codes.iter_mut().zip(&*values) {
        *to = code::<SIGNED>(value, exponent, random::<FOR>(counter));
        counter = counter.wrapping_add(WEYL);
    }
    exponent as u8
}

/// Gives the exponents.
#[inline(always)]
fn encode_two<const A: bool, const B: bool>(
    [a, b]: [&mut [f32; BLOCK]; 2],
    [codes_a, codes_b]: [&mut [u8; BLOCK]; 2],
    mut counter: u32,
) -> [u8; 2] {
    let (exponent_a, exponent_b) = (exponent::<A>(a), exponent::<B>(b));
    for i in 0..BLOCK {
        let bits = bits(counter);
        counter = counter.wrapping_add(WEYL);
        codes_a[i] = code::<A>(a[i], exponent_a, bits & CUT);
        codes_b[i] = code::<B>(b[i], exponent_b, bits >> 12);
    }
    [exponent_a as u8, exponent_b as u8]
}

/// The exponent of a block.
#[inline(always)]
fn exponent<const SIGNED: bool>(values: &mut [f32; BLOCK]) -> u32 {
    let mask = if SIGNED { MAGNITUDE } else { u32::MAX };
    // A maximum of integers, which LLVM may take in any order.
    let mut top = 0;
    for value in &*values {
        top = top.max(value.to_bits() & mask);
    }
    if top >= INFINITY {
        top = canonical(values, SIGNED);
    }
    let (room, octaves, least) = if SIGNED { (0x10_0200, 15, 1) } else { (0x10_0000, 31, 0) };
    ((top + room) >> 23).min(255).saturating_sub(octaves).max(least)
}

/// The code of a number, rounded by 20 bits.
#[inline(always)]
fn code<const SIGNED: bool>(value: f32, exponent: u32, random: u32) -> u8 {
    let (bits, base) = (value.to_bits(), exponent << 23);
    // The sum of the two, as what the base has not the random bits have.
    let rounding = random | base.wrapping_neg();
    if SIGNED {
        let moved = value + f32::from_bits(base | (bits & SIGN));
        (((moved.to_bits().wrapping_add(rounding) >> 20) & 0x7F) | ((bits >> 24) & 0x80)) as u8
    } else {
        (bits.max(base).wrapping_add(rounding) >> 20) as u8
    }
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
