//! The dtypes that gradients come in and those that are computed in, each with its part of the scratch memory.

use crate::codecs::bfloat16::{self, Bfloat16};
use crate::codecs::float16::Float16;
use crate::floats::Float;
use crate::machine::simd::Tier;
use crate::machine::tiles::Turn;
use crate::memory::{Stored, Values};
use crate::scratch::Memory;

/// A dtype that is computed in, with its part of the scratch memory.
pub(crate) trait Staged: Float + Stored + Turn + Fetched {
    fn of(memory: &mut Memory) -> &mut [Self];

    /// Puts the numbers into bfloat16, rounded to nearest. Only float32 has such copies.
    fn narrowed(tier: Tier, numbers: &[Self], words: &mut [u16]);
}

impl Staged for f32 {
    fn of(memory: &mut Memory) -> &mut [Self] {
        memory.single.all()
    }

    fn narrowed(tier: Tier, numbers: &[Self], words: &mut [u16]) {
        bfloat16::encode(tier, numbers, words);
    }
}

impl Staged for f64 {
    fn of(memory: &mut Memory) -> &mut [Self] {
        memory.double.all()
    }

    fn narrowed(_tier: Tier, _numbers: &[Self], _words: &mut [u16]) {
        unreachable!("a copy of float64")
    }
}

/// A dtype that a gradient may have.
pub(crate) trait Fetched: Turn {
    /// Exactly.
    fn widened(self) -> f64;

    fn panel(memory: &mut Memory) -> &mut [Self];

    /// The same elements, if they have the dtype `F`.
    fn as_they_are<F: Staged>(elements: &[Self]) -> Option<&[F]>;
}

macro_rules! fetched { ($($float:ty),*) => {$(
    impl Fetched for $float {
        #[inline(always)]
        fn widened(self) -> f64 {
            self.to_f64()
        }

        fn panel(memory: &mut Memory) -> &mut [Self] {
            Self::of(memory)
        }

        fn as_they_are<F: Staged>(elements: &[Self]) -> Option<&[F]> {
            match F::values(Self::source(Values::Same(elements))) {
                Some(Values::Same(elements)) => Some(elements),
                _ => None,
            }
        }
    }
)*} }
fetched!(f32, f64);

impl Fetched for Bfloat16 {
    #[inline(always)]
    fn widened(self) -> f64 {
        bfloat16::load(self.0).into()
    }

    fn panel(memory: &mut Memory) -> &mut [Self] {
        memory.bfloat16.all()
    }

    fn as_they_are<F: Staged>(_elements: &[Self]) -> Option<&[F]> {
        None
    }
}

impl Fetched for Float16 {
    #[inline(always)]
    fn widened(self) -> f64 {
        Self::widened(self).into()
    }

    fn panel(memory: &mut Memory) -> &mut [Self] {
        memory.float16.all()
    }

    fn as_they_are<F: Staged>(_elements: &[Self]) -> Option<&[F]> {
        None
    }
}
