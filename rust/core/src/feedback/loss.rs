//! A rate that shrinks while the loss is large.

use super::reaction::{Reaction, Signal};
use crate::error::{BadValue, Number};
use crate::ranges::Range;

/// s(t)/(1 + β·loss), with the last loss observed; 0 before the first.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    beta: f64,
}

impl Loss {
    pub fn new(beta: f64) -> Result<Self, BadValue> {
        Ok(Self { beta: Range::NonNegative.check("beta", beta)? })
    }
}

impl Reaction<1> for Loss {
    const STATE: [&'static str; 1] = ["loss"];
    const SIGNAL: Signal = Signal::Loss;

    fn start(&self) -> [f64; 1] {
        [0.0]
    }

    fn check(&self, state @ [loss]: [f64; 1]) -> Result<(), BadValue> {
        self.observe(state, Range::Finite.check("loss", loss)?).map(drop)
    }

    fn observe(&self, _: [f64; 1], loss: f64) -> Result<[f64; 1], BadValue> {
        if 1.0 + self.beta * loss > 0.0 {
            return Ok([loss]);
        }
        let wants = format!("above -1/beta = {}", Number(-1.0 / self.beta));
        Err(BadValue::new("loss", &wants, Number(loss)))
    }

    fn value(&self, scheduled: f64, [loss]: [f64; 1]) -> f64 {
        scheduled / (1.0 + self.beta * loss)
    }
}
