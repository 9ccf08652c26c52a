//! Reading numbers: one taste and one grammar for all that the package is given.
//!
//! A number is what Python and NumPy calculate with: their own numbers, numeric arrays without axes, anything
//! else with `__float__` or `__index__`. A bool is none, and neither is an array of bools, complex numbers,
//! text or times, though NumPy would convert it.

use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};
use std::fmt::Display;

use crate::arrays::is_masked;
use crate::errors::{type_error, value_error};

/// Dtypes from here on are not NumPy's own, such as bfloat16.
const NPY_USERDEF: i32 = 256;

/// A number as a float. `wants` is what an error says that it must be. What reading it raises is passed on.
pub(crate) fn real(name: impl Display, object: &Bound<'_, PyAny>, wants: &str) -> PyResult<f64> {
    if let Ok(float) = object.cast::<PyFloat>() {
        return Ok(float.value());
    }
    if !is_number(object)? {
        return Err(wrong_type(name, wants, object));
    }
    object.extract().map_err(|error| refusal(error, name, object, wants, "fit into a float"))
}

/// An integer below 2⁶³. What reading it raises is passed on.
pub(crate) fn integer(name: impl Display, object: &Bound<'_, PyAny>, wants: &str) -> PyResult<i64> {
    if !object.is_exact_instance_of::<PyInt>() && !is_number(object)? {
        return Err(wrong_type(name, wants, object));
    }
    object.extract().map_err(|error: PyErr| {
        let negative = error.is_instance_of::<PyOverflowError>(object.py()) && object.lt(0).unwrap_or(false);
        let range = if negative { "be at least 0" } else { "be below 2**63" };
        refusal(error, name, object, wants, range)
    })
}

/// A number of updates done: an integer from 0 to below 2⁶³.
pub(crate) fn step(name: impl Display, object: &Bound<'_, PyAny>, wants: &str) -> PyResult<u64> {
    let step = integer(&name, object, wants)?;
    u64::try_from(step).map_err(|_| value_error(format!("{name} must be at least 0, got {step}")))
}

/// Python's bool or NumPy's.
pub(crate) fn flag(name: impl Display, object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.extract().map_err(|_| wrong_type(name, "a bool", object))
}

/// [`real`] for what Python code measures.
#[pyfunction(name = "real")]
#[pyo3(signature = (name, value, /))]
pub(crate) fn measured(name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    real(name.to_string_lossy(), value, "a number")
}

pub(crate) fn wrong_type(name: impl Display, wants: &str, got: &Bound<'_, PyAny>) -> PyErr {
    type_error(format!("{name} must be {wants}, got {}", type_name(got)))
}

/// What errors call an object: "str", "None", "an array of shape (2,)".
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    if object.is_none() {
        return "None".to_owned();
    }
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return match array.shape() {
            _ if is_masked(object).unwrap_or(false) => "a masked array".to_owned(),
            [] => format!("a 0-d array of {}", array.dtype()),
            [one] => format!("an array of shape ({one},)"),
            many => format!("an array of shape {many:?}").replace('[', "(").replace(']', ")"),
        };
    }
    object.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

/// Whether an object is a number if it can be converted to one.
fn is_number(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_instance_of::<PyInt>() {
        return Ok(!object.is_instance_of::<PyBool>());
    }
    if let Ok(array) = object.cast::<PyUntypedArray>()
        && (array.ndim() > 0 || is_masked(object)?)
    {
        return Ok(false);
    }
    // Scalars and arrays of NumPy, and of libraries that use its dtypes.
    let dtype = object.getattr_opt("dtype")?.and_then(|dtype| dtype.cast_into::<PyArrayDescr>().ok());
    Ok(dtype.is_none_or(|dtype| b"fiu".contains(&dtype.kind()) || dtype.num() >= NPY_USERDEF))
}

/// Why a conversion failed: the object is too large, or no number after all, or says so itself.
fn refusal(error: PyErr, name: impl Display, object: &Bound<'_, PyAny>, wants: &str, range: &str) -> PyErr {
    let py = object.py();
    if error.is_instance_of::<PyOverflowError>(py) {
        value_error(format!("{name} must {range}, got {}", shown(object)))
    } else if error.is_instance_of::<PyTypeError>(py) {
        wrong_type(name, wants, object)
    } else {
        error
    }
}

/// A number for an error: without its digits where there are many.
fn shown(object: &Bound<'_, PyAny>) -> String {
    const MOST_BITS: usize = 128;
    let Ok(integer) = object.call_method0("__index__") else {
        return type_name(object);
    };
    match integer.call_method0("bit_length").and_then(|bits| bits.extract::<usize>()) {
        Ok(bits) if bits > MOST_BITS => format!("an integer of {bits} bits"),
        _ => integer.to_string(),
    }
}
