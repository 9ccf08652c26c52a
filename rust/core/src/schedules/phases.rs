//! Whole-training plans in phases: one-cycle and warmup–stable–decay.

use super::curve::{Formula, blend};
use super::raised_cosine::RaisedCosine;
use crate::error::BadValue;
use crate::ranges::{Range, choose, count};

#[derive(Clone, Copy, Debug)]
enum Anneal {
    Cos,
    Linear,
}

/// `peak/div → peak → peak/div/final_div` over steps 0…T−1, then the last value; with `three_phase`, back to
/// peak/div before the last fall. The phase ends are torch's: pct·T−1, (2·pct·T−2,) T−1, not rounded.
#[derive(Clone, Copy, Debug)]
pub struct OneCycle {
    last: u64,
    /// Where each phase begins, and where the last one ends.
    bounds: [f64; 4],
    /// The value at each bound. A two-phase cycle has its last bound and level twice.
    levels: [f64; 4],
    waves: [RaisedCosine; 3],
    anneal: Anneal,
}

impl OneCycle {
    pub fn new(
        peak: f64,
        steps: i64,
        pct_start: f64,
        div: f64,
        final_div: f64,
        anneal: &str,
        three_phase: bool,
    ) -> Result<Self, BadValue> {
        let peak = Range::Finite.check("peak", peak)?;
        let steps = count("steps", steps, 1)?;
        let pct_start = Range::UnitClosed.check("pct_start", pct_start)?;
        let low = peak / Range::Positive.check("div", div)?;
        let end = low / Range::Positive.check("final_div", final_div)?;
        let top = pct_start * steps as f64 - 1.0;
        let last = (steps - 1) as f64;
        let (bounds, levels) = if three_phase {
            ([0.0, top, 2.0 * pct_start * steps as f64 - 2.0, last], [low, peak, low, end])
        } else {
            ([0.0, top, last, last], [low, peak, end, end])
        };
        let anneal = choose("anneal", anneal, &[("cos", Anneal::Cos), ("linear", Anneal::Linear)])?;
        let waves = [0, 1, 2].map(|phase| RaisedCosine::new(bounds[phase + 1] - bounds[phase]));
        Ok(Self { last: steps - 1, bounds, levels, waves, anneal })
    }
}

impl Formula for OneCycle {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let t = t.min(self.last) as f64;
        let phase = usize::from(t > self.bounds[1]) + usize::from(t > self.bounds[2]);
        let (done, left) = (t - self.bounds[phase], self.bounds[phase + 1] - t);
        // A phase of no length is over as it begins: `left` may be 0 with nothing done.
        let weight = match self.anneal {
            _ if left <= 0.0 => 0.0,
            Anneal::Cos => self.waves[phase].at(done),
            Anneal::Linear => left / (done + left),
        };
        blend(self.levels[phase], self.levels[phase + 1], weight)
    }

    fn horizon(self) -> Option<f64> {
        Some((self.last + 1) as f64)
    }
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Linear,
    Cosine,
    Sqrt,
}

/// What is left of a fall after so many of its steps, from 1 to 0: 1−x (`linear`), (1 + cos πx)/2 (`cosine`) or
/// 1−√x (`sqrt`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Fall {
    pub(super) steps: u64,
    wave: RaisedCosine,
    shape: Shape,
}

impl Fall {
    /// `steps` must be above 0, or the fall is never asked for a value.
    pub(super) fn new(steps: u64, shape: &str) -> Result<Self, BadValue> {
        let shapes = [("linear", Shape::Linear), ("cosine", Shape::Cosine), ("sqrt", Shape::Sqrt)];
        Ok(Self { steps, wave: RaisedCosine::new(steps as f64), shape: choose("shape", shape, &shapes)? })
    }
}

impl Formula for Fall {
    #[inline(always)]
    fn at(self, done: u64) -> f64 {
        let (done, left, steps) = (done as f64, (self.steps - done) as f64, self.steps as f64);
        match self.shape {
            Shape::Linear => left / steps,
            Shape::Cosine => self.wave.at(done),
            Shape::Sqrt => 1.0 - (done / steps).sqrt(),
        }
    }
}

/// peak·(t+1)/(warmup+1) for t < warmup, then `peak` for `stable` steps, then to `end` in `decay` steps,
/// and `end` from there on.
#[derive(Clone, Copy, Debug)]
pub struct WarmupStableDecay {
    peak: f64,
    warmup: u64,
    decay_begins: u64,
    fall: Fall,
    end: f64,
}

impl WarmupStableDecay {
    pub fn new(
        peak: f64,
        warmup: i64,
        stable: i64,
        decay: i64,
        end: f64,
        shape: &str,
    ) -> Result<Self, BadValue> {
        let peak = Range::Finite.check("peak", peak)?;
        let warmup = count("warmup", warmup, 0)?;
        let stable = count("stable", stable, 0)?;
        let decay = count("decay", decay, 1)?;
        Ok(Self {
            peak,
            warmup,
            decay_begins: warmup + stable,
            end: Range::Finite.check("end", end)?,
            fall: Fall::new(decay, shape)?,
        })
    }
}

impl Formula for WarmupStableDecay {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let weight = self.fall.at(t.saturating_sub(self.decay_begins).min(self.fall.steps));
        let rising = self.peak * ((t.min(self.warmup) + 1) as f64 / (self.warmup + 1) as f64);
        if t < self.warmup { rising } else { blend(self.peak, self.end, weight) }
    }

    fn horizon(self) -> Option<f64> {
        Some(self.decay_begins as f64 + self.fall.steps as f64)
    }
}
