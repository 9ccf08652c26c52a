//! One step, whole: check every array, observe, evaluate the hyperparameters, write.
//!
//! Everything that can fail comes before the first write.

use gradstep_core::feedback::{Signal, Verdict};
use gradstep_core::scratch::Scratches;
use gradstep_core::sums::Partials;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyFloat;
use std::sync::Arc;

use crate::arrays::{Leaves, Outputs};
use crate::clipping::Clip;
use crate::files::Files;
use crate::numbers::real;
use crate::observers::Observers;
use crate::outcomes::{Last, Outcome};
use crate::passes::Plans;
use crate::settings::Settings;
use crate::sharing::{Numbers, Sharing, digest};
use crate::sparse::check_rows;
use crate::terms::StepTerms;
use crate::values::Value;
use crate::windows::Window;

/// Parameters with their state and hyperparameters, ready to step.
pub(crate) struct Stepper {
    pub(crate) leaves: Leaves,
    pub(super) settings: Arc<Settings>,
    /// The feedback schedules among the hyperparameters.
    pub(super) observers: Observers,
    pub(super) terms: StepTerms,
    /// Whether the norm of the gradients is taken at every step: for a limit, or for a feedback schedule.
    pub(super) wants_norm: bool,
    /// Whether the terms have to be arranged anew.
    pub(super) disarranged: bool,
    pub(super) plans: Plans,
    pub(crate) window: Window,
    pub(crate) last: Last,
    pub(super) squares: Partials<1>,
    pub(super) nonfinite: Partials<1>,
    pub(super) changes: Partials<2>,
    pub(super) scratches: Scratches,
    /// What holds the state if not memory.
    pub(super) files: Option<Arc<Files>>,
    /// The others that step with us, if there are any.
    pub(super) sharing: Option<Box<Sharing>>,
}

/// What a step is given beside the gradients.
pub(crate) struct Given<'a, 'py> {
    pub(crate) loss: Option<&'a Bound<'py, PyAny>>,
    pub(crate) scale: f64,
    /// Where the update goes if not into the parameters.
    pub(crate) outputs: Option<&'a Outputs<'py>>,
    /// Whether Python code has run since the structure was looked at.
    pub(crate) disturbed: bool,
}

/// What a step has found out before it writes.
pub(super) struct Decided {
    pub(super) scale: f64,
    pub(super) norm: Option<f64>,
    /// Of the elements of gradients, and of their norm.
    pub(super) limit: f64,
    pub(super) max_norm: Option<f64>,
}

impl Stepper {
    /// `now` are each group's hyperparameters at the start, and what its rule remembers.
    pub(crate) fn new(
        mut leaves: Leaves,
        settings: Arc<Settings>,
        now: Vec<Vec<f64>>,
        files: Option<Arc<Files>>,
    ) -> PyResult<Self> {
        let observers = Observers::new(settings.values().flat_map(Value::feedback))?;
        Ok(Self {
            wants_norm: wants_norm(&settings, &observers),
            plans: Plans::new(&leaves)?,
            observers,
            terms: StepTerms::new(now, &settings, &mut leaves)?,
            disarranged: false,
            window: Window::default(),
            last: Last::default(),
            leaves,
            settings,
            squares: Partials::default(),
            nonfinite: Partials::default(),
            changes: Partials::default(),
            scratches: Scratches::default(),
            files,
            sharing: None,
        })
    }

    /// From here on steps are made together with others.
    pub(crate) fn share(&mut self, sharing: Sharing) -> Option<Box<Sharing>> {
        self.sharing.replace(Box::new(sharing))
    }

    /// What all must have alike that will make step `t` of the same gradients; and whether it takes Python code of others
    /// to know it.
    pub(crate) fn outlook(&mut self, py: Python<'_>, t: u64) -> PyResult<(u64, bool)> {
        let disturbed = self.terms.evaluate(py, &self.settings, t)?;
        let limits = self.settings.clip.as_ref();
        let given = limits
            .map_or(Ok([None; 2]), |clip| Ok::<_, PyErr>([Some(clip.value(py, t)?), clip.norm(py, t)?]))?;
        let pure = !disturbed && limits.is_none_or(Clip::is_pure);
        Ok((digest(self.numbers(t, given)), pure))
    }

    fn numbers(&self, t: u64, limits: [Option<f64>; 2]) -> impl Iterator<Item = f64> {
        let Self { settings, leaves, observers, terms, window, .. } = self;
        Numbers { settings, leaves, observers, terms, window }.at(t, limits)
    }

    /// Nothing is written, by no one.
    pub(super) fn skip(&mut self, py: Python<'_>, t: u64) -> PyResult<Outcome> {
        if let Some(sharing) = &self.sharing {
            sharing.agree(py, "skip", self.numbers(t, [None; 2]))?;
        }
        Ok(Outcome::Skipped)
    }

