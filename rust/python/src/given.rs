//! Groups of parameters as they are given: dicts with the key "params".

use gradstep_core::spec::Spec;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::Items;
use crate::errors::{a_type, memory_error, type_error, value_error};
use crate::groups::Group;

/// A parameter group, and what it has under "params".
pub(crate) type GroupWithParams<'py> = (Bound<'py, PyDict>, Bound<'py, PyAny>);

/// The groups, if `params` is a list of dicts that have the key "params".
pub(crate) fn given_groups<'py>(params: &Bound<'py, PyAny>) -> PyResult<Vec<GroupWithParams<'py>>> {
    let Some(mut entries) = Items::of(params) else { return Ok(Vec::new()) };
    let mut groups: Vec<GroupWithParams<'py>> = Vec::new();
    let mut other = None;
    for i in 0..entries.len() {
        let entry = entries.get(i)?.to_owned();
        let params = entry.cast::<PyDict>().map_or(Ok(None), |dict| dict.get_item("params"))?;
        match params {
            Some(params) => {
                groups.try_reserve(1).map_err(memory_error)?;
                groups.push((entry.cast::<PyDict>()?.clone(), params));
            }
            None => other = other.or(Some(i)),
        }
    }
    if let Some(i) = other
        && !groups.is_empty()
    {
        let what = a_type(&entries.get(i)?.to_owned());
        return Err(value_error(format!(
            "params[{i}] is {what} without the key 'params', but other entries are groups, which have it"
        )));
    }
    Ok(groups)
}

/// Refuses keys that a group has not, at a place that errors call so.
pub(crate) fn check_keys(
    spec: &'static Spec,
    group: &Bound<'_, PyDict>,
    place: &str,
    besides: Option<&'static str>,
) -> PyResult<()> {
    for key in group.keys() {
        let Ok(key) = key.extract::<String>() else {
            return Err(type_error(format!("{place} has the key {}, not a string", key.repr()?)));
        };
        let mut names = besides.into_iter().chain(Group::names(spec));
        if !names.any(|name| name == key) {
            let names = besides.into_iter().chain(Group::names(spec)).collect::<Vec<_>>().join(", ");
            return Err(value_error(format!("{place} has the key '{key}'; a group takes {names}")));
        }
    }
    Ok(())
}
