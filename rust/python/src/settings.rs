//! What an optimizer was told: the hyperparameters of its groups, and the limits on all gradients.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::clipping::{Clip, LIMITS};
use crate::errors::value_error;
use crate::groups::Group;
use crate::headroom;
use crate::values::Value;

/// About what making one group takes, or telling of it.
pub(crate) const BYTES_OF_A_GROUP: usize = 4096;

/// It never changes: to set a hyperparameter is to make another.
pub(crate) struct Settings {
    pub(crate) groups: Vec<Group>,
    pub(crate) clip: Clip,
}

impl Settings {
    /// MemoryError unless there is room to do something for each group.
    pub(crate) fn ensure_headroom(&self) -> PyResult<()> {
        headroom::ensure(self.groups.len(), BYTES_OF_A_GROUP)
    }

    /// All hyperparameters and limits.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.groups.iter().flat_map(Group::values).chain(self.clip.values())
    }

    /// What a hyperparameter is at step `t`; a tuple in group order if there are several groups.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str, t: u64) -> PyResult<Bound<'py, PyAny>> {
        if let Some(i) = LIMITS.iter().position(|&limit| limit == name) {
            return Ok(self.clip.limit(py, i, t)?.into_pyobject(py)?);
        }
        self.ensure_headroom()?;
        let values = self.groups.iter().map(|group| group.get(py, name, t)).collect::<PyResult<Vec<_>>>()?;
        match <[_; 1]>::try_from(values) {
            Ok([value]) => Ok(value),
            Err(values) => Ok(PyTuple::new(py, values)?.into_any()),
        }
    }

    /// The same with another value of a hyperparameter: for all groups, or a tuple of one for each.
    pub(crate) fn with(&self, name: &str, value: &Bound<'_, PyAny>, t: u64) -> PyResult<Self> {
        self.ensure_headroom()?;
        let py = value.py();
        if let Some(i) = LIMITS.iter().position(|&limit| limit == name) {
            let groups = self.groups.iter().map(|group| group.clone_ref(py)).collect();
            return Ok(Self { groups, clip: self.clip.with(i, value, t)? });
        }
        let count = self.groups.len();
        let values = match value.cast::<PyTuple>() {
            Ok(values) if values.len() == count => values.iter().collect(),
            Ok(values) => {
                let given = values.len();
                return Err(value_error(format!("{name} has {given} entries, but there are {count} groups")));
            }
            Err(_) => vec![value.clone(); count],
        };
        let values = values.iter().map(|value| Value::new(value, name)).collect::<PyResult<Vec<_>>>()?;
        let groups = self.groups.iter().zip(&values);
        let groups = groups.map(|(group, value)| group.with(py, name, value, t)).collect::<PyResult<_>>()?;
        Ok(Self { groups, clip: self.clip.clone_ref(py) })
    }

    /// A dict for each group: of its own hyperparameters, and of the limits.
    pub(crate) fn objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.ensure_headroom()?;
        let dicts = self.groups.iter().map(|group| {
            let dict = group.objects(py)?;
            self.clip.add_to(&dict)?;
            Ok(dict)
        });
        PyTuple::new(py, dicts.collect::<PyResult<Vec<_>>>()?)
    }
}
