//! One step, whole: check every array, observe, evaluate the hyperparameters, write.
//!
//! Everything that can fail comes before the first write. [`Stepper`] is what the optimizer classes and
//! `functional` share.

use gradstep_core::error::Number;
use gradstep_core::feedback::Signal;
use gradstep_core::floats::Dtype;
use gradstep_core::groups::Group;
use gradstep_core::norms::Partials;
use gradstep_core::plans::{Plan, Tensor};
use gradstep_core::ranges::Range;
use gradstep_core::simd::Tier;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::arrays::{Writable, check_overlap};
use crate::errors::value_error;
use crate::observers::Observers;
use crate::parameters::{Parameter, Written};
use crate::settings::{Setting, Value};

/// Limits on the gradients of all groups together.
#[derive(Default)]
pub(crate) struct Clip {
    /// The largest global norm: g ← g·min(1, c/(‖g‖ + 10⁻⁶)), torch's formula.
    norm: Option<Value>,
    /// The largest magnitude of an element, after the norm was clipped.
    value: Option<Value>,
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
    /// The feedback schedules among the hyperparameters.
    observers: Observers,
    /// The gradients of the step under way in the order of the parameters, kept alive while it reads them.
    held: Vec<Py<PyAny>>,
    tier: Tier,
}

/// A parameter of a group, with what a step will write of it.
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) parameter: Parameter,
    pub(crate) writes: Vec<Writable>,
}

/// Hands the gradient of a leaf to its parameter.
pub(crate) type Admit<'a, 'py> = dyn FnMut(usize, &Bound<'py, PyAny>) -> PyResult<()> + 'a;

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
            let own = &member.parameter.own;
            let slots = groups[member.group].state().iter().map(|slot| format!("{slot} of {own}"));
            names.extend(std::iter::once(own.clone()).chain(slots));
            writes.extend(member.writes);
            parameters.push(member.parameter);
            tensors.push(tensor);
        }
        check_overlap(&writes, &|i| names[i].clone())?;
        let plan = Plan::new(tensors.iter().map(|tensor| tensor.len));
        let mut stepper = Self {
            settings,
            observers: Observers::default(),
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
        };
        stepper.find_observers()?;
        Ok(stepper)
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.observers
    }

    /// The number of elements of all parameters.
    pub(crate) fn elements(&self) -> usize {
        self.plan.elements()
    }

    /// Update number `t`. `walk` hands each gradient to its parameter; `loss` is observed first.
    pub(crate) fn step<'py>(
        &mut self,
        py: Python<'py>,
        t: u64,
        loss: Option<&Bound<'py, PyAny>>,
        walk: impl FnOnce(&mut Admit<'_, 'py>) -> PyResult<()>,
    ) -> PyResult<()> {
        let states = self.observers.states();
        let result = self.checked(py, t, loss, walk);
        self.held.clear();
        if result.is_err() {
            self.observers.restore(&states);
        }
        result
    }

    fn checked<'py>(
        &mut self,
        py: Python<'py>,
        t: u64,
        loss: Option<&Bound<'py, PyAny>>,
        walk: impl FnOnce(&mut Admit<'_, 'py>) -> PyResult<()>,
    ) -> PyResult<()> {
        let Self { parameters, tensors, written, held, .. } = self;
        walk(&mut |leaf, grads| {
            held.push(parameters[leaf].admit(grads, &mut tensors[leaf], written)?.unbind());
            Ok(())
        })?;
        if let Some(loss) = loss {
            self.observers.observe_loss(loss)?;
        }
        let norm = self.norm_if_wanted(py)?;
        if let Some(norm) = norm {
            self.observers.observe(Signal::GradNorm, norm)?;
        }
        for setting in &mut self.settings {
            setting.evaluate(py, t)?;
        }
        let (scale, limit) = self.clip.at(py, t, norm)?;
        self.verify(py)?;
        for (i, setting) in self.settings.iter().enumerate() {
            setting.prepare(&mut *self.groups[i], t, scale, limit, &self.dtypes[i]);
        }
        let Self { plan, groups, tensors, tier, .. } = self;
        // SAFETY: `admit` has checked every pointer, and `verify` once more after the last Python code: valid
        // for the tensor's length, aligned, of that dtype, no write overlapping anything. `held` and
        // `parameters` keep the arrays alive. That no other thread writes to them, or takes their memory away,
        // until the sweep is over is the caller's part, as with any NumPy call that releases the GIL.
        detached(py, plan.is_large(), || unsafe { plan.sweep(*tier, groups, tensors) });
        self.norm = norm;
        Ok(())
    }

    /// The global norm of the gradients, if clipping or a feedback schedule needs it.
    fn norm_if_wanted(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        if self.clip.norm.is_none() && !self.observers.want_norm() {
            return Ok(None);
        }
        self.verify(py)?;
        let Self { plan, partials, tensors, tier, .. } = self;
        // SAFETY: as for the sweep; gradients are only read.
        let norm = detached(py, plan.is_large(), || unsafe { partials.norm(*tier, plan, tensors) });
        if self.clip.norm.is_none() || norm.is_finite() {
            return Ok(Some(norm));
        }
        let (culprit, norm) = match partials.first_nonfinite(plan) {
            Some((tensor, norm)) => (&*self.parameters[tensor].grads, norm),
            None => ("all gradients", norm),
        };
        let norm = Number(norm);
        Err(value_error(format!("clip_norm needs a finite gradient norm, but that of {culprit} is {norm}")))
    }

    /// Every array is still what was checked, whatever Python code has run since.
    fn verify(&self, py: Python<'_>) -> PyResult<()> {
        for ((parameter, tensor), grads) in self.parameters.iter().zip(&self.tensors).zip(&self.held) {
            parameter.verify(py, tensor)?;
            parameter.verify_grads(grads.bind(py), tensor)?;
        }
        Ok(())
    }

    /// The Python objects that may be part of a cycle: schedules, and the arrays (which may be of a subclass).
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for schedule in self.values().filter_map(Value::schedule) {
            visit.call(schedule)?;
        }
        for parameter in &self.parameters {
            visit.call(&parameter.array)?;
            parameter.state.iter().try_for_each(|slot| visit.call(slot))?;
        }
        Ok(())
    }

    /// All hyperparameters, those of clipping included.
    fn values(&self) -> impl Iterator<Item = &Value> {
        let of_clip = [&self.clip.norm, &self.clip.value].into_iter().flatten();
        self.settings.iter().flat_map(Setting::values).chain(of_clip)
    }

    /// Finds the feedback schedules, at first and after a hyperparameter was replaced.
    pub(crate) fn find_observers(&mut self) -> PyResult<()> {
        self.observers = Observers::new(self.values().flat_map(Value::feedback))?;
        Ok(())
    }
}

