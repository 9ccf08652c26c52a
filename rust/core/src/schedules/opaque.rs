//! A curve that the core knows nothing about.

use std::fmt;

use super::curve::Curve;

/// Any function of t. It answers NaN when it failed; its owner knows why.
pub struct Opaque(pub Box<dyn Fn(u64) -> f64 + Send + Sync>);

impl Curve for Opaque {
    fn value(&self, t: u64) -> f64 {
        (self.0)(t)
    }
}

impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opaque")
    }
}
