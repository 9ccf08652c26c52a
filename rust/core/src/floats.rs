//! Arithmetic in `f32` and `f64`, as far as an update rule needs to know it.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// Arithmetic in an array's own dtype.
pub trait Float:
    Copy
    + Debug
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    const ZERO: Self;
    const ONE: Self;
    const INFINITY: Self;

    /// Rounds to nearest; the identity for `f64`, exact for a widened `f32`.
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    fn is_nan(self) -> bool;

    /// Whether none is NaN or infinite.
    fn are_finite(numbers: &[Self]) -> bool;

    /// 1, −1 or 0; NaN stays NaN, as by `np.sign`.
    #[inline(always)]
    fn sign(self) -> Self {
        let positive = if self > Self::ZERO { Self::ONE } else { Self::ZERO };
        let sign = if self < Self::ZERO { -Self::ONE } else { positive };
        if self.is_nan() { self } else { sign }
    }

    /// The larger one; NaN if either is NaN, as `np.maximum`.
    #[inline(always)]
    fn nan_max(self, other: Self) -> Self {
        // Nothing is above NaN, so a NaN in `other` is taken by itself.
        if self > other || self.is_nan() { self } else { other }
    }

    /// The smaller one; NaN if either is NaN, as `np.minimum`.
    #[inline(always)]
    fn nan_min(self, other: Self) -> Self {
        if self < other || self.is_nan() { self } else { other }
    }

    /// The larger one, in one instruction: this one unless the other is larger, so that NaN stays.
    #[inline(always)]
    fn at_least(self, low: Self) -> Self {
        if low > self { low } else { self }
    }

    /// The smaller one in the same way.
    #[inline(always)]
    fn at_most(self, high: Self) -> Self {
        if high < self { high } else { self }
    }

    /// The number held within ±`limit`, which is not NaN; NaN stays NaN.
    #[inline(always)]
    fn held(self, limit: Self) -> Self {
        let x = if self >= limit { limit } else { self };
        if x <= -limit { -limit } else { x }
    }
}

macro_rules! float {
    ($($float:ty),*) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = <$float>::INFINITY;

            #[inline(always)]
            #[allow(clippy::allow_attributes, clippy::unnecessary_cast, reason = "f64 to f64 for one of the two")]
            fn from_f64(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                <$float>::sqrt(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                <$float>::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                <$float>::copysign(self, sign)
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                <$float>::is_nan(self)
            }

            #[inline(always)]
            fn are_finite(numbers: &[Self]) -> bool {
                // A maximum of integers, which LLVM may take in any order.
                let mut top = 0;
                for x in numbers {
                    top = top.max(x.abs().to_bits());
                }
                top < <$float>::INFINITY.to_bits()
            }
        }
    )*};
}

float!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([3.0, -0.5, f64::NEG_INFINITY].map(Float::sign), [1.0, -1.0, -1.0]);
        for zero in [0.0, -0.0f64] {
            assert_eq!(Float::sign(zero).to_bits(), 0f64.to_bits());
        }
        assert!(Float::sign(f32::NAN).is_nan());
    }

    #[test]
    fn one_that_is_not_finite_is_found_anywhere() {
        assert!(f32::are_finite(&[]) && f32::are_finite(&[f32::MAX, -f32::MAX, -0.0, f32::MIN_POSITIVE]));
        for odd in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in 0..70 {
                let mut numbers = [-1.0; 70];
                numbers[place] = odd;
                assert!(!f64::are_finite(&numbers) && !f32::are_finite(&numbers.map(|x| x as f32)));
            }
        }
    }

    #[test]
    fn nan_wins_both_ways() {
        for (a, b) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            assert!(a.nan_max(b).is_nan() && a.nan_min(b).is_nan());
        }
        assert_eq!(1f32.nan_max(2.0), 2.0);
        assert_eq!(1f32.nan_min(2.0), 1.0);
    }
}
