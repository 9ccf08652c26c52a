//! Values of schedules, for integers and for arrays of them.

use gradstep_core::schedules::{fill_checked, fill_parallel};
use gradstep_core::simd::Tier;
use numpy::{PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyBool, PyFloat, PyInt, PyType};

use super::Schedule;
use super::arguments::type_name;
use crate::errors::{type_error, value_error};

/// From this many steps on the GIL is released: below, that costs more than it gives.
const RELEASE_GIL: usize = 4096;

/// What a [`call_python`] left behind.
pub(super) fn failure(py: Python<'_>) -> Option<PyErr> {
    PyErr::take(py)
}

/// `function(t)`. On failure the exception stays set in the interpreter, for [`failure`] to find after
/// the evaluation, and the value is NaN; while one is set nothing is called.
pub(super) fn call_python(function: &Py<PyAny>, t: u64) -> f64 {
    Python::attach(|py| {
        if PyErr::occurred(py) {
            return f64::NAN;
        }
        let value = function.bind(py).call1((t,)).and_then(|value| {
            let wrong = |_| type_error(format!("function({t}) must be a number, got {}", type_name(&value)));
            value.extract().map_err(wrong)
        });
        value.unwrap_or_else(|error| {
            error.restore(py);
            f64::NAN
        })
    })
}

/// `schedule(t)` for whatever `t` is.
pub(super) fn call<'py>(schedule: &Schedule, t: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if !t.is_exact_instance_of::<PyInt>() {
        if let Ok(array) = t.cast::<PyUntypedArray>() {
            return call_array(schedule, array);
        }
        if !is_integer(t)? {
            return Err(not_integers(&type_name(t)));
        }
    }
    let step = step(t, "t")?;
    Ok(PyFloat::new(t.py(), schedule.evaluate(t.py(), step)?).into_any())
}

/// A number of updates done, which errors call `name`: an integer from 0 to below 2⁶³.
pub(crate) fn step(object: &Bound<'_, PyAny>, name: &str) -> PyResult<u64> {
    if !is_integer(object)? {
        return Err(type_error(format!("{name} must be an integer, got {}", type_name(object))));
    }
    match object.extract::<i64>() {
        Ok(step) if step >= 0 => Ok(step as u64),
        Ok(step) => Err(negative(name, step)),
        Err(_) if object.lt(0)? => Err(negative(name, object)),
        Err(_) => Err(too_large(name, object)),
    }
}

pub(crate) fn is_integer(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.is_exact_instance_of::<PyInt>()
        || (!object.is_instance_of::<PyBool>() && object.hasattr("__index__")?))
}

fn not_integers(got: &str) -> PyErr {
    type_error(format!("t must be an integer or an integer array, got {got}"))
}

fn negative(name: &str, got: impl std::fmt::Display) -> PyErr {
    value_error(format!("{name} must be at least 0, got {got}"))
}

fn too_large(name: &str, got: impl std::fmt::Display) -> PyErr {
    value_error(format!("{name} must be below 2**63, got {got}"))
}

fn call_array<'py>(schedule: &Schedule, t: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyAny>> {
    let py = t.py();
    let steps = steps(t)?;
    let values = PyArrayDyn::<f64>::zeros(py, t.shape(), false);
    let steps = steps.try_readonly().map_err(value_error)?;
    let steps = steps.as_slice()?;
    {
        let mut values = values.try_readwrite().map_err(value_error)?;
        let out = values.as_slice_mut()?;
        let tier = Tier::current();
        let curve = &**schedule.core();
        let filled = if schedule.is_pure() && steps.len() >= RELEASE_GIL {
            py.detach(|| fill_parallel(curve, tier, steps, out))
        } else {
            fill_checked(curve, tier, steps, out)
        };
        if !schedule.is_pure() {
            failure(py).map_or(Ok(()), Err)?;
        }
        let unsigned = t.dtype().kind() == b'u';
        filled.map_err(|bad| if unsigned { too_large("t", bad) } else { negative("t", bad as i64) })?;
    }
    Ok(values.into_any())
}

/// The steps in C order as u64. An int64 keeps its bits, so that a negative one is above 2⁶³.
fn steps<'py>(t: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyArrayDyn<u64>>> {
    static MASKED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = t.py();
    if !t.is_exact_instance_of::<PyUntypedArray>()
        && t.is_instance(MASKED.import(py, "numpy.ma", "MaskedArray")?)?
    {
        return Err(not_integers("a masked array"));
    }
    let native = match t.dtype().kind() {
        b'i' => "int64",
        b'u' => "uint64",
        _ => return Err(not_integers(&format!("an array of {}", t.dtype()))),
    };
    let options = [("order", "C")].into_py_dict(py)?;
    options.set_item("copy", false)?;
    options.set_item("subok", false)?;
    let mut steps = t.call_method("astype", (native,), Some(&options))?;
    // astype without a copy lets a misaligned array through.
    if !steps.getattr("flags")?.getattr("aligned")?.is_truthy()? {
        steps = steps.call_method0("copy")?;
    }
    Ok(steps.call_method1("view", ("uint64",))?.cast_into()?)
}
