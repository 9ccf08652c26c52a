//! One step, whole: check every array, observe, evaluate the hyperparameters, write.
//!
//! Everything that can fail comes before the first write. [`Stepper`] is what the optimizer classes and
//! `functional` share.

use gradstep_core::error::{Number, Range};
use gradstep_core::feedback::Signal;
use gradstep_core::floats::Dtype;
use gradstep_core::groups::Group;
use gradstep_core::norms::Partials;
use gradstep_core::plans::{Plan, Tensor};
use gradstep_core::simd::Tier;
use pyo3::prelude::*;

use crate::arrays::{Writable, check_overlap};
use crate::errors::value_error;
use crate::observers::Observers;
use crate::parameters::{Parameter, Written};
use crate::settings::{Setting, Value};
use crate::trees::label;

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
            let own = label("params", &member.parameter.path);
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
        stepper.find_observers();
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
        // Last, because what came before may have run Python code.
        for (parameter, tensor) in self.parameters.iter().zip(&self.tensors) {
            parameter.verify(py, tensor)?;
        }
        for (i, setting) in self.settings.iter().enumerate() {
            setting.prepare(&mut *self.groups[i], t, scale, limit, &self.dtypes[i]);
        }
        let Self { plan, groups, tensors, tier, .. } = self;
        // SAFETY: `admit` and `verify` have checked every pointer: valid for the tensor's length, aligned,
        // of that dtype, no write overlapping anything. `held` and `parameters` keep the arrays alive,
        // and NumPy does not move the memory of an array that others hold. That no other thread writes
        // to them meanwhile is the caller's part, as with any NumPy call that releases the GIL.
        detached(py, plan.is_large(), || unsafe { plan.sweep(*tier, groups, tensors) });
        self.norm = norm;
        Ok(())
    }

    /// The global norm of the gradients, if clipping or a feedback schedule needs it.
    fn norm_if_wanted(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        if self.clip.norm.is_none() && !self.observers.want_norm() {
            return Ok(None);
        }
        let Self { plan, partials, tensors, tier, .. } = self;
        // SAFETY: as for the sweep; gradients are only read.
        let norm = detached(py, plan.is_large(), || unsafe { partials.norm(*tier, plan, tensors) });
        if self.clip.norm.is_none() || norm.is_finite() {
            return Ok(Some(norm));
        }
        let culprit = partials
            .first_nonfinite(plan)
            .map_or("all gradients".to_owned(), |tensor| label("grads", &self.parameters[tensor].path));
        let norm = Number(norm);
        Err(value_error(format!("clip_norm needs a finite gradient norm, but that of {culprit} is {norm}")))
    }

    /// Finds the feedback schedules, at first and after a hyperparameter was replaced.
    pub(crate) fn find_observers(&mut self) {
        let of_clip = [&self.clip.norm, &self.clip.value].into_iter().flatten();
        let all = self.settings.iter().flat_map(Setting::values).chain(of_clip);
        self.observers = Observers::new(all.flat_map(Value::feedback));
    }
}

impl Clip {
    pub(crate) fn new(norm: Option<&Bound<'_, PyAny>>, value: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let read = |limit: Option<&Bound<'_, PyAny>>, name| {
            let limit = limit.map(|limit| Value::new(limit, name)).transpose()?;
            if let Some(constant) = limit.as_ref().and_then(Value::constant) {
                Range::NonNegative.check(name, constant).map_err(value_error)?;
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
            Range::NonNegative.check(&format!("{name} at step {t}"), limit).map(Some).map_err(value_error)
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
