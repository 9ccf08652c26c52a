//! What a step does as a whole, beside the numbers of its groups.

use gradstep_core::error::BadValue;
use gradstep_core::ranges::{Range, count};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyString};

use crate::errors::{attribute_error, value_error};
use crate::numbers::{flag, integer, real, wrong_type};

/// Their names, as options.
pub(crate) const POLICIES: [&str; 5] = ["clip_eps", "nonfinite", "accumulate", "measure", "seed"];

#[derive(Clone, Copy)]
pub(crate) struct Policies {
    /// What is added to a norm before a limit is divided by it.
    pub(crate) clip_eps: f64,
    pub(crate) nonfinite: NonFinite,
    /// Of how many calls one makes an update.
    pub(crate) accumulate: u64,
    /// Whether the norms of an update and of the parameters are taken.
    pub(crate) measure: bool,
    /// What the random bits depend on by which state in fewer bits is rounded.
    pub(crate) seed: u64,
}

/// What to do with gradients that have NaN or infinite elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonFinite {
    /// Refuse them where their norm is taken anyway.
    Unsaid,
    Raise,
    Skip,
    Propagate,
}

const NAMES: [(&str, NonFinite); 3] =
    [("raise", NonFinite::Raise), ("skip", NonFinite::Skip), ("propagate", NonFinite::Propagate)];

impl NonFinite {
    /// Whether they are looked for even where no norm is wanted.
    pub(crate) fn is_looked_for(self) -> bool {
        matches!(self, Self::Raise | Self::Skip)
    }
}

impl Policies {
    pub(crate) const NONE: Self =
        Self { clip_eps: 1e-6, nonfinite: NonFinite::Unsaid, accumulate: 1, measure: false, seed: 0 };

    /// What is the same for the same policies.
    pub(crate) fn numbers(self) -> [f64; 5] {
        let Self { clip_eps, nonfinite, accumulate, measure, seed } = self;
        [clip_eps, f64::from(nonfinite as u8), accumulate as f64, f64::from(u8::from(measure)), seed as f64]
    }

    pub(crate) fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut policies = Self::NONE;
        for name in POLICIES {
            if let Some(given) = options.get_item(name)? {
                policies.read(name, &given)?;
            }
        }
        Ok(policies)
    }

    fn read(&mut self, name: &str, given: &Bound<'_, PyAny>) -> PyResult<()> {
        match name {
            "clip_eps" => {
                let eps = real(name, given, "a float")?;
                self.clip_eps = Range::NonNegative.check(name, eps).map_err(value_error)?;
            }
            "nonfinite" => self.nonfinite = nonfinite(given)?,
            "accumulate" => {
                self.accumulate = count(name, integer(name, given, "an integer")?, 1).map_err(value_error)?;
            }
            "measure" => self.measure = flag(name, given)?,
            _ => self.seed = count(name, integer(name, given, "an integer")?, 0).map_err(value_error)?,
        }
        Ok(())
    }

    /// The same with another value of one of them.
    pub(crate) fn with(mut self, name: &str, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if name == "accumulate" {
            return Err(attribute_error("accumulate decides what the state is, and cannot be changed"));
        }
        if name == "seed" {
            return Err(attribute_error("seed decides how the state is rounded, and cannot be changed"));
        }
        self.read(name, given)?;
        Ok(self)
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        Ok(match name {
            "clip_eps" => PyFloat::new(py, self.clip_eps).into_any(),
            "nonfinite" => match NAMES.iter().find(|(_, policy)| *policy == self.nonfinite) {
                Some((name, _)) => PyString::new(py, name).into_any(),
                None => py.None().into_bound(py),
            },
            "accumulate" => self.accumulate.into_pyobject(py)?.into_any(),
            "measure" => PyBool::new(py, self.measure).to_owned().into_any(),
            _ => self.seed.into_pyobject(py)?.into_any(),
        })
    }

    /// `nonfinite='skip'`, for each that is not as always.
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let mut parts = Vec::new();
        for name in POLICIES {
            let (own, usual) = (self.get(py, name)?, Self::NONE.get(py, name)?);
            if own.ne(&usual)? {
                parts.push(format!("{name}={}", own.repr()?));
            }
        }
        Ok(parts)
    }

    pub(crate) fn add_to(&self, objects: &Bound<'_, PyDict>) -> PyResult<()> {
        POLICIES.iter().try_for_each(|name| objects.set_item(name, self.get(objects.py(), name)?))
    }
}

fn nonfinite(given: &Bound<'_, PyAny>) -> PyResult<NonFinite> {
    if given.is_none() {
        return Ok(NonFinite::Unsaid);
    }
    let Ok(text) = given.cast::<PyString>() else {
        return Err(wrong_type("nonfinite", "a str or None", given));
    };
    let text = text.to_cow()?;
    NAMES.iter().find(|(name, _)| *name == text).map(|&(_, policy)| policy).ok_or_else(|| {
        value_error(BadValue::new("nonfinite", "None, 'raise', 'skip' or 'propagate'", format!("'{text}'")))
    })
}
