//! A rate that shrinks with the gradients seen.

use super::reaction::{Reaction, Signal};
use crate::error::BadValue;
use crate::ranges::Range;

/// s(t)/√(1 + β·Σ‖gᵢ‖²) over the steps so far, this one included (the global form of AdaGrad's rate);
/// compound: s(t)·Π 1/√(1 + β‖gᵢ‖²).
#[derive(Clone, Copy, Debug)]
pub struct GradNorm {
    beta: f64,
    compound: bool,
}

impl GradNorm {
    pub fn new(beta: f64, compound: bool) -> Result<Self, BadValue> {
        Ok(Self { beta: Range::NonNegative.check("beta", beta)?, compound })
    }
}

impl Reaction<1> for GradNorm {
    /// What stands under the root.
    const STATE: [&'static str; 1] = ["divisor"];
    const SIGNAL: Signal = Signal::GradNorm;

    fn start(&self) -> [f64; 1] {
        [1.0]
    }

    fn check(&self, [divisor]: [f64; 1]) -> Result<(), BadValue> {
        Range::AtLeastOne.check("divisor", divisor).map(drop)
    }

    fn observe(&self, [divisor]: [f64; 1], norm: f64) -> Result<[f64; 1], BadValue> {
        let growth = self.beta * (norm * norm);
        let divisor = if self.compound { divisor * (1.0 + growth) } else { divisor + growth };
        // The largest float stops the rate as infinity would, and can be saved.
        Ok([divisor.min(f64::MAX)])
    }

    fn value(&self, scheduled: f64, [divisor]: [f64; 1]) -> f64 {
        scheduled / divisor.sqrt()
    }
}
