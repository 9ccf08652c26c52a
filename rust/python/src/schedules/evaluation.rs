//! Values of schedules, for integers and for arrays of them.

use gradstep_core::machine::simd::Tier;
use gradstep_core::schedules::{Nested, fill_checked, fill_parallel};
use numpy::{PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyFloat, PyInt};

use super::functions::failure;
use super::schedule::Schedule;
use crate::arrays::{doubles, is_masked};
use crate::errors::{type_error, value_error};
use crate::numbers::step;

/// From this many steps on the GIL is released: below, that costs more than it gives.
const RELEASE_GIL: usize = 4096;

const WANTED: &str = "an integer or an integer array";

/// `schedule(t)` for whatever `t` is.
pub(super) fn call<'py>(schedule: &Schedule, t: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if !t.is_exact_instance_of::<PyInt>()
        && let Ok(array) = t.cast::<PyUntypedArray>()
    {
        return call_array(schedule, array);
    }
    let step = step("t", t, WANTED)?;
    Ok(PyFloat::new(t.py(), schedule.evaluate(t.py(), step)?).into_any())
}

fn not_integers(got: &str) -> PyErr {
    type_error(format!("t must be {WANTED}, got {got}"))
}

fn call_array<'py>(schedule: &Schedule, t: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyAny>> {
    let py = t.py();
    let steps = steps(t)?;
    let values = doubles(py, steps.shape())?.cast_into::<PyArrayDyn<f64>>()?;
    let steps = steps.try_readonly().map_err(value_error)?;
    let steps = steps.as_slice()?;
    {
        let mut values = values.try_readwrite().map_err(value_error)?;
        let out = values.as_slice_mut()?;
        let tier = Tier::current();
        let nested = Nested { curve: &*schedule.core, depth: schedule.extent.depth };
        let filled = if schedule.pure && steps.len() >= RELEASE_GIL {
            py.detach(|| fill_parallel(nested, tier, steps, out))
        } else {
            fill_checked(nested, tier, steps, out)
        };
        if !schedule.pure {
            failure(py).map_or(Ok(()), Err)?;
        }
        let unsigned = t.dtype().kind() == b'u';
        filled.map_err(|bad| {
            value_error(if unsigned {
                format!("t must be below 2**63, got {bad}")
            } else {
                format!("t must be at least 0, got {}", bad as i64)
            })
        })?;
    }
    Ok(values.into_any())
}

/// The steps in C order as u64. An int64 keeps its bits, so that a negative one is above 2⁶³.
fn steps<'py>(t: &Bound<'py, PyUntypedArray>) -> PyResult<Bound<'py, PyArrayDyn<u64>>> {
    let py = t.py();
    if is_masked(t)? {
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
