//! Nested structures of arrays, the path names of their leaves, and matching one structure to another.

use pyo3::Borrowed;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::arrays::{Fields, Items, Lookup, references, speaks_dlpack, writable_import};
use crate::errors::{a_type, label, memory_error, type_error, value_error};
use crate::headroom;
use crate::roots::Root;

/// The structure of the parameters; leaves are numbered in order of appearance.
pub(crate) enum Tree {
    Leaf(usize),
    Sequence { path: String, items: Vec<Tree>, kind: Kind },
    Mapping { path: String, items: Vec<(Py<PyAny>, Tree)> },
}

/// What a sequence is given back as.
pub(crate) enum Kind {
    List,
    Tuple,
    /// By this function of its type: a named tuple's `_make`.
    Made(Py<PyAny>),
}

/// An array of a structure, with its path name: `fc1.w`, `blocks.3.bias`, and for a lone array nothing.
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) array: Py<PyAny>,
    /// What was found, if that is an array of another library.
    pub(crate) foreign: Option<Py<PyAny>>,
}

/// Deeper than this is a structure that contains itself.
const MAX_DEPTH: usize = 100;

/// About what one entry of a structure takes until it is part of an optimizer.
pub(crate) const BYTES_OF_AN_ENTRY: usize = 1024;

impl Tree {
    /// Takes `object` apart, which errors call `root`; its arrays are appended to `leaves` and numbered as they stand
    /// there.
    pub(crate) fn new(
        object: &Bound<'_, PyAny>,
        root: &str,
        path: &str,
        leaves: &mut Vec<Leaf>,
    ) -> PyResult<Self> {
        Self::nested(object, root, path.to_owned(), leaves, 0)
    }

    fn nested(
        object: &Bound<'_, PyAny>,
        root: &str,
        path: String,
        leaves: &mut Vec<Leaf>,
        depth: usize,
    ) -> PyResult<Self> {
        if Fields::of(object).is_some() {
            // Of many small containers none has asked for much.
            headroom::ensure_next(leaves.len(), BYTES_OF_AN_ENTRY)?;
            leaves.try_reserve(1).map_err(memory_error)?;
            leaves.push(Leaf { path, array: object.clone().unbind(), foreign: None });
            return Ok(Self::Leaf(leaves.len() - 1));
        }
        if depth == MAX_DEPTH {
            return Err(value_error(format!(
                "{root} is nested more than {MAX_DEPTH} deep; does it contain itself?"
            )));
        }
        if let Ok(dict) = object.cast::<PyDict>() {
            headroom::ensure(dict.len(), BYTES_OF_AN_ENTRY)?;
            let mut items = Vec::with_capacity(dict.len());
            // A copy: a key's `__str__`, or another thread, may change the dict meanwhile.
            for (key, value) in dict.copy()? {
                let name = key.str()?;
                let name = name.to_cow().map_err(|_| {
                    value_error(format!("{} has a key that UTF-8 cannot hold: {key:?}", label(root, &path)))
                })?;
                let child = Self::nested(&value, root, join(&path, &name), leaves, depth + 1)?;
                items.push((key.unbind(), child));
            }
            return Ok(Self::Mapping { path, items });
        }
        let Some(mut entries) = Items::of(object) else {
            if speaks_dlpack(object)? {
                let array = writable_import(object, &label(root, &path))?.unbind();
                leaves.push(Leaf { path, array, foreign: Some(object.clone().unbind()) });
                return Ok(Self::Leaf(leaves.len() - 1));
            }
            let what = a_type(object);
            return Err(type_error(format!(
                "{} is {what}; an ndarray, or a list, tuple or dict of ndarrays is wanted{}",
                label(root, &path),
                if what == "a float" { " (np.array(0.0) for a number)" } else { "" },
            )));
        };
        headroom::ensure(entries.len(), BYTES_OF_AN_ENTRY)?;
        let mut items = Vec::with_capacity(entries.len());
        for i in 0..entries.len() {
            let entry = entries.get(i)?.to_owned();
            items.push(Self::nested(&entry, root, join(&path, &i.to_string()), leaves, depth + 1)?);
        }
        Ok(Self::Sequence { path, items, kind: Kind::of(object)? })
    }

