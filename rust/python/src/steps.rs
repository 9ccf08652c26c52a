//! One step, whole: check every array, observe, evaluate the hyperparameters, write.
//!
//! Everything that can fail comes before the first write.

use gradstep_core::error::Number;
use gradstep_core::feedback::Signal;
use gradstep_core::machine::simd::Tier;
use gradstep_core::passes::Pass;
use gradstep_core::plans::Plan;
use gradstep_core::stages::Scratches;
use gradstep_core::sums::Partials;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyFloat;
use std::sync::Arc;

use crate::arrays::{Leaves, Lone};
use crate::clipping::Clipping;
use crate::errors::{memory_error, value_error};
use crate::groups::Group;
use crate::observers::Observers;
use crate::settings::Settings;
use crate::terms::StepTerms;
use crate::values::Value;

/// Parameters with their state and hyperparameters, ready to step.
pub(crate) struct Stepper {
    pub(crate) leaves: Leaves,
    settings: Arc<Settings>,
    /// The feedback schedules among the hyperparameters.
    observers: Observers,
    terms: StepTerms,
    plan: Plan,
    squares: Partials<1>,
    scratches: Scratches,
}

impl Stepper {
    /// `now` are each group's hyperparameters at the start, and what its rule remembers.
    pub(crate) fn new(mut leaves: Leaves, settings: Arc<Settings>, now: Vec<Vec<f64>>) -> PyResult<Self> {
        Ok(Self {
            plan: Plan::new(leaves.lengths()).map_err(memory_error)?,
            observers: Observers::new(settings.values().flat_map(Value::feedback))?,
            terms: StepTerms::new(now, &settings, &mut leaves)?,
            leaves,
            settings,
            squares: Partials::default(),
            scratches: Scratches::default(),
        })
    }

    /// Other hyperparameters, for the same groups. Returns those before.
    pub(crate) fn set(&mut self, settings: Arc<Settings>) -> PyResult<Arc<Settings>> {
        self.observers = Observers::new(settings.values().flat_map(Value::feedback))?;
        self.terms.set(&settings);
        Ok(std::mem::replace(&mut self.settings, settings))
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.observers
    }

    /// What each group's rule remembers.
    pub(crate) fn memory(&self) -> impl Iterator<Item = &[f64]> {
        self.terms.memory(&self.settings)
    }

    pub(crate) fn set_memory(&mut self, numbers: &[Vec<f64>]) {
        self.terms.set_memory(numbers);
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
        let states = self.observers.states()?;
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
        disturbed |= self.terms.evaluate(py, &self.settings, t)?;
        let clipping = self.settings.clip.at(py, t, norm)?;
        disturbed |= !self.settings.clip.is_pure();
        if disturbed {
            self.leaves.verify(py)?;
        }
        let Self { settings, terms, plan, scratches, leaves, .. } = self;
        terms.prepare(settings, t, clipping);
        let pass = pass(plan, scratches, leaves.staged(), clipping.limit < f64::INFINITY)?;
        if let Some((known, sums)) = terms.dry_run(settings, plan)? {
            let mut tensors = leaves.lend();
            detached(py, plan.is_large(), || pass.measure(&mut tensors, known, sums));
        }
        terms.settle(settings, plan, t, clipping);
        let (mut tensors, terms) = (leaves.lend(), terms.all());
        detached(py, plan.is_large(), || pass.write(&mut tensors, terms));
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
        self.squares.reserve(self.plan.chunks()).map_err(memory_error)?;
        let (mut tensors, squares) = (self.leaves.lend(), &self.squares);
        detached(py, self.plan.is_large(), || pass.squares(&mut tensors, squares));
        let [sum] = squares.total(0..self.plan.chunks());
        let norm = sum.sqrt();
        if clips && !norm.is_finite() {
            let (culprit, norm) = match squares.first_nonfinite() {
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
///
/// `now` are the group's hyperparameters at update number `t` and what its rule remembers, also afterwards.
pub(crate) fn update(
    py: Python<'_>,
    lone: &Lone<'_>,
    group: &Group,
    now: &mut [f64],
    t: u64,
) -> PyResult<()> {
    let plan = Plan::new(std::iter::once(lone.len())).map_err(memory_error)?;
    let mut scratches = Scratches::default();
    let pass = pass(&plan, &mut scratches, lone.staged(), false)?;
    let (mut terms, mut tensors) = ([group.terms()], lone.lend());
    group.prepare(&mut terms[0], now, t, Clipping::NONE);
    if group.remembers() {
        let mut sums = Partials::default();
        if group.sums().is_some() {
            sums.reserve(plan.chunks()).map_err(memory_error)?;
            detached(py, plan.is_large(), || pass.measure(&mut tensors, &terms, &sums));
        }
        group.settle(now, t, sums.total(0..if group.sums().is_some() { plan.chunks() } else { 0 }));
        group.prepare(&mut terms[0], now, t, Clipping::NONE);
    }
    detached(py, plan.is_large(), || pass.write(&mut tensors, &terms));
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
