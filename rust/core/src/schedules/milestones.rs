//! Curves given as a list: values that change at listed steps, and plain tables.

use super::Curve;
use crate::error::BadValue;
use crate::ranges::{Range, count};

/// values[#{b ≤ t}].
#[derive(Clone, Debug)]
pub struct Piecewise {
    boundaries: Box<[u64]>,
    values: Box<[f64]>,
}

impl Piecewise {
    pub fn new(boundaries: &[i64], values: &[f64]) -> Result<Self, BadValue> {
        let boundaries = increasing("boundaries", boundaries, 1)?;
        let values = finite("values", values)?;
        let wants = boundaries.len() + 1;
        if values.len() != wants {
            let wants = format!("one longer than boundaries ({wants} values)");
            return Err(BadValue::new("values", &wants, values.len()));
        }
        Ok(Self { boundaries, values })
    }
}

impl Curve for Piecewise {
    fn value(&self, t: u64) -> f64 {
        self.values[self.boundaries.partition_point(|&b| b <= t)]
    }

    fn horizon(&self) -> Option<f64> {
        self.boundaries.last().map(|&last| 1.25 * last as f64)
    }
}

/// start·gamma^#{m ≤ t}.
#[derive(Clone, Debug)]
pub struct MultiStep(Piecewise);

impl MultiStep {
    /// A milestone listed twice counts twice.
    pub fn new(start: f64, milestones: &[i64], gamma: f64) -> Result<Self, BadValue> {
        let start = Range::Finite.check("start", start)?;
        let boundaries = increasing("milestones", milestones, 0)?;
        let gamma = Range::NonNegative.check("gamma", gamma)?;
        let values = (0..=boundaries.len()).map(|passed| start * gamma.powf(passed as f64)).collect();
        Ok(Self(Piecewise { boundaries, values }))
    }
}

impl Curve for MultiStep {
    fn value(&self, t: u64) -> f64 {
        self.0.value(t)
    }

    fn horizon(&self) -> Option<f64> {
        self.0.horizon()
    }
}

/// values[min(t, n−1)].
#[derive(Clone, Debug)]
pub struct Table {
    values: Box<[f64]>,
    last: u64,
}

impl Table {
    pub fn new(values: &[f64]) -> Result<Self, BadValue> {
        let values = finite("values", values)?;
        let Some(last) = values.len().checked_sub(1) else {
            return Err(BadValue::new("values", "at least one value", "none"));
        };
        Ok(Self { values, last: last as u64 })
    }
}

impl Curve for Table {
    fn value(&self, t: u64) -> f64 {
        self.values[t.min(self.last) as usize]
    }

    fn horizon(&self) -> Option<f64> {
        Some(self.values.len() as f64)
    }
}

/// Checks that each step is ≥ 0 and at least `gap` above the one before it.
pub(super) fn increasing(name: &str, steps: &[i64], gap: u64) -> Result<Box<[u64]>, BadValue> {
    let mut least = 0;
    let mut checked = Vec::with_capacity(steps.len());
    for (i, &step) in steps.iter().enumerate() {
        let step = count(&format!("{name}[{i}]"), step, least)?;
        least = step + gap;
        checked.push(step);
    }
    Ok(checked.into())
}

fn finite(name: &str, values: &[f64]) -> Result<Box<[f64]>, BadValue> {
    for (i, &value) in values.iter().enumerate() {
        Range::Finite.check(&format!("{name}[{i}]"), value)?;
    }
    Ok(values.into())
}
