//! Limits on the gradients of all groups together.

use gradstep_core::error::BadValue;
use gradstep_core::ranges::Range;
use gradstep_core::rule::Kind;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::value_error;
use crate::values::Value;

/// What limits are called; [`Clip`] has them in this order.
pub(crate) const LIMITS: [&str; 2] = ["clip_norm", "clip_value"];
const KIND: Kind = Kind::Optional(Range::Limit);
const NORM: usize = 0;
const VALUE: usize = 1;

/// The largest global norm: g ← g·min(1, c/(‖g‖ + ε)), torch's formula with its ε; and the largest magnitude of an
/// element, after the norm was clipped.
#[derive(Default)]
pub(crate) struct Clip([Option<Value>; 2]);

/// What a step does with gradients before anything else.
#[derive(Clone, Copy)]
pub(crate) struct Clipping {
    /// What they are multiplied by.
    pub(crate) scale: f64,
    /// The magnitude that they are then limited to.
    pub(crate) limit: f64,
}

impl Clipping {
    pub(crate) const NONE: Self = Self { scale: 1.0, limit: f64::INFINITY };

    /// Scaled by something more.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self { scale: self.scale * factor, ..self }
    }

    /// Such that gradients of that norm have at most the norm `limit`; `eps` is added to it first.
    pub(crate) fn to(self, limit: f64, norm: f64, eps: f64) -> Self {
        self.times(factor(limit, norm, eps))
    }
}

/// min(1, limit/(norm + eps)), or NaN where the norm is; no limit is none of any norm.
pub(crate) fn factor(limit: f64, norm: f64, eps: f64) -> f64 {
    if norm + eps <= limit || limit == f64::INFINITY { 1.0 } else { limit / (norm + eps) }
}

impl Clip {
    /// None where there is no limit.
    pub(crate) fn new(limits: [Option<Value>; 2]) -> PyResult<Option<Self>> {
        for (limit, name) in limits.iter().zip(LIMITS) {
            if let Some(constant) = limit.as_ref().and_then(Value::constant) {
                check(name, constant, "")?;
            }
        }
        Ok(limits.iter().any(Option::is_some).then_some(Self(limits)))
    }

    pub(crate) fn wants_norm(&self) -> bool {
        self.0[NORM].is_some()
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self(self.0.each_ref().map(|limit| limit.as_ref().map(|value| value.clone_ref(py))))
    }

    /// The same with another limit, which will do for step `t`.
    pub(crate) fn with(
        old: Option<&Self>,
        i: usize,
        limit: &Bound<'_, PyAny>,
        t: u64,
    ) -> PyResult<Option<Self>> {
        let mut limits = old.map(|clip| clip.clone_ref(limit.py())).unwrap_or_default().0;
        limits[i] = if limit.is_none() { None } else { Some(Value::new(limit, LIMITS[i])?) };
        let new = Self::new(limits)?;
        if let Some(new) = &new {
            new.limit(limit.py(), i, t)?;
        }
        Ok(new)
    }

    /// Adds the limits, as they were given, to a dict.
    pub(crate) fn add_to(clip: Option<&Self>, dict: &Bound<'_, PyDict>) -> PyResult<()> {
        for (i, name) in LIMITS.iter().enumerate() {
            let limit = clip.and_then(|clip| clip.0[i].as_ref());
            dict.set_item(name, limit.map(|value| value.object(dict.py(), KIND)))?;
        }
        Ok(())
    }

    /// `clip_norm=1.0`, for each that there is.
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let limits = self.0.iter().zip(LIMITS);
        limits
            .filter_map(|(limit, name)| {
                let value = limit.as_ref()?;
                Some(value.describe(py, KIND).map(|value| format!("{name}={value}")))
            })
            .collect()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().flatten()
    }

    /// Whether its limits at a step are found without running Python code.
    pub(crate) fn is_pure(&self) -> bool {
        self.values().all(Value::is_pure)
    }

    /// The largest norm at step `t`, if there is one.
    pub(crate) fn norm(&self, py: Python<'_>, t: u64) -> PyResult<Option<f64>> {
        self.limit(py, NORM, t)
    }

    /// The largest magnitude of an element at step `t`.
    pub(crate) fn value(&self, py: Python<'_>, t: u64) -> PyResult<f64> {
        Ok(self.limit(py, VALUE, t)?.unwrap_or(f64::INFINITY))
    }

    /// A limit at step `t`, if there is one.
    pub(crate) fn limit(&self, py: Python<'_>, i: usize, t: u64) -> PyResult<Option<f64>> {
        let Some(value) = &self.0[i] else { return Ok(None) };
        check(LIMITS[i], value.at(py, t)?, &format!(" at step {t}")).map(Some)
    }
}

fn check(name: &str, limit: f64, when: &str) -> PyResult<f64> {
    let bad = |bad: BadValue| value_error(BadValue { name: format!("{name}{when}"), ..bad });
    Range::Limit.check(name, limit).map_err(bad)
}
