//! Schedules made of one or two others at the same or at a changed t.

use super::blocks::{change, fill_combined, fill_mapped};
use super::curve::{Curve, LAST_STEP, Schedule};
use crate::error::BadValue;
use crate::machine::simd::Tier;
use crate::ranges::{Range, count, not_below};

/// a(t)·b(t).
#[derive(Clone, Debug)]
pub struct Product {
    a: Schedule,
    b: Schedule,
}

impl Product {
    pub fn new(a: Schedule, b: Schedule) -> Self {
        Self { a, b }
    }
}

impl Curve for Product {
    fn value(&self, t: u64) -> f64 {
        self.a.value(t) * self.b.value(t)
    }

    fn horizon(&self) -> Option<f64> {
        [self.a.horizon(), self.b.horizon()].into_iter().flatten().reduce(f64::max)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        self.a.fill(tier, steps, out);
        fill_combined(&*self.b, tier, steps, out, |a, b| a * b);
    }
}

/// a(t) + b(t).
#[derive(Clone, Debug)]
pub struct Sum {
    a: Schedule,
    b: Schedule,
}

impl Sum {
    pub fn new(a: Schedule, b: Schedule) -> Self {
        Self { a, b }
    }
}

impl Curve for Sum {
    fn value(&self, t: u64) -> f64 {
        self.a.value(t) + self.b.value(t)
    }

    fn horizon(&self) -> Option<f64> {
        [self.a.horizon(), self.b.horizon()].into_iter().flatten().reduce(f64::max)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        self.a.fill(tier, steps, out);
        fill_combined(&*self.b, tier, steps, out, |a, b| a + b);
    }
}

/// s(t)^exponent.
#[derive(Clone, Debug)]
pub struct Power {
    schedule: Schedule,
    exponent: f64,
}

impl Power {
    pub fn new(schedule: Schedule, exponent: f64) -> Result<Self, BadValue> {
        Ok(Self { schedule, exponent: Range::Positive.check("exponent", exponent)? })
    }
}

impl Curve for Power {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(t).powf(self.exponent)
    }

    fn horizon(&self) -> Option<f64> {
        self.schedule.horizon()
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        self.schedule.fill(tier, steps, out);
        change(tier, out, |value| value.powf(self.exponent));
    }
}

/// s(t) held between `low` and `high`.
#[derive(Clone, Debug)]
pub struct Clip {
    schedule: Schedule,
    low: f64,
    high: f64,
}

impl Clip {
    pub fn new(schedule: Schedule, low: f64, high: f64) -> Result<Self, BadValue> {
        let low = Range::Finite.check("low", low)?;
        Ok(Self { schedule, low, high: not_below("high", high, "low", low)? })
    }
}

impl Curve for Clip {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(t).clamp(self.low, self.high)
    }

    fn horizon(&self) -> Option<f64> {
        self.schedule.horizon()
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        self.schedule.fill(tier, steps, out);
        change(tier, out, |value| value.clamp(self.low, self.high));
    }
}

/// s(⌊t/k⌋).
#[derive(Clone, Debug)]
pub struct Every {
    schedule: Schedule,
    k: u64,
}

impl Every {
    pub fn new(schedule: Schedule, k: i64) -> Result<Self, BadValue> {
        Ok(Self { schedule, k: count("k", k, 1)? })
    }
}

impl Curve for Every {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(t / self.k)
    }

    fn horizon(&self) -> Option<f64> {
        Some(self.schedule.horizon()? * self.k as f64)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        fill_mapped(&*self.schedule, tier, steps, out, |t| t / self.k);
    }
}

/// s(k·t).
#[derive(Clone, Debug)]
pub struct Stride {
    schedule: Schedule,
    k: u64,
}

impl Stride {
    pub fn new(schedule: Schedule, k: i64) -> Result<Self, BadValue> {
        Ok(Self { schedule, k: count("k", k, 1)? })
    }

    /// Stops at the last step, as every schedule may presume of its t.
    #[inline(always)]
    fn strides(&self, t: u64) -> u64 {
        t.saturating_mul(self.k).min(LAST_STEP)
    }
}

impl Curve for Stride {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(self.strides(t))
    }

    fn horizon(&self) -> Option<f64> {
        Some((self.schedule.horizon()? / self.k as f64).max(1.0))
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        fill_mapped(&*self.schedule, tier, steps, out, |t| self.strides(t));
    }
}

/// s(t+n).
#[derive(Clone, Debug)]
pub struct Shift {
    schedule: Schedule,
    n: u64,
}

impl Shift {
    pub fn new(schedule: Schedule, n: i64) -> Result<Self, BadValue> {
        Ok(Self { schedule, n: count("n", n, 0)? })
    }

    /// Stops at the last step, as every schedule may presume of its t.
    #[inline(always)]
    fn shifted(&self, t: u64) -> u64 {
        (t + self.n).min(LAST_STEP)
    }
}

impl Curve for Shift {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(self.shifted(t))
    }

    fn horizon(&self) -> Option<f64> {
        Some((self.schedule.horizon()? - self.n as f64).max(1.0))
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        fill_mapped(&*self.schedule, tier, steps, out, |t| self.shifted(t));
    }
}

/// s(t mod period).
#[derive(Clone, Debug)]
pub struct Repeat {
    schedule: Schedule,
    period: u64,
}

impl Repeat {
    pub fn new(schedule: Schedule, period: i64) -> Result<Self, BadValue> {
        Ok(Self { schedule, period: count("period", period, 1)? })
    }
}

impl Curve for Repeat {
    fn value(&self, t: u64) -> f64 {
        self.schedule.value(t % self.period)
    }

    fn horizon(&self) -> Option<f64> {
        Some(3.0 * self.period as f64)
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        fill_mapped(&*self.schedule, tier, steps, out, |t| t % self.period);
    }
}
