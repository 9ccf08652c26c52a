//! Curves that fall (or rise) once and for ever.

use super::curve::{Formula, blend};
use crate::error::BadValue;
use crate::ranges::{Range, count};

/// The same `value` at every t.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    value: f64,
}

impl Constant {
    pub fn new(value: f64) -> Result<Self, BadValue> {
        Ok(Self { value: Range::Finite.check("value", value)? })
    }
}

impl Formula for Constant {
    #[inline(always)]
    fn at(self, _: u64) -> f64 {
        self.value
    }
}

/// start·(T−t)/T + end·t/T, and `end` from t = T on.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    start: f64,
    end: f64,
    steps: u64,
}

impl Linear {
    pub fn new(start: f64, end: f64, steps: i64) -> Result<Self, BadValue> {
        Ok(Self {
            start: Range::Finite.check("start", start)?,
            end: Range::Finite.check("end", end)?,
            steps: count("steps", steps, 1)?,
        })
    }
}

impl Formula for Linear {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let t = t.min(self.steps);
        let steps = self.steps as f64;
        self.start * ((self.steps - t) as f64 / steps) + self.end * (t as f64 / steps)
    }

    fn horizon(self) -> Option<f64> {
        Some(self.steps as f64)
    }
}

/// (start−end)·(1−t/T)^power + end, and `end` from t = T on. With `cycle`, T is the next multiple of
/// `steps` that is not below t.
#[derive(Clone, Copy, Debug)]
pub struct Polynomial {
    start: f64,
    end: f64,
    steps: u64,
    power: f64,
    cycle: bool,
}

impl Polynomial {
    pub fn new(start: f64, end: f64, steps: i64, power: f64, cycle: bool) -> Result<Self, BadValue> {
        Ok(Self {
            start: Range::Finite.check("start", start)?,
            end: Range::Finite.check("end", end)?,
            steps: count("steps", steps, 1)?,
            power: Range::Positive.check("power", power)?,
            cycle,
        })
    }
}

impl Formula for Polynomial {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let steps = if self.cycle { self.steps * t.div_ceil(self.steps).max(1) } else { self.steps };
        let left = (steps - t.min(steps)) as f64 / steps as f64;
        blend(self.start, self.end, left.powf(self.power))
    }

    fn horizon(self) -> Option<f64> {
        Some(self.steps as f64 * if self.cycle { 3.0 } else { 1.0 })
    }
}

/// start·gamma^(t/every), or start·gamma^⌊t/every⌋ with `staircase`.
#[derive(Clone, Copy, Debug)]
pub struct Exponential {
    start: f64,
    gamma: f64,
    every: u64,
    staircase: bool,
}

impl Exponential {
    pub fn new(start: f64, gamma: f64, every: i64, staircase: bool) -> Result<Self, BadValue> {
        Ok(Self {
            start: Range::Finite.check("start", start)?,
            gamma: Range::NonNegative.check("gamma", gamma)?,
            every: count("every", every, 1)?,
            staircase,
        })
    }
}

impl Formula for Exponential {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        self.start * self.gamma.powf(periods(t, self.every, self.staircase))
    }

    fn horizon(self) -> Option<f64> {
        // A factor of 0 is as steep as the least one above it.
        fall_to_a_hundredth(self.gamma.max(LEAST_POSITIVE).ln() / self.every as f64)
    }
}

/// start·e^(−rate·t).
#[derive(Clone, Copy, Debug)]
pub struct ExponentialRate {
    start: f64,
    rate: f64,
}

impl ExponentialRate {
    pub fn new(start: f64, rate: f64) -> Result<Self, BadValue> {
        Ok(Self { start: Range::Finite.check("start", start)?, rate: Range::Finite.check("rate", rate)? })
    }
}

impl Formula for ExponentialRate {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        self.start * (-self.rate * t as f64).exp()
    }

    fn horizon(self) -> Option<f64> {
        fall_to_a_hundredth(self.rate)
    }
}

/// start·gamma^⌊t/every⌋.
#[derive(Clone, Copy, Debug)]
pub struct StepDecay(Exponential);

impl StepDecay {
    pub fn new(start: f64, gamma: f64, every: i64) -> Result<Self, BadValue> {
        Exponential::new(start, gamma, every, true).map(Self)
    }
}

impl Formula for StepDecay {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        self.0.at(t)
    }

    fn horizon(self) -> Option<f64> {
        Formula::horizon(self.0)
    }
}

/// start / (1 + rate·t/every), or with ⌊t/every⌋ if `staircase`.
#[derive(Clone, Copy, Debug)]
pub struct InverseTime {
    start: f64,
    rate: f64,
    every: u64,
    staircase: bool,
}

impl InverseTime {
    pub fn new(start: f64, rate: f64, every: i64, staircase: bool) -> Result<Self, BadValue> {
        Ok(Self {
            start: Range::Finite.check("start", start)?,
            rate: Range::NonNegative.check("rate", rate)?,
            every: count("every", every, 1)?,
            staircase,
        })
    }
}

impl Formula for InverseTime {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        self.start / (1.0 + self.rate * periods(t, self.every, self.staircase))
    }

    fn horizon(self) -> Option<f64> {
        (self.rate != 0.0).then(|| 10.0 * self.every as f64 / self.rate)
    }
}

/// start·√(τ / max(t, τ)), τ being the timescale.
#[derive(Clone, Copy, Debug)]
pub struct InverseSqrt {
    start: f64,
    timescale: u64,
}

impl InverseSqrt {
    pub fn new(start: f64, timescale: i64) -> Result<Self, BadValue> {
        Ok(Self { start: Range::Finite.check("start", start)?, timescale: count("timescale", timescale, 1)? })
    }
}

impl Formula for InverseSqrt {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        self.start * (self.timescale as f64 / t.max(self.timescale) as f64).sqrt()
    }

    fn horizon(self) -> Option<f64> {
        Some(10.0 * self.timescale as f64)
    }
}

/// How many times `every` has passed: whole ones only with `staircase`.
#[inline(always)]
fn periods(t: u64, every: u64, staircase: bool) -> f64 {
    if staircase { (t / every) as f64 } else { t as f64 / every as f64 }
}

/// The smallest float above 0.
const LEAST_POSITIVE: f64 = f64::from_bits(1);

/// The horizon of a decay (or growth) by e^`rate` in each update.
fn fall_to_a_hundredth(rate: f64) -> Option<f64> {
    (rate != 0.0).then(|| 100_f64.ln() / rate.abs())
}
