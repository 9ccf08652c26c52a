//! One step, whole: check every array, observe, evaluate the hyperparameters, write.
//!
//! Everything that can fail comes before the first write.

use gradstep_core::error::Number;
use gradstep_core::feedback::Signal;
use gradstep_core::machine::simd::Tier;
use gradstep_core::passes::Pass;
use gradstep_core::plans::Plan;
use gradstep_core::stages::{Scratches, Terms};
use gradstep_core::sums::Partials;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyFloat;
use std::sync::Arc;

use crate::arrays::{Leaves, Lone};
use crate::errors::{memory_error, value_error};
use crate::groups::Group;
use crate::observers::Observers;
use crate::settings::Settings;
use crate::values::Value;

/// Parameters with their state and hyperparameters, ready to step.
pub(crate) struct Stepper {
    pub(crate) leaves: Leaves,
    settings: Arc<Settings>,
    /// The feedback schedules among the hyperparameters.
    observers: Observers,
    /// Each group's hyperparameters at the step under way.
    now: Vec<Vec<f64>>,
    terms: Vec<Terms>,
    plan: Plan,
    partials: Partials,
    scratches: Scratches,
}

impl Stepper {
    pub(crate) fn new(leaves: Leaves, settings: Arc<Settings>) -> PyResult<Self> {
        let mut stepper = Self {
            plan: Plan::new(leaves.lengths()).map_err(memory_error)?,
            leaves,
            settings: Arc::clone(&settings),
            observers: Observers::default(),
            now: Vec::new(),
            terms: Vec::new(),
            partials: Partials::default(),
            scratches: Scratches::default(),
        };
        stepper.set(settings)?;
        Ok(stepper)
    }

    /// Other hyperparameters, for the same groups. Returns those before.
    pub(crate) fn set(&mut self, settings: Arc<Settings>) -> PyResult<Arc<Settings>> {
        self.observers = Observers::new(settings.values().flat_map(Value::feedback))?;
        self.terms = settings.groups.iter().map(Group::terms).collect();
        self.now = settings.groups.iter().map(|group| vec![0.0; group.values().len()]).collect();
        for (group, now) in settings.groups.iter().zip(&mut self.now) {
            group.fill(now);
        }
        Ok(std::mem::replace(&mut self.settings, settings))
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.observers
    }

    /// The number of elements of all parameters.
    pub(crate) fn elements(&self) -> usize {
        self.plan.elements()
    }

    /// Update number `t` with the gradients that were given to the leaves; `loss` is observed first. Returns the
    /// global norm of the gradients, if it was taken. After an error all is as it was.
    pub(crate) fn step(
        &mut self,
        py: Python<'_>,
        t: u64,
        loss: Option<&Bound<'_, PyAny>>,
        disturbed: bool,
    ) -> PyResult<Option<f64>> {
        let states = self.observers.states();
        let result = self.checked(py, t, loss, disturbed);
        if result.is_err() {
            self.observers.restore(&states);
        }
        result
    }

    fn checked(
        &mut self,
        py: Python<'_>,
        t: u64,
        loss: Option<&Bound<'_, PyAny>>,
        mut disturbed: bool,
    ) -> PyResult<Option<f64>> {
        disturbed |= self.leaves.admit(py)?;
        if let Some(loss) = loss {
            self.observers.observe_loss(loss)?;
            disturbed |= !loss.is_exact_instance_of::<PyFloat>();
        }
        let norm = self.norm_if_wanted(py, &mut disturbed)?;
        if let Some(norm) = norm {
            self.observers.observe(Signal::GradNorm, norm)?;
        }
        for (group, now) in self.settings.groups.iter().zip(&mut self.now) {
            disturbed |= group.evaluate(py, t, now)?;
        }
        let (scale, limit) = self.settings.clip.at(py, t, norm)?;
        disturbed |= !self.settings.clip.is_pure();
        if disturbed {
            self.leaves.verify(py)?;
        }
        for ((group, now), terms) in self.settings.groups.iter().zip(&self.now).zip(&mut self.terms) {
            group.prepare(terms, now, t, scale, limit);
        }
        let pass = pass(&self.plan, &mut self.scratches, self.leaves.staged(), limit < f64::INFINITY)?;
        let (mut tensors, terms) = (self.leaves.lend(), &self.terms);
        detached(py, self.plan.is_large(), || pass.write(&mut tensors, terms));
        Ok(norm)
    }

    /// The global norm of the gradients, if clipping or a feedback schedule needs it.
    fn norm_if_wanted(&mut self, py: Python<'_>, disturbed: &mut bool) -> PyResult<Option<f64>> {
        let clips = self.settings.clip.wants_norm();
        if !clips && !self.observers.want_norm() {
            return Ok(None);
        }
        if std::mem::take(disturbed) {
            self.leaves.verify(py)?;
        }
        let pass = pass(&self.plan, &mut self.scratches, self.leaves.staged(), false)?;
        self.partials.reserve(self.plan.chunks()).map_err(memory_error)?;
        let (mut tensors, partials) = (self.leaves.lend(), &self.partials);
        detached(py, self.plan.is_large(), || pass.squares(&mut tensors, partials));
        let norm = partials.total().sqrt();
        if clips && !norm.is_finite() {
            let (culprit, norm) = match partials.first_nonfinite() {
                Some((chunk, sum)) => (self.leaves.parameters()[self.plan.item(chunk)].grads(), sum),
                None => ("all gradients".to_owned(), norm),
            };
            return Err(value_error(format!(
                "clip_norm needs a finite gradient norm, but that of {culprit} is {}",
                Number(norm)
            )));
        }
        Ok(Some(norm))
    }

    /// What may be part of a cycle: schedules and parameters.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.settings.values().filter_map(Value::schedule).try_for_each(|schedule| visit.call(schedule))?;
        self.leaves.traverse(visit)
    }
}

/// One update of one array.
pub(crate) fn update(py: Python<'_>, lone: &Lone<'_>, terms: Terms) -> PyResult<()> {
    let plan = Plan::new(std::iter::once(lone.len())).map_err(memory_error)?;
    let mut scratches = Scratches::default();
    let pass = pass(&plan, &mut scratches, lone.staged(), false)?;
    let mut tensors = lone.lend();
    detached(py, plan.is_large(), || pass.write(&mut tensors, &[terms]));
    Ok(())
}

/// A pass over gradients, with scratch memory if any of them is `clamped` or `staged`: in another dtype or order; and
/// in another order.
#[inline(always)] // what it returns is not moved
fn pass<'a>(
    plan: &'a Plan,
    scratches: &'a mut Scratches,
    (staged, strided): (bool, bool),
    clamped: bool,
) -> PyResult<Pass<'a>> {
    let workers = plan.workers();
    if staged || clamped {
        scratches.reserve(workers, strided).map_err(memory_error)?;
    }
    Ok(Pass { tier: Tier::current(), workers, plan, scratches })
}

/// Runs `work` without the GIL if it is worth releasing.
fn detached<T: Send>(py: Python<'_>, large: bool, work: impl FnOnce() -> T + Send) -> T {
    if large { py.detach(work) } else { work() }
}
