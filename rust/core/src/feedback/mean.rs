//! A plateau that is looked for in the means of several metrics.

use super::plateau::Plateau;
use super::reaction::{Reaction, Signal};
use crate::error::{BadValue, Number};
use crate::ranges::{Range, count};

/// A [`Plateau`] that observes the mean of every `several` metrics, when the last of them is known.
#[derive(Clone, Copy, Debug)]
pub struct OfMeans {
    plateau: Plateau,
    several: u64,
}

impl OfMeans {
    pub fn new(plateau: Plateau, several: i64) -> Result<Self, BadValue> {
        Ok(Self { plateau, several: count("mean_of", several, 1)? })
    }
}

impl Reaction<6> for OfMeans {
    const STATE: [&'static str; 6] = {
        let [best, bad, cooldown, scale] = Plateau::STATE;
        [best, bad, cooldown, scale, "mean", "count"]
    };
    const SIGNAL: Signal = Plateau::SIGNAL;

    fn start(&self) -> [f64; 6] {
        joined(self.plateau.start(), [0.0, 0.0])
    }

    fn check(&self, [best, bad, cooldown, scale, mean, count]: [f64; 6]) -> Result<(), BadValue> {
        self.plateau.check([best, bad, cooldown, scale])?;
        Range::Finite.check("mean", mean)?;
        Range::Count.check("count", count)?;
        if count < self.several as f64 {
            return Ok(());
        }
        Err(BadValue::new("count", &format!("below mean_of = {}", self.several), Number(count)))
    }

    fn observe(
        &self,
        [best, bad, cooldown, scale, mean, count]: [f64; 6],
        seen: f64,
    ) -> Result<[f64; 6], BadValue> {
        let (plateau, count) = ([best, bad, cooldown, scale], count + 1.0);
        // Unlike the sum, the mean of floats is never too large for one.
        let mean = mean * ((count - 1.0) / count) + seen / count;
        if count < self.several as f64 {
            return Ok(joined(plateau, [mean, count]));
        }
        Ok(joined(self.plateau.observe(plateau, mean)?, [0.0, 0.0]))
    }

    fn value(&self, scheduled: f64, [best, bad, cooldown, scale, ..]: [f64; 6]) -> f64 {
        self.plateau.value(scheduled, [best, bad, cooldown, scale])
    }
}

fn joined([best, bad, cooldown, scale]: [f64; 4], [mean, count]: [f64; 2]) -> [f64; 6] {
    [best, bad, cooldown, scale, mean, count]
}