    /// Calls `visit` with the number of each leaf and what `object`, which must have this structure, has in its
    /// place. Returns whether Python code may have run.
    pub(crate) fn walk<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        root: Root,
        visit: &mut impl FnMut(usize, Borrowed<'_, 'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<bool> {
        match self {
            Self::Leaf(leaf) => visit(*leaf, object.as_borrowed()).map(|()| false),
            Self::Sequence { path, items, .. } => {
                let Some(mut entries) = Items::of(object) else {
                    return Err(root.other_structure(object, path, "a list or tuple"));
                };
                if entries.len() != items.len() {
                    return Err(root.other_length(entries.len(), items.len(), path));
                }
                let mut disturbed = false;
                for (i, item) in items.iter().enumerate() {
                    let entry = entries.get(i)?;
                    match item {
                        Self::Leaf(leaf) => visit(*leaf, entry)?,
                        tree => disturbed |= tree.walk(&entry.to_owned(), root, visit)?,
                    }
                }
                Ok(disturbed)
            }
            Self::Mapping { path, items } => {
                let Ok(dict) = object.cast::<PyDict>() else {
                    return Err(root.other_structure(object, path, "a dict"));
                };
                let mut lookup = Lookup::new(dict);
                for (key, item) in items {
                    let Some(entry) = lookup.get(key)? else {
                        return Err(root.missing(path, key.bind(dict.py())));
                    };
                    match item {
                        Self::Leaf(leaf) => visit(*leaf, entry)?,
                        tree => {
                            let entry = entry.to_owned();
                            lookup.disturbed |= tree.walk(&entry, root, visit)?;
                        }
                    }
                }
                if root != Root::Params && dict.len() != items.len() {
                    return Err(root.extra(dict, items.iter().map(|(key, _)| key), path)?);
                }
                Ok(lookup.disturbed)
            }
        }
    }

    /// Whether nobody else holds the containers on the way to a leaf, of the first of which there are `count` references that we know of.
    pub(crate) fn is_alone(&self, object: &Bound<'_, PyAny>, leaf: usize, count: isize) -> bool {
        let children = match self {
            Self::Leaf(number) => return *number == leaf,
            Self::Sequence { items, .. } => {
                let Some(mut entries) = Items::of(object) else { return false };
                let mut get = |i| entries.get(i).ok().map(Borrowed::to_owned);
                items.iter().enumerate().map(|(i, item)| (get(i), item)).collect::<Vec<_>>()
            }
            Self::Mapping { items, .. } => {
                let Ok(dict) = object.cast::<PyDict>() else { return false };
                let get = |key: &Py<PyAny>| dict.get_item(key).ok().flatten();
                items.iter().map(|(key, item)| (get(key), item)).collect()
            }
        };
        let alone = references(object) == count;
        // Its container's reference, and that of `children`.
        let below = |(child, item): &(Option<_>, &Self)| {
            child.as_ref().is_some_and(|child| item.is_alone(child, leaf, 2))
        };
        alone && children.iter().any(below)
    }
}

impl Tree {
    /// The structure anew, in lists, tuples and dicts of its own, with what `leaf` gives for each number.
    pub(crate) fn build<'py>(
        &self,
        py: Python<'py>,
        leaf: &mut impl FnMut(usize) -> Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Leaf(number) => Ok(leaf(*number)),
            Self::Sequence { items, kind, .. } => {
                let items = items.iter().map(|item| item.build(py, leaf)).collect::<PyResult<Vec<_>>>()?;
                match kind {
                    Kind::List => Ok(PyList::new(py, items)?.into_any()),
                    Kind::Tuple => Ok(PyTuple::new(py, items)?.into_any()),
                    Kind::Made(make) => make.bind(py).call1((items,)),
                }
            }
            Self::Mapping { items, .. } => {
                let dict = PyDict::new(py);
                for (key, item) in items {
                    dict.set_item(key, item.build(py, leaf)?)?;
                }
                Ok(dict.into_any())
            }
        }
    }

    /// Keys may be part of a cycle.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Leaf(_) => Ok(()),
            Self::Sequence { items, kind, .. } => {
                if let Kind::Made(make) = kind {
                    visit.call(make)?;
                }
                items.iter().try_for_each(|item| item.traverse(visit))
            }
            Self::Mapping { items, .. } => items.iter().try_for_each(|(key, item)| {
                visit.call(key)?;
                item.traverse(visit)
            }),
        }
    }
}

impl Kind {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !object.is_instance_of::<PyTuple>() {
            return Ok(Self::List);
        }
        let make = object.get_type().getattr_opt("_make")?;
        Ok(make.map_or(Self::Tuple, |make| Self::Made(make.unbind())))
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
