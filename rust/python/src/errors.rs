//! The kinds of refusal: TypeError for what an object is, ValueError for what it has.

use pyo3::exceptions::{PyAttributeError, PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::collections::TryReserveError;
use std::fmt::Display;

pub(crate) fn type_error(message: impl Display) -> PyErr {
    PyTypeError::new_err(message.to_string())
}

pub(crate) fn value_error(message: impl Display) -> PyErr {
    PyValueError::new_err(message.to_string())
}

/// For a name that cannot be assigned to.
pub(crate) fn attribute_error(message: impl Display) -> PyErr {
    PyAttributeError::new_err(message.to_string())
}

pub(crate) fn memory_error(_: TryReserveError) -> PyErr {
    PyMemoryError::new_err(())
}

/// "a list", "an int", "None".
pub(crate) fn a_type(object: &Bound<'_, PyAny>) -> String {
    if object.is_none() {
        return "None".to_owned();
    }
    let name = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    let article = if vowel || name == "ndarray" { "an" } else { "a" };
    format!("{article} {name}")
}

/// `params['fc1.w']`, or `params` for the whole.
pub(crate) fn label(root: &str, path: &str) -> String {
    if path.is_empty() { root.to_owned() } else { format!("{root}['{path}']") }
}
