//! Nested structures of arrays, the path names of their leaves, and matching one structure to another.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{Fields, a_type};
use crate::errors::{type_error, value_error};

/// The structure of the parameters; leaves are numbered in order of appearance.
pub(crate) enum Tree {
    Leaf(usize),
    Sequence { path: String, items: Vec<Tree> },
    Mapping { path: String, items: Vec<(Py<PyAny>, Tree)> },
}

/// An array of a structure, with its path name: `fc1.w`, `blocks.3.bias`, and for a lone array nothing.
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) array: Py<PyAny>,
}

/// Deeper than this is a structure that contains itself.
const MAX_DEPTH: usize = 100;

impl Tree {
    /// Takes `object` apart; its arrays are appended to `leaves` and numbered as they stand there.
    pub(crate) fn new(object: &Bound<'_, PyAny>, path: &str, leaves: &mut Vec<Leaf>) -> PyResult<Self> {
        Self::nested(object, path.to_owned(), leaves, 0)
    }

    fn nested(
        object: &Bound<'_, PyAny>,
        path: String,
        leaves: &mut Vec<Leaf>,
        depth: usize,
    ) -> PyResult<Self> {
        if Fields::of(object).is_some() {
            leaves.push(Leaf { path, array: object.clone().unbind() });
            return Ok(Self::Leaf(leaves.len() - 1));
        }
        if depth == MAX_DEPTH {
            return Err(value_error(format!(
                "params is nested more than {MAX_DEPTH} deep; does it contain itself?"
            )));
        }
        if let Ok(dict) = object.cast::<PyDict>() {
            let mut items = Vec::with_capacity(dict.len());
            for (key, value) in dict.iter() {
                let child = Self::nested(&value, join(&path, &key.str()?.to_string()), leaves, depth + 1)?;
                items.push((key.unbind(), child));
            }
            return Ok(Self::Mapping { path, items });
        }
        let Some(entries) = entries(object) else {
            let what = a_type(object);
            return Err(type_error(format!(
                "{} is {what}; an ndarray, or a list, tuple or dict of ndarrays is wanted",
                label("params", &path)
            )));
        };
        let mut items = Vec::with_capacity(entries.len());
        for i in 0..entries.len() {
            items.push(Self::nested(&entries.get(i)?, join(&path, &i.to_string()), leaves, depth + 1)?);
        }
        Ok(Self::Sequence { path, items })
    }

    /// Calls `visit(leaf number, object)` for each leaf of `grads`, which must have this structure.
    pub(crate) fn walk<'py>(
        &self,
        grads: &Bound<'py, PyAny>,
        visit: &mut dyn FnMut(usize, &Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        match self {
            Self::Leaf(leaf) => visit(*leaf, grads),
            Self::Sequence { path, items } => {
                let Some(entries) = entries(grads) else {
                    return Err(other_structure(grads, path, "a list or tuple"));
                };
                if entries.len() != items.len() {
                    return Err(value_error(format!(
                        "{} has {} entries, but {} has {}",
                        label("grads", path),
                        entries.len(),
                        label("params", path),
                        items.len()
                    )));
                }
                for (i, item) in items.iter().enumerate() {
                    item.walk(&entries.get(i)?, visit)?;
                }
                Ok(())
            }
            Self::Mapping { path, items } => {
                let Ok(dict) = grads.cast::<PyDict>() else {
                    return Err(other_structure(grads, path, "a dict"));
                };
                for (key, item) in items {
                    match dict.get_item(key)? {
                        Some(value) => item.walk(&value, visit)?,
                        None => return Err(missing_name("grads", "params", path, key.bind(grads.py()))),
                    }
                }
                if dict.len() != items.len() {
                    return Err(extra_name(dict, items, path)?);
                }
                Ok(())
            }
        }
    }
}

/// A list or a tuple, whichever it is.
enum Entries<'a, 'py> {
    List(&'a Bound<'py, PyList>),
    Tuple(&'a Bound<'py, PyTuple>),
}

fn entries<'a, 'py>(object: &'a Bound<'py, PyAny>) -> Option<Entries<'a, 'py>> {
    if let Ok(list) = object.cast::<PyList>() {
        return Some(Entries::List(list));
    }
    object.cast::<PyTuple>().ok().map(Entries::Tuple)
}

impl<'py> Entries<'_, 'py> {
    fn len(&self) -> usize {
        match self {
            Self::List(list) => list.len(),
            Self::Tuple(tuple) => tuple.len(),
        }
    }

    fn get(&self, i: usize) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::List(list) => list.get_item(i),
            Self::Tuple(tuple) => tuple.get_item(i),
        }
    }
}

/// `params['fc1.w']`, or `params` for the whole.
pub(crate) fn label(root: &str, path: &str) -> String {
    if path.is_empty() { root.to_owned() } else { format!("{root}['{path}']") }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn other_structure(grads: &Bound<'_, PyAny>, path: &str, wanted: &str) -> PyErr {
    value_error(format!(
        "{} is {}, but {} is {wanted}",
        label("grads", path),
        a_type(grads),
        label("params", path)
    ))
}

fn missing_name(without: &str, with: &str, path: &str, key: &Bound<'_, PyAny>) -> PyErr {
    let name = key.repr().map_or_else(|_| "a key".to_owned(), |repr| repr.to_string());
    value_error(format!("{} has no {name}, but {} has it", label(without, path), label(with, path)))
}

fn extra_name(grads: &Bound<'_, PyDict>, items: &[(Py<PyAny>, Tree)], path: &str) -> PyResult<PyErr> {
    let known = PyDict::new(grads.py());
    for (key, _) in items {
        known.set_item(key, true)?;
    }
    for key in grads.keys() {
        if !known.contains(&key)? {
            return Ok(missing_name("params", "grads", path, &key));
        }
    }
    Ok(value_error(format!(
        "{} has {} entries, but {} has {}",
        label("grads", path),
        grads.len(),
        label("params", path),
        items.len()
    )))
}
