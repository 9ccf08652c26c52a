//! Named numbers as dicts, to be saved and restored.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::errors::{memory_error, value_error};
use crate::numbers::{real, wrong_type};

/// `{name: number}`, with None for what is not finite, because nothing has given it yet: JSON has no infinity. `list` is
/// the name of all further numbers together.
pub(crate) fn write<'py>(
    py: Python<'py>,
    names: &[&'static str],
    list: Option<&'static str>,
    numbers: &[f64],
) -> PyResult<Bound<'py, PyDict>> {
    let record = PyDict::new(py);
    for (name, number) in names.iter().zip(numbers) {
        record.set_item(name, number.is_finite().then_some(number))?;
    }
    if let Some(list) = list {
        record.set_item(list, PyList::new(py, &numbers[names.len()..])?)?;
    }
    Ok(record)
}

/// The numbers of a dict that has just these names, and then those of the list. Where `numbers`, those of the start, have an infinity, None
/// stands for it. Errors call the dict `label`.
pub(crate) fn read(
    label: &str,
    names: &[&'static str],
    list: Option<&'static str>,
    mut numbers: Vec<f64>,
    record: &Bound<'_, PyAny>,
) -> PyResult<Vec<f64>> {
    let Ok(dict) = record.cast::<PyDict>() else {
        return Err(wrong_type(label, "a dict", record));
    };
    let find = |name: &str| {
        let missing = || value_error(format!("{label} has no '{name}'; it has {}", dict.keys()));
        dict.get_item(name)?.ok_or_else(missing)
    };
    for (name, number) in names.iter().zip(&mut numbers) {
        let value = find(name)?;
        if !(value.is_none() && number.is_infinite()) {
            *number = real(format_args!("{label}['{name}']"), &value, "a number")?;
        }
    }
    if let Some(list) = list {
        let values = find(list)?;
        let Ok(values) = values.cast::<PyList>() else {
            return Err(wrong_type(format_args!("{label}['{list}']"), "a list", &values));
        };
        numbers.try_reserve(values.len()).map_err(memory_error)?;
        for (i, value) in values.iter().enumerate() {
            numbers.push(real(format_args!("{label}['{list}'][{i}]"), &value, "a number")?);
        }
    }
    let wanted: Vec<_> = names.iter().copied().chain(list).collect();
    if dict.len() != wanted.len() {
        let (has, wanted) = (dict.keys().repr()?, wanted.join(", "));
        return Err(value_error(format!("{label} has {has}, but only {wanted} are wanted")));
    }
    Ok(numbers)
}
