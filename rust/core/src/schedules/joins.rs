//! Schedules one after another: joins, warmup and cooldown.

use super::blocks::{Segment, change, fill_by_segment, fill_mapped};
use super::curve::{Curve, Formula, Schedule, blend};
use super::phases::Fall;
use super::raised_cosine::RaisedCosine;
use crate::error::BadValue;
use crate::machine::simd::Tier;
use crate::ranges::{Range, choose, count, increasing};

/// Child i from t = at[i−1] on, each with a t of its own that begins at 0.
#[derive(Clone, Debug)]
pub struct Join {
    children: Vec<Schedule>,
    at: Vec<i64>,
}

impl Join {
    pub fn new(children: Vec<Schedule>, at: Vec<i64>) -> Result<Self, BadValue> {
        let Some(wants) = children.len().checked_sub(1) else {
            return Err(BadValue::new("schedules", "at least one schedule", "none"));
        };
        increasing("at", &at, 1)?;
        if at.len() != wants {
            let wants = format!("one shorter than schedules ({wants} steps)");
            return Err(BadValue::new("at", &wants, at.len()));
        }
        Ok(Self { children, at })
    }

    fn segment(&self, t: u64) -> Segment {
        let index = self.at.partition_point(|&n| n as u64 <= t);
        let begin = if index == 0 { 0 } else { self.at[index - 1] as u64 };
        Segment { index, begin, last: self.at.get(index).map_or(u64::MAX, |&next| next as u64 - 1) }
    }
}

impl Curve for Join {
    fn value(&self, t: u64) -> f64 {
        let Segment { index, begin, .. } = self.segment(t);
        self.children[index].value(t - begin)
    }

    fn horizon(&self) -> Option<f64> {
        let begin = self.at.last().map_or(0.0, |&n| n as f64);
        match self.children.last()?.horizon() {
            Some(last) => Some(begin + last),
            None => (begin > 0.0).then_some(1.25 * begin),
        }
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        fill_by_segment(
            tier,
            steps,
            out,
            |t| self.segment(t),
            |Segment { index, begin, .. }, steps, out| {
                fill_mapped(&*self.children[index], tier, steps, out, |t| t - begin);
            },
        );
    }
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Linear,
    Cosine,
    Exponential,
    Sqrt,
}

/// The factor that rises from `start` to 1 in `steps`.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    steps: u64,
    wave: RaisedCosine,
    start: f64,
    shape: Shape,
}

impl Formula for Ramp {
    /// With x = t/n: start + (1−start)·f(x), f being x, (1 − cos πx)/2 or 1 − √(1−x); or start^(1−x).
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let (done, left, steps) = (t as f64, (self.steps - t) as f64, self.steps as f64);
        match self.shape {
            Shape::Linear => self.start + (1.0 - self.start) * (done / steps),
            // Seen from its end, a raised cosine rises.
            Shape::Cosine => self.start + (1.0 - self.start) * self.wave.at(left),
            Shape::Exponential => self.start.powf(left / steps),
            Shape::Sqrt => self.start + (1.0 - self.start) * (1.0 - (left / steps).sqrt()),
        }
    }
}

/// s(0)·ramp(t) for t < n, then s(t−n).
#[derive(Clone, Debug)]
pub struct Warmup {
    schedule: Schedule,
    ramp: Ramp,
}

impl Warmup {
    pub fn new(schedule: Schedule, steps: i64, start: f64, shape: &str) -> Result<Self, BadValue> {
        let shapes = [
            ("linear", Shape::Linear),
            ("cosine", Shape::Cosine),
            ("exponential", Shape::Exponential),
            ("sqrt", Shape::Sqrt),
        ];
        let steps = count("steps", steps, 0)?;
        let start = Range::NonNegative.check("start", start)?;
        let shape = choose("shape", shape, &shapes)?;
        if matches!(shape, Shape::Exponential) {
            Range::Positive.check("start", start)?;
        }
        Ok(Self { schedule, ramp: Ramp { steps, wave: RaisedCosine::new(steps as f64), start, shape } })
    }
}

impl Curve for Warmup {
    fn value(&self, t: u64) -> f64 {
        match t.checked_sub(self.ramp.steps) {
            None => self.schedule.value(0) * self.ramp.value(t),
            Some(t) => self.schedule.value(t),
        }
    }

    fn horizon(&self) -> Option<f64> {
        let rise = self.ramp.steps as f64;
        match self.schedule.horizon() {
            Some(rest) => Some(rise + rest),
            None => (rise > 0.0).then_some(4.0 * rise),
        }
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        let n = self.ramp.steps;
        let segment = |t| {
            if t < n {
                Segment { index: 0, begin: 0, last: n - 1 }
            } else {
                Segment { index: 1, begin: n, last: u64::MAX }
            }
        };
        fill_by_segment(tier, steps, out, segment, |Segment { index, .. }, steps, out| {
            if index == 0 {
                let base = self.schedule.value(0);
                self.ramp.fill(tier, steps, out);
                change(tier, out, |ramp| base * ramp);
            } else {
                fill_mapped(&*self.schedule, tier, steps, out, |t| t - n);
            }
        });
    }
}

/// s(t) for t < b, then from s(b) down (or up) to `end`, where it stays from t = total on.
#[derive(Clone, Debug)]
pub struct Cooldown {
    schedule: Schedule,
    begin: u64,
    fall: Fall,
    end: f64,
}

impl Cooldown {
    /// It takes the part `fraction` of all steps, and at least one.
    pub fn new(
        schedule: Schedule,
        total: i64,
        fraction: f64,
        end: f64,
        shape: &str,
    ) -> Result<Self, BadValue> {
        let total = count("total", total, 1)?;
        let fraction = Range::UnitClosed.check("fraction", fraction)?;
        let end = Range::Finite.check("end", end)?;
        let steps = ((fraction * total as f64).round() as u64).clamp(1, total);
        Ok(Self { schedule, begin: total - steps, fall: Fall::new(steps, shape)?, end })
    }

    fn done(&self, t: u64) -> u64 {
        (t - self.begin).min(self.fall.steps)
    }
}

impl Curve for Cooldown {
    fn value(&self, t: u64) -> f64 {
        if t < self.begin {
            return self.schedule.value(t);
        }
        blend(self.schedule.value(self.begin), self.end, self.fall.value(self.done(t)))
    }

    fn horizon(&self) -> Option<f64> {
        Some((self.begin + self.fall.steps) as f64)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        let begin = self.begin;
        let segment = |t| {
            if t < begin {
                Segment { index: 0, begin: 0, last: begin - 1 }
            } else {
                Segment { index: 1, begin, last: u64::MAX }
            }
        };
        fill_by_segment(tier, steps, out, segment, |Segment { index, .. }, steps, out| {
            if index == 0 {
                self.schedule.fill(tier, steps, out);
            } else {
                let from = self.schedule.value(begin);
                fill_mapped(&self.fall, tier, steps, out, |t| self.done(t));
                change(tier, out, |weight| blend(from, self.end, weight));
            }
        });
    }
}