impl Clip {
    pub(crate) fn new(norm: Option<&Bound<'_, PyAny>>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let read = |limit: Option<&Bound<'_, PyAny>>, name| {
            let limit = limit.map(|limit| Value::new(limit, name)).transpose()?;
            if let Some(constant) = limit.as_ref().and_then(Value::constant) {
                Range::Limit.check(name, constant).map_err(value_error)?;
            }
            Ok::<_, PyErr>(limit)
        };
        Ok(Self { norm: read(norm, "clip_norm")?, value: read(value, "clip_value")? })
    }

    /// What gradients of that norm are multiplied by, and what they are then limited to.
    fn at(&self, py: Python<'_>, t: u64, norm: Option<f64>) -> PyResult<(f64, f64)> {
        let limit = |value: &Option<Value>, name| {
            let Some(value) = value else { return Ok(None) };
            let limit = value.at(py, t)?;
            Range::Limit.check(&format!("{name} at step {t}"), limit).map(Some).map_err(value_error)
        };
        let scale = match (limit(&self.norm, "clip_norm")?, norm) {
            (Some(max_norm), Some(norm)) => (max_norm / (norm + 1e-6)).min(1.0),
            _ => 1.0,
        };
        Ok((scale, limit(&self.value, "clip_value")?.unwrap_or(f64::INFINITY)))
    }
}

/// Runs `work` without the GIL if it is worth releasing.
fn detached<T: Send>(py: Python<'_>, large: bool, work: impl FnOnce() -> T + Send) -> T {
    if large { py.detach(work) } else { work() }
}
