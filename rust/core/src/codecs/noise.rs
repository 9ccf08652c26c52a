//! The random bits of an element: a hash of seed, update, tensor and element, never a stream. So they are the same at
//! any number of threads and on every tier.

use crate::rule::MAX_STATE;

/// The slots of a rule share the bits of an element two by two.
pub const PAIRS: usize = MAX_STATE.div_ceil(2);

/// By how much the counter of an element differs from that of the one before.
pub const WEYL: u32 = 0x9E37_79B9;

/// What the random bits of an update depend on, besides tensor and element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    pub seed: u64,
    /// The number of the update.
    pub t: u64,
}

impl Noise {
    /// The counters of a tensor's first element, one for each pair of slots. The finalizer is that of splitmix64.
    pub fn counters(self, tensor: usize) -> [u32; PAIRS] {
        std::array::from_fn(|pair| {
            let z = self.seed
                ^ self.t.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                ^ (tensor as u64).wrapping_mul(0xD1B5_4A32_D192_ED03)
                ^ (pair as u64).wrapping_mul(0xA076_1D64_78BD_642F);
            let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)) as u32
        })
    }
}

/// The counter of an element that is so many behind.
#[inline(always)]
pub fn moved(counter: u32, by: usize) -> u32 {
    counter.wrapping_add((by as u32).wrapping_mul(WEYL))
}

/// The bits of a counter: for two slots, of which the first takes the lower ones, and the second the upper ones.
#[inline(always)]
pub fn bits(counter: u32) -> u32 {
    let x = (counter ^ (counter >> 13)).wrapping_mul(0x21F0_AAAD);
    x ^ (x >> 15)
}
