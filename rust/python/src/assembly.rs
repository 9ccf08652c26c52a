//! From `params` to the groups with their hyperparameters and arrays.

use gradstep_core::rules;
use gradstep_core::spec::Spec;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyTuple};
use std::sync::Arc;

use crate::arrays::{Leaves, Member, Parameter, writable};
use crate::clipping::{Clip, LIMITS};
use crate::errors::{a_type, label, memory_error, type_error, value_error};
use crate::groups::Group;
use crate::headroom;
use crate::settings::{BYTES_OF_A_GROUP, Settings};
use crate::steps::Stepper;
use crate::structures::Structure;
use crate::trees::{BYTES_OF_AN_ENTRY, Kind, Leaf, Tree};
use crate::values::Value;

/// What errors call the parameters and their gradients.
const ROOTS: [&str; 2] = ["params", "grads"];

pub(crate) fn spec(rule: &str) -> PyResult<&'static Spec> {
    rules::named(rule).ok_or_else(|| value_error(format!("there is no rule named '{rule}'")))
}

/// Checks `params` and `options` for an optimizer of that class, and gives every array fresh state.
pub(crate) fn assemble(
    class: &str,
    spec: &'static Spec,
    decoupled: bool,
    params: &Bound<'_, PyAny>,
    options: &Bound<'_, PyDict>,
) -> PyResult<(Structure, Stepper)> {
    let py = params.py();
    check_options(class, spec, options)?;
    let (mut leaves, mut owners, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |params: &Bound<'_, PyAny>, path: &str, group: Group| {
        let tree = Tree::new(params, path, &mut leaves)?;
        owners.resize(leaves.len(), groups.len());
        groups.push(group);
        Ok::<_, PyErr>(tree)
    };
    let given = given_groups(params)?;
    let tree = if given.is_empty() {
        add(params, "", Group::new(spec, decoupled, &[options], String::new())?)?
    } else {
        headroom::ensure(given.len(), BYTES_OF_A_GROUP)?;
        let mut items = Vec::with_capacity(given.len());
        for (i, (group, params)) in given.iter().enumerate() {
            check_keys(spec, group, i)?;
            let place = format!(" of params[{i}]");
            items.push(add(params, &i.to_string(), Group::new(spec, decoupled, &[group, options], place)?)?);
        }
        Tree::Sequence { path: String::new(), items, kind: Kind::List }
    };
    if leaves.is_empty() {
        return Err(value_error("params holds no array"));
    }
    let mut limits = LIMITS.map(|_| None);
    for (limit, name) in limits.iter_mut().zip(LIMITS) {
        *limit = match options.get_item(name)? {
            Some(given) if !given.is_none() => Some(Value::new(&given, name)?),
            _ => None,
        };
    }
    let settings = Settings { groups, clip: Clip::new(limits)? };
    let (mut slots, mut now) = (Vec::new(), Vec::new());
    for group in &settings.groups {
        let (slots_of_one, now_of_one) = group.start(py)?;
        slots.push(slots_of_one);
        now.push(now_of_one);
    }
    // All parameters are checked before memory is taken for any.
    let members = members(py, leaves, &owners)?;
    let structure = Structure {
        tree,
        params: params.clone().unbind(),
        groups: given.into_iter().map(|(group, _)| group.unbind()).collect(),
        known: false,
    };
    let leaves = Leaves::new(py, members, &slots)?;
    Ok((structure, Stepper::new(leaves, Arc::new(settings), now)?))
}

fn members(py: Python<'_>, leaves: Vec<Leaf>, owners: &[usize]) -> PyResult<Vec<Member>> {
    headroom::ensure(leaves.len(), BYTES_OF_AN_ENTRY)?;
    let names = PySet::empty(py)?;
    let mut members = Vec::with_capacity(leaves.len());
    for (leaf, &group) in leaves.into_iter().zip(owners) {
        let found = writable(leaf.array.bind(py), &|| label(ROOTS[0], &leaf.path))?;
        let (data, layout) = (found.data(), found.layout());
        let parameter = Parameter::new(leaf.array, leaf.path, layout, ROOTS).watched(py);
        if names.contains(parameter.name())? {
            let label = label(ROOTS[0], parameter.name());
            return Err(value_error(format!(
                "two arrays are named {label}: a key holds a dot or nothing, or an int and a string are alike"
            )));
        }
        names.add(parameter.name())?;
        members.push(Member { group, parameter, data });
    }
    Ok(members)
}

/// A parameter group, and what it has under "params".
type GroupWithParams<'py> = (Bound<'py, PyDict>, Bound<'py, PyAny>);

/// The groups, if `params` is a list of dicts that have the key "params".
fn given_groups<'py>(params: &Bound<'py, PyAny>) -> PyResult<Vec<GroupWithParams<'py>>> {
    let entries = match (params.cast::<PyList>(), params.cast::<PyTuple>()) {
        (Ok(list), _) => list.as_sequence(),
        (_, Ok(tuple)) => tuple.as_sequence(),
        _ => return Ok(Vec::new()),
    };
    let mut groups: Vec<GroupWithParams<'py>> = Vec::new();
    let mut other = None;
    for i in 0..entries.len()? {
        let entry = entries.get_item(i)?;
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
        let what = a_type(&entries.get_item(i)?);
        return Err(value_error(format!(
            "params[{i}] is {what} without the key 'params', but other entries are groups, which have it"
        )));
    }
    Ok(groups)
}

fn check_keys(spec: &'static Spec, group: &Bound<'_, PyDict>, i: usize) -> PyResult<()> {
    for key in group.keys() {
        let Ok(key) = key.extract::<String>() else {
            return Err(type_error(format!("params[{i}] has the key {}, not a string", key.repr()?)));
        };
        if key != "params" && !Group::names(spec).any(|name| name == key) {
            let names = Group::names(spec).collect::<Vec<_>>().join(", ");
            return Err(value_error(format!(
                "params[{i}] has the key '{key}'; a group takes params, {names}"
            )));
        }
    }
    Ok(())
}

fn check_options(class: &str, spec: &'static Spec, options: &Bound<'_, PyDict>) -> PyResult<()> {
    for key in options.keys() {
        let key: String = key.extract()?;
        if LIMITS.contains(&&*key) || Group::names(spec).any(|name| name == key) {
            continue;
        }
        let hint = if key == "betas" { "; betas=(a, b) is written beta1=a, beta2=b" } else { "" };
        let names = Group::names(spec).chain(LIMITS).collect::<Vec<_>>().join(", ");
        return Err(type_error(format!(
            "{class}() got an unexpected keyword argument '{key}'{hint}; it takes params, {names}"
        )));
    }
    Ok(())
}
