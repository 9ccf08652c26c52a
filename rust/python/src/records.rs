//! Named numbers as dicts, to be saved and restored.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::value_error;
use crate::numbers::{real, wrong_type};

/// `{name: number}`, with None for what is not finite, because nothing has given it yet: JSON has no infinity.
pub(crate) fn write<'py>(
    py: Python<'py>,
    names: &[&'static str],
    numbers: &[f64],
) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    for (name, number) in names.iter().zip(numbers) {
        record.set_item(name, number.is_finite().then_some(number))?;
    }
    Ok(record)
}

/// The numbers of a dict that has just these names. Where `numbers`, those of the start, have an infinity, None
/// stands for it. Errors call the dict `label`.
pub(crate) fn read(
    label: &str,
    names: &[&'static str],
    mut numbers: Vec<f64>,
    record: &Bound<'_, PyAny>,
) -> PyResult<Vec<f64>> {
    let Ok(dict) = record.cast::<PyDict>() else {
        return Err(wrong_type(label, "a dict", record));
    };
    for (name, number) in names.iter().zip(&mut numbers) {
        let Some(value) = dict.get_item(name)? else {
            return Err(value_error(format!("{label} has no '{name}'; it has {}", dict.keys().repr()?)));
        };
        if !(value.is_none() && number.is_infinite()) {
            *number = real(format_args!("{label}['{name}']"), &value, "a number")?;
        }
    }
    if dict.len() != names.len() {
        let (has, wanted) = (dict.keys().repr()?, names.join(", "));
        return Err(value_error(format!("{label} has {has}, but only {wanted} are wanted")));
    }
    Ok(numbers)
}
