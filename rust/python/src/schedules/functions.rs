//! Python functions of t as the core's curves.

use gradstep_core::schedules::Opaque;
use pyo3::prelude::*;

use crate::numbers::real;

/// A curve that calls `function`. On failure the exception stays set in the interpreter, for [`failure`] to find
/// after the evaluation, and the value is NaN; while one is set nothing is called.
pub(super) fn curve(function: Py<PyAny>) -> Opaque {
    Opaque(Box::new(move |t| {
        Python::attach(|py| {
            if PyErr::occurred(py) {
                return f64::NAN;
            }
            let value = function.bind(py).call1((t,));
            let value = value.and_then(|value| real(format_args!("function({t})"), &value, "a number"));
            value.unwrap_or_else(|error| {
                error.restore(py);
                f64::NAN
            })
        })
    }))
}

/// What an evaluation left behind.
pub(super) fn failure(py: Python<'_>) -> Option<PyErr> {
    PyErr::take(py)
}
