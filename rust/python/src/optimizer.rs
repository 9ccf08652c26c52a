//! The native base class of all optimizers: `step` has no Python frame of ours above it.
//!
//! # Threads
//! A step has the optimizer for itself: whoever comes meanwhile, from another thread or from a schedule of its own,
//! is told so. What is often read beside a running step (the count, the hyperparameters, the norm) is kept apart and
//! can always be read.

use gradstep_core::schedules::LAST_STEP;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::assembly::{assemble, spec};
use crate::errors::value_error;
use crate::groups::Group;
use crate::observers;
use crate::records;
use crate::settings::Settings;
use crate::steps::Stepper;
use crate::structures::Structure;

/// What an optimizer holds once `__init__` has run.
struct Ready {
    stepper: Stepper,
    structure: Structure,
    /// Steps that were made since.
    made: u64,
    /// What `_state` has handed out.
    state: Option<Py<PyDict>>,
}

#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Optimizer {
    ready: Mutex<Option<Ready>>,
    told: Mutex<Option<Told>>,
    t: AtomicU64,
    /// The bits of the last step's norm, or [`NO_NORM`].
    norm: AtomicU64,
}

/// What the optimizer was told, and the size of what it updates.
#[derive(Clone)]
struct Told {
    settings: Arc<Settings>,
    arrays: usize,
    elements: usize,
}

