//! What happens to gradients and parameters around every rule, from the options of their group.

use gradstep_core::after::After;
use gradstep_core::numbers::Factors;
use gradstep_core::ranges::Range;
use gradstep_core::rule::on;
use gradstep_core::spec::{AFTER, COUPLED, DECOUPLED, EMA, L1, MAXIMIZE};
use gradstep_core::stages::Around;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::clipping::Clipping;
use crate::errors::value_error;
use crate::numbers::{real, wrong_type};

/// Where every element of a parameter lies after an update.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    low: f64,
    high: f64,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// Of a pair of numbers, each of which may be None.
    pub(crate) fn new(given: &Bound<'_, PyAny>, place: &str) -> PyResult<Self> {
        if given.is_none() {
            return Ok(Self::NONE);
        }
        let Ok((low, high)) = given.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else {
            return Err(wrong_type(format_args!("bounds{place}"), "a pair (low, high)", given));
        };
        let read = |bound: &Bound<'_, PyAny>, i: usize, missing: f64| {
            let name = format!("bounds[{i}]{place}");
            if bound.is_none() {
                return Ok(missing);
            }
            let bound = real(&name, bound, "a float")?;
            Range::NotNan.check(&name, bound).map_err(value_error)
        };
        let bounds = Self { low: read(&low, 0, Self::NONE.low)?, high: read(&high, 1, Self::NONE.high)? };
        if bounds.low > bounds.high {
            return Err(value_error(format!("bounds{place} must rise, got {}", given.repr()?)));
        }
        Ok(bounds)
    }

    /// The pair, or None.
    pub(crate) fn object(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        if self == Self::NONE {
            return Ok(py.None().into_bound(py));
        }
        Ok(PyTuple::new(py, [self.low, self.high])?.into_any())
    }
}

/// The numbers of a step; `options` are those of [`gradstep_core::spec::AROUND`], and `decay` is none of the rule's.
/// `finish` says whether anything may happen after the rule.
#[inline]
pub(crate) fn around(
    options: &[f64],
    lr: f64,
    decay: f64,
    bounds: Bounds,
    finish: bool,
    clipping: Clipping,
) -> Around {
    let Clipping { scale, limit } = clipping;
    let scale = if on(options[MAXIMIZE]) { -scale } else { scale };
    let mut factors = Factors { scale, decay: 0.0, shrink: 1.0 };
    if options[DECOUPLED] == COUPLED {
        factors.decay = decay;
    } else if options[DECOUPLED] != AFTER {
        factors.shrink = 1.0 - lr * decay;
    }
    let after = finish.then(|| After {
        shrink: if options[DECOUPLED] == AFTER { 1.0 - lr * decay } else { 1.0 },
        threshold: lr * options[L1],
        low: bounds.low,
        high: bounds.high,
        average: Some(options[EMA]).filter(|beta| !beta.is_nan()),
    });
    Around { factors, limit, after }
}
