//! One step, whole: evaluate the hyperparameters, check every array, take the norm, write.
//!
//! Everything that can fail comes before the first write. [`Stepper`] is what the optimizer classes and
//! `functional` share.

use gradstep_core::error::Range;
use gradstep_core::floats::Dtype;
use gradstep_core::groups::Group;
use gradstep_core::norms::Partials;
use gradstep_core::plans::{Plan, Tensor};
use gradstep_core::simd::Tier;
use pyo3::prelude::*;

use crate::arrays::{Writable, check_overlap};
use crate::errors::value_error;
use crate::parameters::{Parameter, Written};
use crate::settings::{Setting, Value};
use crate::trees::label;

/// Limits on the gradients of all groups together.
#[derive(Default)]
pub(crate) struct Clip {
    /// The largest global norm: g ← g·min(1, c/(‖g‖ + 10⁻⁶)), torch's formula.
    pub(crate) norm: Option<Value>,
    /// The largest magnitude of an element, after the norm was clipped.
    pub(crate) value: Option<Value>,
}

/// Parameters with their state and rules, ready to step.
pub(crate) struct Stepper {
    pub(crate) settings: Vec<Setting>,
    pub(crate) parameters: Vec<Parameter>,
    /// The global norm of the last step's gradients, if it was taken.
    pub(crate) norm: Option<f64>,
    clip: Clip,
    groups: Vec<Box<dyn Group>>,
    /// The dtypes that occur in each group.
    dtypes: Vec<Vec<Dtype>>,
    tensors: Vec<Tensor>,
    plan: Plan,
    partials: Partials,
    written: Written,
    /// The gradients of the step under way, kept alive while it reads them.
    held: Vec<Py<PyAny>>,
    tier: Tier,
}

/// A parameter of a group, with what a step will write of it.
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) parameter: Parameter,
    pub(crate) writes: Vec<Writable>,
}

impl Stepper {
    pub(crate) fn new(
        settings: Vec<Setting>,
        groups: Vec<Box<dyn Group>>,
        members: Vec<Member>,
        clip: Clip,
    ) -> PyResult<Self> {
        let mut dtypes = vec![Vec::new(); groups.len()];
        let (mut parameters, mut tensors) = (Vec::new(), Vec::new());
        let (mut writes, mut names) = (Vec::new(), Vec::new());
        for member in members {
            let tensor = Parameter::tensor(member.group, &member.writes);
            if !dtypes[member.group].contains(&tensor.dtype) {
                dtypes[member.group].push(tensor.dtype);
            }
            let own = label("params", &member.parameter.path);
            let slots = groups[member.group].state().iter().map(|slot| format!("{slot} of {own}"));
            names.extend(std::iter::once(own.clone()).chain(slots));
            writes.extend(member.writes);
            parameters.push(member.parameter);
            tensors.push(tensor);
        }
        check_overlap(&writes, &|i| names[i].clone())?;
        let plan = Plan::new(tensors.iter().map(|tensor| tensor.len));
        Ok(Self {
            settings,
            held: Vec::with_capacity(parameters.len()),
            parameters,
            norm: None,
            clip,
            groups,
            dtypes,
            partials: Partials::new(&plan),
            plan,
            tensors,
            written: Written::new(&writes),
            tier: Tier::active().map_err(value_error)?,
        })
    }

    /// The number of elements of all parameters.
    pub(crate) fn elements(&self) -> usize {
        self.plan.elements()
    }

    /// Update number `t`. `walk` hands each gradient to its parameter.
    pub(crate) fn step<'py>(
        &mut self,
        py: Python<'py>,
        t: u64,
        walk: impl FnOnce(&mut dyn FnMut(usize, &Bound<'py, PyAny>) -> PyResult<()>) -> PyResult<()>,
    ) -> PyResult<()> {
        let result = self.checked(py, t, walk);
        self.held.clear();
        result
    }

    fn checked<'py>(
        &mut self,
        py: Python<'py>,
        t: u64,
        walk: impl FnOnce(&mut dyn FnMut(usize, &Bound<'py, PyAny>) -> PyResult<()>) -> PyResult<()>,
    ) -> PyResult<()> {
        for setting in &mut self.settings {
            setting.evaluate(py, t)?;
        }
        let max_norm = self.clip.limit(py, t, "clip_norm")?;
        let limit = self.clip.limit(py, t, "clip_value")?.unwrap_or(f64::INFINITY);
        let Self { parameters, tensors, written, held, .. } = self;
        walk(&mut |leaf, grads| {
            held.push(parameters[leaf].admit(grads, &mut tensors[leaf], written)?.unbind());
            Ok(())
        })?;
        // Last, because reading the gradients may have run Python code.
        for (parameter, tensor) in self.parameters.iter().zip(&self.tensors) {
            parameter.verify(py, tensor)?;
        }
        let scale = match max_norm {
            Some(max_norm) => self.clip_scale(py, max_norm)?,
            None => 1.0,
        };
        for (i, setting) in self.settings.iter().enumerate() {
            setting.prepare(&mut *self.groups[i], t, scale, limit, &self.dtypes[i]);
        }
        let Self { plan, groups, tensors, tier, .. } = self;
        // SAFETY: `admit` and `verify` have just checked every pointer: valid for the tensor's length,
        // aligned, of that dtype, no write overlapping anything. `held` and `parameters` keep the arrays
        // alive. That no other thread writes to them meanwhile is the caller's part, as with any NumPy
        // call that releases the GIL.
        py_detached(py, plan.is_large(), || unsafe { plan.sweep(*tier, groups, tensors) });
        Ok(())
    }

    fn clip_scale(&mut self, py: Python<'_>, max_norm: f64) -> PyResult<f64> {
        let Self { plan, partials, tensors, tier, .. } = self;
        // SAFETY: as for the sweep.
        let norm = py_detached(py, plan.is_large(), || unsafe { partials.norm(*tier, plan, tensors) });
        if !norm.is_finite() {
            return Err(value_error(
                format!("clip_norm needs finite gradients, but their norm is {norm}").to_lowercase(),
            ));
        }
        self.norm = Some(norm);
        Ok((max_norm / (norm + 1e-6)).min(1.0))
    }
}

impl Clip {
    /// A constant that is out of range is refused now, a scheduled value at its step.
    pub(crate) fn new(norm: Option<&Bound<'_, PyAny>>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let read = |object: &Bound<'_, PyAny>, name: &str| {
            let value = Value::new(object, name)?;
            if let Some(constant) = value.constant() {
                Range::NonNegative.check(name, constant).map_err(value_error)?;
            }
            PyResult::Ok(value)
        };
        Ok(Self {
            norm: norm.map(|object| read(object, "clip_norm")).transpose()?,
            value: value.map(|object| read(object, "clip_value")).transpose()?,
        })
    }

    fn limit(&self, py: Python<'_>, t: u64, name: &str) -> PyResult<Option<f64>> {
        let value = if name == "clip_norm" { &self.norm } else { &self.value };
        let Some(value) = value else { return Ok(None) };
        let limit = value.at(py, t)?;
        let name = format!("{name} at step {t}");
        Range::NonNegative.check(&name, limit).map(Some).map_err(value_error)
    }
}

/// Runs `work` without the GIL if it is worth releasing.
fn py_detached<T: Send>(py: Python<'_>, large: bool, work: impl FnOnce() -> T + Send) -> T {
    if large { py.detach(work) } else { work() }
}