/// No bits of a norm: of the NaNs, none that arithmetic makes.
const NO_NORM: u64 = u64::MAX;

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (*_args, **_options))]
    fn new(_args: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            ready: Mutex::new(None),
            told: Mutex::new(None),
            t: AtomicU64::new(0),
            norm: AtomicU64::new(NO_NORM),
        }
    }

    #[pyo3(signature = (rule, params, /, *, decoupled_weight_decay=false, **options))]
    fn __init__(
        slf: &Bound<'_, Self>,
        rule: &str,
        params: &Bound<'_, PyAny>,
        decoupled_weight_decay: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let this = slf.get();
        drop(this.lock()?);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(slf.py()));
        let class = slf.get_type().name()?.to_string();
        let (structure, stepper) = assemble(&class, spec(rule)?, decoupled_weight_decay, params, &options)?;
        let settings = Arc::clone(stepper.settings());
        let told = Told { settings, arrays: stepper.leaves.len(), elements: stepper.elements() };
        // What is replaced may run code when it is dropped, and so only when the locks are gone.
        let old = this.lock()?.replace(Ready { stepper, structure, made: 0, state: None });
        let old_told = this.told().replace(told);
        this.t.store(0, Ordering::Relaxed);
        this.norm.store(NO_NORM, Ordering::Relaxed);
        drop((old, old_told));
        Ok(())
    }

    /// Update the parameters in place, once.
    ///
    /// Args:
    ///     grads: arrays in the structure of the parameters (a list where they are in a list or tuple, a
    ///         dict with the same keys where they are in a dict; one entry a group where there are
    ///         groups), each with its parameter's shape. Any float dtype and memory order will do;
    ///         float32 and float64 in the parameter's order, and in another order of at most two axes, are read
    ///         where they are, others are copied first. They are not changed.
    ///     loss: told to the feedback schedules before the update.
    ///
    /// Raises:
    ///     TypeError: a gradient is not an array of floats, or loss is not a number.
    ///     ValueError: structure or shapes differ, a hyperparameter's value at this step is out of range,
    ///         the gradients' norm is needed and not finite, or a parameter was resized, retyped, made
    ///         read-only, or replaced in its container since the optimizer was made.
    ///     RuntimeError: another thread is in the middle of a step of this optimizer.
    ///     MemoryError: there is no memory for a copy of a gradient.
    ///
    /// Warns:
    ///     DetachedParameterWarning: nobody but the optimizer refers to a parameter any more, as after
    ///         ``w = w - ...``.
    ///
    /// After an error everything is as it was before.
    #[pyo3(signature = (grads, *, loss=None))]
    fn step(
        slf: &Bound<'_, Self>,
        grads: &Bound<'_, PyAny>,
        loss: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let mut guard = this.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        let t = this.t.load(Ordering::Relaxed);
        if t == LAST_STEP {
            return Err(value_error("step_count is 2**63 - 1, after which no update can be counted"));
        }
        let norm = ready.step(py, t, grads, loss);
        ready.stepper.leaves.release();
        this.norm.store(norm?.map_or(NO_NORM, f64::to_bits), Ordering::Relaxed);
        this.t.store(t + 1, Ordering::Relaxed);
        Ok(())
    }

    /// Tell all feedback schedules of the optimizer a loss or another metric, as once an epoch.
    ///
    /// Raises:
    ///     TypeError: loss is not a number.
    ///     ValueError: loss is not finite or out of range for one of them; then none has taken it in.
    ///     RuntimeError: another thread is in the middle of a step of this optimizer.
    fn observe(slf: &Bound<'_, Self>, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().lock()?.as_ref().ok_or_else(not_ready)?.stepper.observers().observe_loss(loss)
    }

    /// The states of the feedback schedules, a tuple of dicts; assign it to resume.
    #[getter]
    fn feedback_state<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let guard = slf.get().lock()?;
        let observers = guard.as_ref().ok_or_else(not_ready)?.stepper.observers();
        observers.ensure_headroom()?;
        let states = observers.iter().map(|feedback| observers::state(slf.py(), feedback));
        PyTuple::new(slf.py(), states.collect::<PyResult<Vec<_>>>()?)
    }

    #[setter]
    fn set_feedback_state(slf: &Bound<'_, Self>, states: &Bound<'_, PyAny>) -> PyResult<()> {
        let guard = slf.get().lock()?;
        let observers = guard.as_ref().ok_or_else(not_ready)?.stepper.observers();
        observers.ensure_headroom()?;
        let states: Vec<Bound<'_, PyAny>> = states.extract()?;
        if states.len() != observers.iter().len() {
            let (a, b) = (states.len(), observers.iter().len());
            return Err(value_error(format!(
                "feedback_state has {a} entries, but there are {b} feedback schedules"
            )));
        }
        let numbers =
            observers.iter().zip(&states).map(|(feedback, state)| observers::numbers(feedback, state));
        observers.restore(&numbers.collect::<PyResult<Vec<_>>>()?);
        Ok(())
    }

    /// What the rule remembers beside the state, a tuple of dicts in group order; assign it to resume.
    #[getter]
    fn scalars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let guard = slf.get().lock()?;
        let stepper = &guard.as_ref().ok_or_else(not_ready)?.stepper;
        stepper.settings().ensure_headroom()?;
        let groups = stepper.settings().groups.iter().zip(stepper.memory());
        let records =
            groups.map(|(group, numbers)| group.memory().iter().zip(numbers).into_py_dict(slf.py()));
        PyTuple::new(slf.py(), records.collect::<PyResult<Vec<_>>>()?)
    }

    #[setter]
    fn set_scalars(slf: &Bound<'_, Self>, scalars: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut guard = slf.get().lock()?;
        let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.stepper;
        stepper.settings().ensure_headroom()?;
        let given: Vec<Bound<'_, PyAny>> = scalars.extract()?;
        let groups = &stepper.settings().groups;
        if given.len() != groups.len() {
            let (a, b) = (given.len(), groups.len());
            return Err(value_error(format!("scalars has {a} entries, but there are {b} groups")));
        }
        let mut numbers = Vec::new();
        for (i, (group, record)) in groups.iter().zip(&given).enumerate() {
            let names = group.memory();
            numbers.push(records::read(&format!("scalars[{i}]"), names, vec![0.0; names.len()], record)?);
        }
        stepper.set_memory(&numbers);
        Ok(())
    }

    /// The number of updates done.
    #[getter]
    fn step_count(&self) -> u64 {
        self.t.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_step_count(&self, count: &Bound<'_, PyAny>) -> PyResult<()> {
        let count = crate::numbers::step("step_count", count, "an integer")?;
        let guard = self.lock()?;
        guard.as_ref().ok_or_else(not_ready)?;
        self.t.store(count, Ordering::Relaxed);
        Ok(())
    }

    /// The global norm of the last step's gradients before clipping, if it was taken.
    #[getter]
    fn grad_norm(&self) -> Option<f64> {
        let bits = self.norm.load(Ordering::Relaxed);
        (bits != NO_NORM).then_some(f64::from_bits(bits))
    }

    /// What a hyperparameter will be at the next step; a tuple in group order if there are several groups.
    fn _hyper<'py>(slf: &Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        // Evaluated after the lock is gone: a schedule may be Python code.
        let (told, t) = (slf.get().snapshot()?, slf.get().step_count());
        told.settings.get(slf.py(), name, t)
    }

    /// Replaces a hyperparameter: in all groups, or by a tuple of one for each.
    fn _set_hyper(slf: &Bound<'_, Self>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        drop(this.lock()?);
        let mut told = this.snapshot()?;
        told.settings = Arc::new(told.settings.with(name, value, this.step_count())?);
        let mut guard = this.lock()?;
        let old = guard.as_mut().ok_or_else(not_ready)?.stepper.set(Arc::clone(&told.settings))?;
        let old_told = this.told().replace(told);
        drop(guard);
        drop((old, old_told));
        Ok(())
    }

    /// A dict for each group of what was given: floats, schedules and flags.
    #[getter]
    fn _hyperparameters<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        slf.get().snapshot()?.settings.objects(slf.py())
    }

    /// What was given as `params`.
    #[getter]
    fn _params(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let mut guard = slf.get().lock()?;
        let Ready { stepper, structure, .. } = guard.as_mut().ok_or_else(not_ready)?;
        structure.params(slf.py(), &stepper.leaves).map(Bound::unbind)
    }

    /// `{name: {slot: ndarray}}`, the optimizer's own memory; the same arrays at each call.
    #[getter]
    fn _state(slf: &Bound<'_, Self>) -> PyResult<Py<PyDict>> {
        let mut guard = slf.get().lock()?;
        let Ready { stepper, state, .. } = guard.as_mut().ok_or_else(not_ready)?;
        if state.is_none() {
            let slots: Vec<_> = stepper.settings().groups.iter().map(Group::slots).collect();
            *state = Some(stepper.leaves.state(slf.py(), &slots)?.unbind());
        }
        Ok(state.as_ref().expect("just made").clone_ref(slf.py()))
    }

    /// What the garbage collector has to see: a schedule's function may hold the optimizer. In the middle of a step
    /// nothing is shown, and so nothing is collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(guard) = self.ready.try_lock()
            && let Some(Ready { stepper, structure, .. }) = &*guard
        {
            stepper.traverse(&visit)?;
            structure.traverse(&visit)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let ready = self.ready.try_lock().ok().and_then(|mut guard| guard.take());
        let told = self.told().take();
        drop((ready, told));
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().name()?;
        let Told { settings, arrays, elements } = slf.get().snapshot()?;
        settings.ensure_headroom()?;
        let groups = settings.groups.iter().map(|group| group.describe(slf.py()));
        let groups = groups.collect::<PyResult<Vec<_>>>()?.join("; ");
        let t = slf.get().step_count();
        Ok(format!("<{class}({groups}): {arrays} arrays, {elements} elements, step {t}>"))
    }
}

impl Ready {
    fn step(
        &mut self,
        py: Python<'_>,
        t: u64,
        grads: &Bound<'_, PyAny>,
        loss: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<f64>> {
        let Self { stepper, structure, made, .. } = self;
        let mut disturbed = structure.check_attached(py, &stepper.leaves)?;
        structure.warn_detached(py, &stepper.leaves, *made)?;
        disturbed |= structure.give(grads, &mut stepper.leaves)?;
        let norm = stepper.step(py, t, loss, disturbed)?;
        *made += 1;
        Ok(norm)
    }
}

impl Optimizer {
    /// All that a step needs, unless somebody has it.
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<Ready>>> {
        match self.ready.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(
                "this optimizer is in the middle of a step, in another thread or in its own schedule",
            )),
        }
    }

    /// Held for a moment only, and never while Python code runs.
    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> PyResult<Told> {
        self.told().clone().ok_or_else(not_ready)
    }
}

fn not_ready() -> PyErr {
    PyRuntimeError::new_err("this optimizer's __init__ has not run")
}
