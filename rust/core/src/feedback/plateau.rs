//! A rate that falls when the metric no longer improves.

use super::reaction::{Reaction, Signal};
use crate::error::BadValue;
use crate::ranges::{Range, choose, count};

/// max(s(t)·scale, min_value), where scale ← factor·scale whenever more than `patience` observations in
/// a row were no better than the best by `threshold`; none of the next `cooldown` ones counts. The
/// semantics of torch's `ReduceLROnPlateau`.
#[derive(Clone, Copy, Debug)]
pub struct Plateau {
    factor: f64,
    patience: u64,
    threshold: f64,
    relative: bool,
    cooldown: u64,
    min_value: f64,
    less_is_better: bool,
}

impl Plateau {
    pub fn new(
        factor: f64,
        patience: i64,
        threshold: f64,
        threshold_mode: &str,
        cooldown: i64,
        min_value: f64,
        mode: &str,
    ) -> Result<Self, BadValue> {
        Ok(Self {
            factor: Range::Unit.check("factor", factor)?,
            patience: count("patience", patience, 0)?,
            threshold: Range::NonNegative.check("threshold", threshold)?,
            relative: choose("threshold_mode", threshold_mode, &[("rel", true), ("abs", false)])?,
            cooldown: count("cooldown", cooldown, 0)?,
            min_value: Range::NonNegative.check("min_value", min_value)?,
            less_is_better: choose("mode", mode, &[("min", true), ("max", false)])?,
        })
    }

    fn is_better(&self, seen: f64, best: f64) -> bool {
        match (self.less_is_better, self.relative) {
            (true, true) => seen < best * (1.0 - self.threshold),
            (true, false) => seen < best - self.threshold,
            (false, true) => seen > best * (1.0 + self.threshold),
            (false, false) => seen > best + self.threshold,
        }
    }
}

impl Reaction<4> for Plateau {
    const STATE: [&'static str; 4] = ["best", "bad", "cooldown", "scale"];
    const SIGNAL: Signal = Signal::Loss;

    fn start(&self) -> [f64; 4] {
        [if self.less_is_better { f64::INFINITY } else { f64::NEG_INFINITY }, 0.0, 0.0, 1.0]
    }

    fn check(&self, [best, bad, cooldown, scale]: [f64; 4]) -> Result<(), BadValue> {
        Range::NotNan.check("best", best)?;
        Range::Count.check("bad", bad)?;
        Range::Count.check("cooldown", cooldown)?;
        Range::UnitClosed.check("scale", scale).map(drop)
    }

    fn observe(
        &self,
        [mut best, mut bad, mut cooldown, mut scale]: [f64; 4],
        seen: f64,
    ) -> Result<[f64; 4], BadValue> {
        if self.is_better(seen, best) {
            best = seen;
            bad = 0.0;
        } else {
            bad += 1.0;
        }
        if cooldown > 0.0 {
            cooldown -= 1.0;
            bad = 0.0;
        }
        if bad > self.patience as f64 {
            scale *= self.factor;
            cooldown = self.cooldown as f64;
            bad = 0.0;
        }
        Ok([best, bad, cooldown, scale])
    }

    fn value(&self, scheduled: f64, [_, _, _, scale]: [f64; 4]) -> f64 {
        // The floor holds what the plateau takes away; it does not lift a schedule that is below it.
        (scheduled * scale).max(self.min_value.min(scheduled))
    }
}
