//! A hyperparameter as it arrives from Python: a number, or a schedule that gives one for each step.

use gradstep_core::feedback::Feedback;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyFloat;
use std::sync::Arc;

use crate::errors::type_error;
use crate::numbers::real;
use crate::schedules::Schedule;

pub(crate) enum Value {
    Constant(f64),
    Scheduled(Py<Schedule>),
}

impl Value {
    /// `name` is how errors call it.
    pub(crate) fn new(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if let Ok(float) = object.cast_exact::<PyFloat>() {
            return Ok(Self::Constant(float.value()));
        }
        if let Ok(schedule) = object.cast::<Schedule>() {
            return Ok(Self::Scheduled(schedule.clone().unbind()));
        }
        real(name, object, "a float or a schedule").map(Self::Constant).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(object.py()) && object.is_callable() {
                type_error(format!(
                    "{}; gs.schedules.Lambda makes one of a function",
                    error.value(object.py())
                ))
            } else {
                error
            }
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
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<String> {
        match self {
            Self::Constant(value) => Ok(PyFloat::new(py, *value).repr()?.to_string()),
            Self::Scheduled(schedule) => Schedule::describe(schedule.bind(py)),
        }
    }

    /// The float or the schedule.
    pub(crate) fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        match self {
            Self::Constant(value) => PyFloat::new(py, *value).into_any(),
            Self::Scheduled(schedule) => schedule.bind(py).clone().into_any(),
        }
    }
}
