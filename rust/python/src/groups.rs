//! From `params` to the groups, their settings and their arrays.

use gradstep_core::rules::Spec;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PySet, PyTuple};

use crate::arrays::{a_type, writable};
use crate::errors::{type_error, value_error};
use crate::parameters::Parameter;
use crate::settings::Setting;
use crate::steps::Member;
use crate::trees::{Leaf, Tree, label};

/// What an optimizer is made of.
pub(crate) struct Assembled {
    /// The structure of `params`; where there are groups, a list of one structure for each.
    pub(crate) tree: Tree,
    pub(crate) members: Vec<Member>,
    pub(crate) settings: Vec<Setting>,
}

pub(crate) fn spec(rule: &str) -> PyResult<&'static Spec> {
    Spec::named(rule).ok_or_else(|| value_error(format!("there is no rule named '{rule}'")))
}

/// Checks `params` and gives every array fresh state. Options that a group leaves out are `defaults`.
pub(crate) fn assemble(
    spec: &'static Spec,
    decoupled_weight_decay: bool,
    params: &Bound<'_, PyAny>,
    defaults: &Bound<'_, PyDict>,
) -> PyResult<Assembled> {
    let (mut leaves, mut members, mut settings) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |params: &Bound<'_, PyAny>, path: &str, setting: Setting| {
        let tree = add_group(params, path, settings.len(), &setting, &mut leaves, &mut members)?;
        settings.push(setting);
        Ok::<_, PyErr>(tree)
    };
    let tree = if let Some(groups) = groups(params)? {
        let mut items = Vec::with_capacity(groups.len());
        for (i, (group, params)) in groups.iter().enumerate() {
            check_keys(spec, group, i)?;
            let place = format!(" of params[{i}]");
            let setting = Setting::new(spec, decoupled_weight_decay, &[group, defaults], place)?;
            items.push(add(params, &i.to_string(), setting)?);
        }
        Tree::Sequence { path: String::new(), items }
    } else {
        add(params, "", Setting::new(spec, decoupled_weight_decay, &[defaults], String::new())?)?
    };
    if members.is_empty() {
        return Err(value_error("params holds no array"));
    }
    check_names(params.py(), &members)?;
    Ok(Assembled { tree, members, settings })
}

/// A parameter group, and what it has under "params".
type GroupWithParams<'py> = (Bound<'py, PyDict>, Bound<'py, PyAny>);

/// The groups, if `params` is a list of dicts that have the key "params".
fn groups<'py>(params: &Bound<'py, PyAny>) -> PyResult<Option<Vec<GroupWithParams<'py>>>> {
    let entries: Vec<_> = if let Ok(list) = params.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = params.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Ok(None);
    };
    let mut groups = Vec::new();
    for entry in &entries {
        if let Ok(dict) = entry.cast::<PyDict>()
            && let Some(params) = dict.get_item("params")?
        {
            groups.push((dict.clone(), params));
        }
    }
    if groups.is_empty() {
        return Ok(None);
    }
    if let Some(i) = entries.iter().position(|entry| !groups.iter().any(|(group, _)| group.is(entry))) {
        let what = a_type(&entries[i]);
        return Err(value_error(format!(
            "params[{i}] is {what} without the key 'params', but other entries are groups, which have it"
        )));
    }
    Ok(Some(groups))
}

fn check_keys(spec: &'static Spec, group: &Bound<'_, PyDict>, i: usize) -> PyResult<()> {
    for key in group.keys() {
        let Ok(key) = key.extract::<String>() else {
            return Err(type_error(format!("params[{i}] has the key {}, not a string", key.repr()?)));
        };
        if key != "params" && !Setting::names(spec).any(|name| name == key) {
            let names = Setting::names(spec).collect::<Vec<_>>().join(", ");
            return Err(value_error(format!(
                "params[{i}] has the key '{key}'; a group takes params, {names}"
            )));
        }
    }
    Ok(())
}

/// Appends the arrays of one group, each with fresh state, to `leaves` and `members`. Returns their
/// structure.
fn add_group(
    params: &Bound<'_, PyAny>,
    path: &str,
    group: usize,
    setting: &Setting,
    leaves: &mut Vec<Leaf>,
    members: &mut Vec<Member>,
) -> PyResult<Tree> {
    let py = params.py();
    let rule = setting.build()?;
    let init = rule.init(&setting.start(py)?);
    let before = leaves.len();
    let tree = Tree::new(params, path, leaves)?;
    // All parameters are checked before memory is taken for any.
    for leaf in &leaves[before..] {
        writable(leaf.array.bind(py), &|| label("params", &leaf.path))?;
    }
    let full_like = py.import("numpy")?.getattr("full_like")?;
    for leaf in &leaves[before..] {
        let array = leaf.array.bind(py);
        let fresh = |&value| full_like.call1((array, value, py.None(), "K", false));
        let state = init.iter().map(fresh).collect::<PyResult<_>>()?;
        let (parameter, writes) =
            Parameter::new(array, &leaf.path, ["params", "grads"], rule.state(), state)?;
        members.push(Member { group, parameter, writes });
    }
    Ok(tree)
}

/// How `state` calls a parameter; a lone array is the first of one.
pub(crate) fn name(path: &str) -> &str {
    if path.is_empty() { "0" } else { path }
}

fn check_names(py: Python<'_>, members: &[Member]) -> PyResult<()> {
    let seen = PySet::empty(py)?;
    for member in members {
        let path = name(&member.parameter.path);
        if seen.contains(path)? {
            let label = label("params", path);
            return Err(value_error(format!(
                "two arrays are named {label}: a key holds a dot or nothing, or an int and a string are alike"
            )));
        }
        seen.add(path)?;
    }
    Ok(())
}
