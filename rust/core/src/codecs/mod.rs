//! State in fewer bits than it is computed with: the formats, and the random bits that they round by.
//!
//! # Rationale
//! A step on a large model takes as long as memory takes to move it, so state of half or a quarter of the bytes is
//! faster. It is rounded up or down at random, such that its mean is exact: rounded to nearest, a second moment could not
//! decay, since each step changes it by less than half of what two codes differ by.

pub mod bfloat16;
pub mod float16;
pub mod float8;
pub mod noise;

use crate::rule::{Narrowing, Slot};

/// How the slots of a tensor are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Format {
    /// In the dtype of the parameter.
    #[default]
    Whole,
    /// The upper half of a float32.
    Bfloat16,
    /// A byte for each element, and an exponent for each block.
    Float8,
}

impl Format {
    /// By which the slots of a parameter with so many elements are kept: small ones are not worth it in bytes.
    pub fn of(self, len: usize) -> Self {
        if self == Self::Float8 && len < float8::LEAST { Self::Whole } else { self }
    }
}

/// The slots that are kept narrow, where any are: a bit for each.
pub const fn narrow(slots: &[Slot]) -> u8 {
    let (mut mask, mut k) = (0, 0);
    while k < slots.len() {
        if !matches!(slots[k].narrowing, Narrowing::Never) {
            mask |= 1 << k;
        }
        k += 1;
    }
    mask
}
