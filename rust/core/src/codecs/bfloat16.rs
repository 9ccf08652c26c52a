//! bfloat16: the upper half of a float32.

use crate::machine::simd::{Tier, Vectorized};

/// The bits of one, as gradients may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Bfloat16(pub u16);

#[inline(always)]
pub fn load(word: u16) -> f32 {
    f32::from_bits(u32::from(word) << 16)
}

/// Rounds up with a probability of the part that is cut off; `random` has 16 bits. A NaN must not be carried out of its
/// range, and stays what it is, as the NaNs of arithmetic are told by their upper half.
#[inline(always)]
pub fn store(x: f32, random: u32) -> u16 {
    let bits = x.to_bits();
    let bits = if x.is_nan() { bits } else { bits.wrapping_add(random) };
    (bits >> 16) as u16
}

/// Rounds to nearest, ties to even.
#[inline(always)]
pub fn nearest(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7FFF + ((bits >> 16) & 1));
    let bits = if x.is_nan() { bits | 0x0040_0000 } else { rounded };
    (bits >> 16) as u16
}

/// values ← words
pub fn decode(tier: Tier, words: &[u16], values: &mut [f32]) {
    tier.run(Decode { words, values });
}

/// words ← values, rounded to nearest
pub fn encode(tier: Tier, values: &[f32], words: &mut [u16]) {
    tier.run(Encode { values, words });
}

pub(crate) struct Decode<'a> {
    pub(crate) words: &'a [u16],
    pub(crate) values: &'a mut [f32],
}

impl Vectorized for Decode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, &word) in self.values.iter_mut().zip(self.words) {
            *value = load(word);
        }
    }
}

struct Encode<'a> {
    values: &'a [f32],
    words: &'a mut [u16],
}

impl Vectorized for Encode<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (word, &value) in self.words.iter_mut().zip(self.values) {
            *word = nearest(value);
        }
    }
}
