//! A hyperparameter as it arrives from Python: a number, or a schedule that gives one for each step.

use gradstep_core::error::BadValue;
use gradstep_core::feedback::Feedback;
use gradstep_core::rule::{Hyper, Kind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyString, PyType};
use std::sync::Arc;

use crate::errors::{type_error, value_error};
use crate::numbers::{flag, real, wrong_type};
use crate::schedules::Schedule;

pub(crate) enum Value {
    Constant(f64),
    Scheduled(Py<Schedule>),
}

impl Value {
    /// What was given for a hyperparameter; `place` follows its name in errors. A constant is in its range.
    #[inline]
    pub(crate) fn of(hyper: &Hyper, object: &Bound<'_, PyAny>, place: &str) -> PyResult<Self> {
        // The name with its place is only needed where there is something to say of it.
        if let Ok(float) = object.cast_exact::<PyFloat>()
            && let Kind::Number(range) | Kind::Optional(range) = hyper.kind
            && range.check(hyper.name, float.value()).is_ok()
        {
            return Ok(Self::Constant(float.value()));
        }
        if let (Ok(flag), Kind::Choice(["False", "True"])) = (object.cast_exact::<PyBool>(), hyper.kind) {
            return Ok(Self::Constant(f64::from(flag.is_true())));
        }
        Self::of_any(hyper, object, &format!("{}{place}", hyper.name))
    }

    fn of_any(hyper: &Hyper, object: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        match hyper.kind {
            Kind::Choice(names) => Ok(Self::Constant(choice(name, names, object)? as f64)),
            Kind::Optional(_) if object.is_none() => Ok(Self::Constant(f64::NAN)),
            Kind::Number(range) | Kind::Optional(range) => {
                let value = Self::new(object, name)?;
                if let Self::Constant(constant) = value {
                    range.check(name, constant).map_err(value_error)?;
                }
                Ok(value)
            }
        }
    }

    /// `name` is how errors call it.
    pub(crate) fn new(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if let Ok(float) = object.cast_exact::<PyFloat>() {
            return Ok(Self::Constant(float.value()));
        }
        if let Ok(schedule) = object.cast::<Schedule>() {
            return Ok(Self::Scheduled(schedule.clone().unbind()));
        }
        real(name, object, "a float or a schedule").map(Self::Constant).map_err(|error| {
            if !error.is_instance_of::<PyTypeError>(object.py()) || !object.is_callable() {
                return error;
            }
            let hint = if object
                .cast::<PyType>()
                .is_ok_and(|kind| kind.is_subclass_of::<Schedule>().unwrap_or(false))
            {
                "; a schedule is made by calling its class, as Cosine(0.1, 1000)"
            } else {
                "; gs.schedules.Lambda makes one of a function"
            };
            type_error(format!("{}{hint}", error.value(object.py())))
        })
    }

    pub(crate) fn at(&self, py: Python<'_>, t: u64) -> PyResult<f64> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Scheduled(schedule) => schedule.get().evaluate(py, t),
        }
    }

    pub(crate) fn constant(&self) -> Option<f64> {
        if let Self::Constant(value) = self { Some(*value) } else { None }
    }

    /// Whether its value at a step is found without running Python code.
    pub(crate) fn is_pure(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Scheduled(schedule) => schedule.get().is_pure(),
        }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(*value),
            Self::Scheduled(schedule) => Self::Scheduled(schedule.clone_ref(py)),
        }
    }

    pub(crate) fn schedule(&self) -> Option<&Py<Schedule>> {
        if let Self::Scheduled(schedule) = self { Some(schedule) } else { None }
    }

    /// The feedback schedules inside.
    pub(crate) fn feedback(&self) -> &[Arc<dyn Feedback>] {
        match self {
            Self::Constant(_) => &[],
            Self::Scheduled(schedule) => schedule.get().feedback(),
        }
    }

    /// As Python shows it, but for long lists.
    pub(crate) fn describe(&self, py: Python<'_>, kind: Kind) -> PyResult<String> {
        match self {
            Self::Constant(value) => Ok(shown(py, kind, *value).repr()?.to_string()),
            Self::Scheduled(schedule) => Schedule::describe(schedule.bind(py)),
        }
    }

    /// What was given, or the like.
    pub(crate) fn object<'py>(&self, py: Python<'py>, kind: Kind) -> Bound<'py, PyAny> {
        match self {
            Self::Constant(value) => shown(py, kind, *value),
            Self::Scheduled(schedule) => schedule.bind(py).clone().into_any(),
        }
    }
}

/// A number as Python has what it stands for.
pub(crate) fn shown(py: Python<'_>, kind: Kind, value: f64) -> Bound<'_, PyAny> {
    match kind {
        Kind::Choice(names) => match names[value as usize] {
            name @ ("False" | "True") => PyBool::new(py, name == "True").to_owned().into_any(),
            NONE => py.None().into_bound(py),
            name => PyString::new(py, name).into_any(),
        },
        Kind::Optional(_) if value.is_nan() => py.None().into_bound(py),
        Kind::Number(_) | Kind::Optional(_) => PyFloat::new(py, value).into_any(),
    }
}

/// The place among `names` of what was given: a bool, or a string.
fn choice(name: &str, names: &'static [&'static str], object: &Bound<'_, PyAny>) -> PyResult<usize> {
    if let Kind::Choice(flags) = Kind::FLAG
        && names == flags
    {
        return flag(name, object).map(usize::from);
    }
    let place = |wanted: &str| names.iter().position(|&name| name == wanted);
    let found = if object.is_none() {
        place(NONE)
    } else if let Ok(text) = object.cast::<PyString>() {
        place(&text.to_cow()?).filter(|&i| !is_bool(names[i]) && names[i] != NONE)
    } else if let Ok(flag) = flag(name, object) {
        place(if flag { "True" } else { "False" })
    } else {
        let wanted = match names[0] {
            NONE => "a str or None",
            first if is_bool(first) => "a bool or a str",
            _ => "a str",
        };
        return Err(wrong_type(name, wanted, object));
    };
    found.ok_or_else(|| {
        let quoted = names
            .iter()
            .map(|&name| if is_bool(name) || name == NONE { name.to_owned() } else { format!("'{name}'") });
        let wants = format!("one of {}", quoted.collect::<Vec<_>>().join(", "));
        let got = object.repr().map_or_else(|_| "something else".to_owned(), |repr| repr.to_string());
        value_error(BadValue::new(name, &wants, got))
    })
}

/// What stands for None among names.
const NONE: &str = "None";

fn is_bool(name: &str) -> bool {
    matches!(name, "False" | "True")
}