    /// Other hyperparameters, for the same groups. Returns those before.
    pub(crate) fn set(&mut self, settings: Arc<Settings>) -> PyResult<Arc<Settings>> {
        self.observers = Observers::new(settings.values().flat_map(Value::feedback))?;
        self.wants_norm = wants_norm(&settings, &self.observers);
        self.terms.set(&settings, &mut self.leaves)?;
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
        self.plans.whole.elements()
    }

    /// Says of each parameter how many updates it has missed, and forgets gradients that wait for their update.
    pub(crate) fn set_missed(&mut self, missed: impl IntoIterator<Item = u64>) {
        self.leaves.set_missed(missed);
        self.leaves.forget_accumulated();
        self.window = Window::default();
        self.rearrange();
    }

    /// Which terms are those of which parameter is found out once more.
    pub(crate) fn rearrange(&mut self) {
        self.disarranged = true;
    }

    /// Update number `t` with the gradients that were given to the leaves, or a part of it. After an error all is as it
    /// was.
    pub(crate) fn step(&mut self, py: Python<'_>, t: u64, given: &Given<'_, '_>) -> PyResult<Outcome> {
        if self.observers.is_empty() {
            return self.checked(py, t, given);
        }
        self.observers.mark();
        self.checked(py, t, given).inspect_err(|_| self.observers.rewind())
    }

    #[inline(always)] // so that the outcome is not moved about
    fn checked(&mut self, py: Python<'_>, t: u64, given: &Given<'_, '_>) -> PyResult<Outcome> {
        if std::mem::take(&mut self.disarranged) {
            self.terms.arrange(&self.settings, &mut self.leaves)?;
        }
        let mut disturbed = self.leaves.admit(py, given.outputs.is_none())? | given.disturbed;
        if self.leaves.have_rows() {
            check_rows(&self.leaves, &self.settings, given.outputs.is_some())?;
        }
        let loss = given.loss.map(|loss| real("loss", loss, "a number")).transpose()?;
        disturbed |= given.loss.is_some_and(|loss| !loss.is_exact_instance_of::<PyFloat>());
        let (mut scale, mut loss) = (given.scale, loss);
        let several = self.settings.policies.accumulate;
        if several > 1 {
            let window = self.window.with(scale, loss)?;
            if window.count < several {
                return self.wait(py, t, window, given.outputs, disturbed);
            }
            self.leaves.take_accumulated()?;
            (scale, loss) = (scale / several as f64, window.loss());
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.arrange(&self.leaves)?;
        }
        let mut norm = None;
        if self.wants_norm {
            norm = self.norm(py, scale, given.outputs, &mut disturbed)?;
            if norm.is_none() {
                return self.skip(py, t);
            }
        } else if self.settings.policies.nonfinite.is_looked_for()
            && !self.are_finite(py, given.outputs, &mut disturbed)?
        {
            return self.skip(py, t);
        }
        if let Some(norm) = norm
            && self.observers.observe(Signal::Guard, norm)? == Verdict::Skip
        {
            let skipped = self.skip(py, t)?;
            self.leaves.forget_accumulated();
            self.window = Window::default();
            return Ok(skipped);
        }
        if let Some(loss) = loss {
            self.observers.observe(Signal::Loss, loss)?;
        }
        if let Some(norm) = norm {
            self.observers.observe(Signal::GradNorm, norm)?;
        }
        disturbed |= self.terms.evaluate(py, &self.settings, t)?;
        let (mut limit, mut max_norm) = (f64::INFINITY, None);
        if let Some(clip) = &self.settings.clip {
            (limit, max_norm) = (clip.value(py, t)?, clip.norm(py, t)?);
            disturbed |= !clip.is_pure();
        }
        if let Some(outputs) = given.outputs.filter(|_| self.leaves.have_rows()) {
            self.leaves.leave(outputs)?;
            disturbed = true;
        }
        if disturbed {
            self.leaves.verify(py, given.outputs)?;
        }
        if let Some(outputs) = given.outputs {
            self.leaves.direct(outputs)?;
        }
        self.write(py, t, given, Decided { scale, norm, limit, max_norm })
    }

    /// What may be part of a cycle: schedules and parameters.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.settings.values().filter_map(Value::schedule).try_for_each(|schedule| visit.call(schedule))?;
        self.sharing.iter().try_for_each(|sharing| sharing.traverse(visit))?;
        self.leaves.traverse(visit)
    }
}

fn wants_norm(settings: &Settings, observers: &Observers) -> bool {
    settings.limits_norms() || observers.want_norm()
}
