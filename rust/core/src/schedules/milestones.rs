//! Curves given as a list: values that change at listed steps, or between them, and plain tables.

use super::curve::{Curve, blend};
use super::raised_cosine::RaisedCosine;
use crate::error::BadValue;
use crate::ranges::{Range, choose, increasing};

/// values[#{b ≤ t}].
#[derive(Clone, Debug)]
pub struct Piecewise {
    boundaries: Vec<i64>,
    values: Vec<f64>,
}

impl Piecewise {
    pub fn new(boundaries: Vec<i64>, values: Vec<f64>) -> Result<Self, BadValue> {
        increasing("boundaries", &boundaries, 1)?;
        Range::Finite.check_each("values", &values)?;
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
        self.values[passed(&self.boundaries, t)]
    }

    fn horizon(&self) -> Option<f64> {
        past_the_last(&self.boundaries)
    }
}

/// So many values of a [`MultiStep`] are computed beforehand. Those of more would need memory that grows with
/// the list, and there may be none.
const KNOWN: usize = 1024;

/// start·gamma^#{m ≤ t}.
#[derive(Clone, Debug)]
pub struct MultiStep {
    start: f64,
    milestones: Vec<i64>,
    gamma: f64,
    /// After 0, 1, 2, … milestones.
    values: Vec<f64>,
}

impl MultiStep {
    /// A milestone listed twice counts twice.
    pub fn new(start: f64, milestones: Vec<i64>, gamma: f64) -> Result<Self, BadValue> {
        let start = Range::Finite.check("start", start)?;
        increasing("milestones", &milestones, 0)?;
        let gamma = Range::NonNegative.check("gamma", gamma)?;
        let values = (0..=milestones.len()).take(KNOWN).map(|passed| power(start, gamma, passed)).collect();
        Ok(Self { start, milestones, gamma, values })
    }
}

impl Curve for MultiStep {
    fn value(&self, t: u64) -> f64 {
        let passed = passed(&self.milestones, t);
        self.values.get(passed).copied().unwrap_or_else(|| power(self.start, self.gamma, passed))
    }

    fn horizon(&self) -> Option<f64> {
        past_the_last(&self.milestones)
    }
}

fn power(start: f64, gamma: f64, passed: usize) -> f64 {
    start * gamma.powf(passed as f64)
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Linear,
    Cosine,
}

/// values[i] at steps[i], and between two of them a line or half a cosine wave; the first value before the
/// first step, the last one from the last step on.
#[derive(Clone, Debug)]
pub struct Interpolated {
    steps: Vec<i64>,
    values: Vec<f64>,
    shape: Shape,
}

impl Interpolated {
    pub fn new(steps: Vec<i64>, values: Vec<f64>, shape: &str) -> Result<Self, BadValue> {
        increasing("steps", &steps, 1)?;
        Range::Finite.check_each("values", &values)?;
        if steps.is_empty() {
            return Err(BadValue::new("steps", "at least one step", "none"));
        }
        if values.len() != steps.len() {
            let wants = format!("as long as steps ({} values)", steps.len());
            return Err(BadValue::new("values", &wants, values.len()));
        }
        let shape = choose("shape", shape, &[("linear", Shape::Linear), ("cosine", Shape::Cosine)])?;
        Ok(Self { steps, values, shape })
    }
}

impl Curve for Interpolated {
    fn value(&self, t: u64) -> f64 {
        let next = passed(&self.steps, t);
        let before = next.saturating_sub(1);
        if next == 0 || next == self.steps.len() {
            return self.values[before];
        }
        let [begin, end] = [before, next].map(|i| self.steps[i] as u64);
        let (done, length) = ((t - begin) as f64, (end - begin) as f64);
        let weight = match self.shape {
            Shape::Linear => (end - t) as f64 / length,
            Shape::Cosine => RaisedCosine::new(length).at(done),
        };
        blend(self.values[before], self.values[next], weight)
    }

    fn horizon(&self) -> Option<f64> {
        self.steps.last().map(|&step| step as f64).filter(|&end| end > 0.0)
    }
}

/// values[min(t, n−1)].
#[derive(Clone, Debug)]
pub struct Table {
    values: Vec<f64>,
    last: u64,
}

impl Table {
    pub fn new(values: Vec<f64>) -> Result<Self, BadValue> {
        Range::Finite.check_each("values", &values)?;
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

/// How many of the steps are not above `t`; they are sorted and not negative.
fn passed(steps: &[i64], t: u64) -> usize {
    steps.partition_point(|&step| step as u64 <= t)
}

/// The horizon of what changes at listed steps.
fn past_the_last(steps: &[i64]) -> Option<f64> {
    steps.last().map(|&step| 1.25 * step as f64)
}
