//! The kinds of refusal: TypeError for what an object is, ValueError for what it has; and where memory is short.

use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use std::collections::TryReserveError;
use std::fmt::Display;

pub(crate) fn type_error(message: impl Display) -> PyErr {
    PyTypeError::new_err(message.to_string())
}

pub(crate) fn value_error(message: impl Display) -> PyErr {
    PyValueError::new_err(message.to_string())
}

pub(crate) fn out_of_memory(_: TryReserveError) -> PyErr {
    PyMemoryError::new_err(())
}
