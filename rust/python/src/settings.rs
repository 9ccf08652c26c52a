//! What an optimizer was told: the hyperparameters of its groups, the limits on all gradients, and what a step does.

use gradstep_core::codecs::Format;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::clipping::{Clip, LIMITS};
use crate::errors::value_error;
use crate::groups::Group;
use crate::headroom;
use crate::policies::{NonFinite, POLICIES, Policies};
use crate::values::Value;

/// About what making one group takes, or telling of it.
pub(crate) const BYTES_OF_A_GROUP: usize = 4096;

/// It never changes: to set a hyperparameter is to make another.
pub(crate) struct Settings {
    pub(crate) groups: Vec<Group>,
    /// None where nothing is limited.
    pub(crate) clip: Option<Clip>,
    pub(crate) policies: Policies,
}

impl Settings {
    /// MemoryError unless there is room to do something for each group.
    pub(crate) fn ensure_headroom(&self) -> PyResult<()> {
        headroom::ensure(self.groups.len(), BYTES_OF_A_GROUP)
    }

    /// All hyperparameters and limits.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.groups.iter().flat_map(Group::values).chain(self.clip.iter().flat_map(Clip::values))
    }

    /// Whether the norm of all gradients, or of each, is limited.
    pub(crate) fn limits_norms(&self) -> bool {
        self.clip.as_ref().is_some_and(Clip::wants_norm) || self.groups.iter().any(Group::clips_each)
    }

    /// What a hyperparameter is at step `t`; a tuple in group order if there are several groups.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str, t: u64) -> PyResult<Bound<'py, PyAny>> {
        if let Some(i) = LIMITS.iter().position(|&limit| limit == name) {
            let limit = self.clip.as_ref().map_or(Ok(None), |clip| clip.limit(py, i, t))?;
            return Ok(limit.into_pyobject(py)?);
        }
        if POLICIES.contains(&name) {
            return self.policies.get(py, name);
        }
        self.ensure_headroom()?;
        let values = self.groups.iter().map(|group| group.get(py, name, t)).collect::<PyResult<Vec<_>>>()?;
        match <[_; 1]>::try_from(values) {
            Ok([value]) => Ok(value),
            Err(values) => Ok(PyTuple::new(py, values)?.into_any()),
        }
    }

    /// With state in blocks, gradients that are not finite are refused if nobody says otherwise: one element stops all of
    /// its block.
    pub(crate) fn settled(mut self) -> Self {
        let is_in_blocks = self.groups.iter().any(|group| group.format() == Format::Float8);
        if self.policies.nonfinite == NonFinite::Unsaid && is_in_blocks {
            self.policies.nonfinite = NonFinite::Raise;
        }
        self
    }

    /// The same with another value of a hyperparameter: for all groups, or a tuple of one for each.
    pub(crate) fn with(&self, name: &str, value: &Bound<'_, PyAny>, t: u64) -> PyResult<Self> {
        self.ensure_headroom()?;
        let py = value.py();
        let mut new = Self {
            groups: self.groups.iter().map(|group| group.clone_ref(py)).collect(),
            clip: self.clip.as_ref().map(|clip| clip.clone_ref(py)),
            policies: self.policies,
        };
        if let Some(i) = LIMITS.iter().position(|&limit| limit == name) {
            new.clip = Clip::with(self.clip.as_ref(), i, value, t)?;
        } else if POLICIES.contains(&name) {
            new.policies = self.policies.with(name, value)?;
        } else {
            let values = self.for_each_group(name, value)?;
            let groups = self.groups.iter().zip(&values).map(|(group, value)| group.with(name, value, t));
            new.groups = groups.collect::<PyResult<_>>()?;
        }
        Ok(new.settled())
    }

    fn for_each_group<'py>(&self, name: &str, value: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let count = self.groups.len();
        match value.cast::<PyTuple>() {
            // One pair for all.
            Ok(pair) if name == "bounds" && !pair.iter().any(|bounds| bounds.is_instance_of::<PyTuple>()) => {
                Ok(vec![value.clone(); count])
            }
            Ok(values) if values.len() == count => Ok(values.iter().collect()),
            Ok(values) => {
                let given = values.len();
                Err(value_error(format!("{name} has {given} entries, but there are {count} groups")))
            }
            Err(_) => Ok(vec![value.clone(); count]),
        }
    }

    /// `lr=0.1; lr=0.2 with clip_norm=1.0`: each group, and what all have in common.
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<String> {
        self.ensure_headroom()?;
        let groups = self.groups.iter().map(|group| group.describe(py));
        let groups = groups.collect::<PyResult<Vec<_>>>()?.join("; ");
        let mut common = self.clip.as_ref().map_or(Ok(Vec::new()), |clip| clip.describe(py))?;
        common.extend(self.policies.describe(py)?);
        Ok(if common.is_empty() { groups } else { format!("{groups} with {}", common.join(", ")) })
    }

    /// A dict for each group: of its own hyperparameters, and of what all have in common.
    pub(crate) fn objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.ensure_headroom()?;
        let dicts = self.groups.iter().map(|group| {
            let dict = PyDict::new(py);
            group.add_to(&dict)?;
            Clip::add_to(self.clip.as_ref(), &dict)?;
            self.policies.add_to(&dict)?;
            Ok(dict)
        });
        PyTuple::new(py, dicts.collect::<PyResult<Vec<_>>>()?)
    }
}
