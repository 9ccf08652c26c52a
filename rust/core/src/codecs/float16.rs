//! IEEE float16, as gradients may be.

/// The bits of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Float16(pub u16);

impl Float16 {
    /// Exact, without a subnormal number on the way that the control word might take for 0.
    #[inline(always)]
    pub fn widened(self) -> f32 {
        const EXPONENTS: u32 = 0x0F80_0000;
        /// What the exponents of the two formats differ by.
        const BIAS: u32 = 112 << 23;
        let bits = u32::from(self.0 & 0x7FFF) << 13;
        let sign = u32::from(self.0 & 0x8000) << 16;
        let exponent = bits & EXPONENTS;
        let moved = bits + BIAS;
        let infinite = if exponent == EXPONENTS { moved + BIAS } else { moved };
        let small = f32::from_bits(moved + (1 << 23)) - f32::from_bits(BIAS + (1 << 23));
        let magnitude = if exponent == 0 { small.to_bits() } else { infinite };
        f32::from_bits(magnitude | sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its definition, in f64.
    fn value(bits: u16) -> f64 {
        let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3FF));
        let magnitude = match exponent {
            0 => mantissa * 2f64.powi(-24),
            31 if mantissa == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
        };
        if bits >> 15 == 1 { -magnitude } else { magnitude }
    }

    #[test]
    fn every_number_is_what_its_bits_say() {
        for bits in 0..=u16::MAX {
            let (found, wanted) = (f64::from(Float16(bits).widened()), value(bits));
            assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan(), "{bits:#x}");
        }
    }
}
