//! The native base class of all optimizers: `step` has no Python frame of ours above it.
//!
//! # Threads
//! A step has the optimizer for itself: whoever comes meanwhile, from another thread or from a schedule of its own,
//! is told so. What is often read beside a running step (the count, the hyperparameters, the norm) is kept apart and
//! can always be read.

use gradstep_core::ranges::Range;
use gradstep_core::schedules::LAST_STEP;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyList, PyTuple};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::assembly::{Assembly, given_groups, spec};
use crate::errors::value_error;
use crate::numbers::real;
use crate::observers;
use crate::ready::{Call, Ready};
use crate::records;
use crate::settings::Settings;
use crate::steps::Outcome;

#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Optimizer {
    ready: Mutex<Option<Ready>>,
    told: Mutex<Option<Told>>,
    t: AtomicU64,
    /// The bits of the last step's norms, or [`NO_NORM`]: of the gradients, of the update, of the parameters before it.
    norms: [AtomicU64; 3],
    skipped: AtomicU64,
    /// Whether the parameters hold something else for a while, and are not to be updated.
    swapped: AtomicBool,
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
            norms: [const { AtomicU64::new(NO_NORM) }; 3],
            skipped: AtomicU64::new(0),
            swapped: AtomicBool::new(false),
        }
    }

    #[pyo3(signature = (rule, params, /, *, decoupled_weight_decay=false, **options))]
    fn __init__(
        slf: &Bound<'_, Self>,
        rule: &str,
        params: Option<&Bound<'_, PyAny>>,
        decoupled_weight_decay: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let this = slf.get();
        drop(this.lock()?);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(slf.py()));
        let class = slf.get_type().name()?.to_string();
        let given = params.map_or(Ok(Vec::new()), given_groups)?;
        let assembly = Assembly::new(&class, spec(rule)?, decoupled_weight_decay, &given, &options)?;
        let ready = Ready::new(assembly, params, given)?;
        let told = Told::of(&ready);
        // What is replaced may run code when it is dropped, and so only when the locks are gone.
        let old = this.lock()?.replace(ready);
        let old_told = this.told().replace(told);
        this.t.store(0, Ordering::Relaxed);
        this.skipped.store(0, Ordering::Relaxed);
        this.swapped.store(false, Ordering::Relaxed);
        this.norms.iter().for_each(|norm| norm.store(NO_NORM, Ordering::Relaxed));
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
    ///         where they are, others are copied first. They are not changed. None in the place of an array: that
    ///         parameter, its state and its own count (`counts`) stay as they are.
    ///     loss: told to the feedback schedules before the update; of several that make an update, the mean.
    ///     scale: what the gradients are multiplied by before anything else is done with them: 1/128 where a loss was
    ///         multiplied by 128. It must stay the same while gradients are added up.
    ///
    /// Returns:
    ///     Whether any parameter was updated. False: the gradients wait for others (``accumulate``), the step was
    ///     skipped (``nonfinite="skip"``), or there was no gradient.
    ///
    /// Raises:
    ///     TypeError: a gradient is not an array of floats, or loss is not a number.
    ///     ValueError: structure or shapes differ, a hyperparameter's value at this step is out of range, there are no
    ///         parameters as yet, the gradients' norm is needed and not finite, or a parameter was resized, retyped, made
    ///         read-only, or replaced in its container since the optimizer was made.
    ///     NonFiniteError: a ValueError; gradients are not finite, with ``nonfinite="raise"`` or where a norm is limited.
    ///     RuntimeError: another thread is in the middle of a step of this optimizer, or it is inside `swap_averaged`.
    ///     MemoryError: there is no memory for a copy of a gradient.
    ///
    /// Warns:
    ///     DetachedParameterWarning: nobody but the optimizer refers to a parameter any more, as after
    ///         ``w = w - ...``.
    ///
    /// After an error everything is as it was before.
    #[pyo3(signature = (grads, *, loss=None, scale=None))]
    fn step(
        slf: &Bound<'_, Self>,
        grads: &Bound<'_, PyAny>,
        loss: Option<&Bound<'_, PyAny>>,
        scale: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let this = slf.get();
        let scale = scale_of(scale)?;
        let mut guard = this.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        let outcome = ready.step(grads, &Call { t: this.next()?, loss, scale })?;
        Ok(this.record(&outcome))
    }

    /// Update copies of arrays, and leave what is given as it is.
    ///
    /// Args:
    ///     grads: as of `step`.
    ///     params: arrays in the structure of the parameters, with their shapes and dtypes; read-only ones will do. An
    ///         optimizer that was made without parameters learns from the first ones what they are like.
    ///     loss, scale: as of `step`.
    ///
    /// Returns:
    ///     New arrays in the same structure: what `step` would make of a copy of ``params``, with the same bits. An array
    ///     of a subclass of ndarray comes back as one. State and counts move on as after `step`. Where a step changes
    ///     nothing, copies.
    ///
    /// Raises:
    ///     As `step`.
    #[pyo3(signature = (grads, params, *, loss=None, scale=None))]
    fn apply_gradients<'py>(
        slf: &Bound<'py, Self>,
        grads: &Bound<'py, PyAny>,
        params: &Bound<'py, PyAny>,
        loss: Option<&Bound<'py, PyAny>>,
        scale: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().make(grads, Some(params), false, loss, scale)
    }

    /// Give what a step would add to the parameters, and leave them as they are.
    ///
    /// Args:
    ///     grads: as of `step`.
    ///     params: as of `apply_gradients`; the optimizer's own, if it has some and nothing is given. Those of an
    ///         optimizer without are needed where an update depends on them: by decay, ``l1``, bounds, an average, or
    ///         the rule itself.
    ///     loss, scale: as of `step`.
    ///
    /// Returns:
    ///     New arrays in the same structure, to be added to the parameters. The sum is what `step` gives, to within
    ///     one rounding: the difference is rounded, and then the sum. Where no parameters are known, the bits are those
    ///     of −step, and the sum is exactly what `step` gives. State and counts move on as after `step`.
    ///
    /// Raises:
    ///     As `step`.
    #[pyo3(signature = (grads, params=None, *, loss=None, scale=None))]
    fn updates<'py>(
        slf: &Bound<'py, Self>,
        grads: &Bound<'py, PyAny>,
        params: Option<&Bound<'py, PyAny>>,
        loss: Option<&Bound<'py, PyAny>>,
        scale: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().make(grads, params, true, loss, scale)
    }

    /// Attach arrays: the first ones of an optimizer that was made without, or others in the place of those it has.
    ///
    /// Args:
    ///     params: as of the class. Where there have been parameters, arrays of the same names, shapes and dtypes.
    ///
    /// State, counts and feedback stay. Groups are given as at first, and keep the options that they had. After an error
    /// everything is as it was before.
    ///
    /// Raises:
    ///     TypeError, ValueError: as of the class, or they are not like the parameters before.
    ///     RuntimeError: inside `swap_averaged`, or in the middle of a step.
    fn bind(slf: &Bound<'_, Self>, params: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        let mut guard = this.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        this.check_own("no arrays are bound")?;
        ready.bind(params)?;
        let told = Told::of(ready);
        let old_told = this.told().replace(told);
        drop(guard);
        drop(old_told);
        Ok(())
    }

    /// Leave parameters as they are, with their state and their own counts, whatever gradients come. Those that were
    /// added up and wait for an update are forgotten.
    ///
    /// Args:
    ///     pattern: of path names, with the wildcards of `fnmatch`: ``"encoder.*"``.
    ///
    /// Raises:
    ///     ValueError: no name matches.
    fn freeze(slf: &Bound<'_, Self>, pattern: &str) -> PyResult<()> {
        slf.get().lock()?.as_mut().ok_or_else(not_ready)?.freeze(slf.py(), pattern, true)
    }

    /// Update parameters again that were frozen; see `freeze`.
    fn unfreeze(slf: &Bound<'_, Self>, pattern: &str) -> PyResult<()> {
        slf.get().lock()?.as_mut().ok_or_else(not_ready)?.freeze(slf.py(), pattern, false)
    }

    /// The names of the parameters that are frozen.
    #[getter]
    fn frozen<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let guard = slf.get().lock()?;
        let leaves = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.leaves;
        let names = (0..leaves.len()).filter(|&leaf| leaves.is_frozen(leaf));
        PyTuple::new(slf.py(), names.map(|leaf| leaves.parameters()[leaf].name()).collect::<Vec<_>>())
    }

    /// How many updates each parameter has had, by name: fewer than ``step_count`` where gradients were missing. Bias
    /// corrections count by it. Assign a dict of the same names to resume.
    #[getter]
    fn counts<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let (guard, t) = (slf.get().lock()?, slf.get().step_count());
        let leaves = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.leaves;
        let count = |leaf: usize| (leaves.parameters()[leaf].name(), t - leaves.missed(leaf));
        (0..leaves.len()).map(count).into_py_dict(slf.py())
    }

    #[setter]
    fn set_counts(slf: &Bound<'_, Self>, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        let t = slf.get().step_count();
        let given = counts.cast::<PyDict>().map_err(|_| {
            crate::numbers::wrong_type("counts", "a dict of counts by the names of the parameters", counts)
        })?;
        let mut guard = slf.get().lock()?;
        let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.body_mut()?.stepper;
        let mut missed = Vec::with_capacity(stepper.leaves.len());
        for parameter in stepper.leaves.parameters() {
            let name = parameter.name();
            let Some(count) = given.get_item(name)? else {
                return Err(value_error(format!("counts has no '{name}'")));
            };
            let count = crate::numbers::step(format_args!("counts['{name}']"), &count, "an integer")?;
            if count > t {
                return Err(value_error(format!(
                    "counts['{name}'] must be at most step_count = {t}, got {count}"
                )));
            }
            missed.push(t - count);
        }
        if given.len() != missed.len() {
            let (a, b) = (given.len(), missed.len());
            return Err(value_error(format!("counts has {a} entries, but there are {b} parameters")));
        }
        stepper.set_missed(missed);
        Ok(())
    }

    /// How many gradients have been added up since the last update; 0 without ``accumulate``.
    #[getter]
    fn micro_step(slf: &Bound<'_, Self>) -> PyResult<u64> {
        let guard = slf.get().lock()?;
        Ok(guard.as_ref().ok_or_else(not_ready)?.known().map_or(0, |body| body.stepper.window.count))
    }

    /// How many steps were skipped because their gradients were not finite, with ``nonfinite="skip"``.
    #[getter]
    fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Tell all feedback schedules of the optimizer a loss or another metric, as once an epoch.
    ///
    /// Raises:
    ///     TypeError: loss is not a number.
    ///     ValueError: loss is not finite or out of range for one of them; then none has taken it in.
    ///     RuntimeError: another thread is in the middle of a step of this optimizer.
    fn observe(slf: &Bound<'_, Self>, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().lock()?.as_ref().ok_or_else(not_ready)?.body()?.stepper.observers().observe_loss(loss)
    }

    /// The states of the feedback schedules, a tuple of dicts; assign it to resume.
    #[getter]
    fn feedback_state<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let guard = slf.get().lock()?;
        let observers = guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.observers();
        let states = observers.iter().map(|feedback| observers::state(slf.py(), feedback));
        PyTuple::new(slf.py(), states.collect::<PyResult<Vec<_>>>()?)
    }

    #[setter]
    fn set_feedback_state(slf: &Bound<'_, Self>, states: &Bound<'_, PyAny>) -> PyResult<()> {
        let guard = slf.get().lock()?;
        let observers = guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.observers();
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
        let stepper = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper;
        let groups = stepper.settings().groups.iter().zip(stepper.memory());
        let records =
            groups.map(|(group, numbers)| group.memory().iter().zip(numbers).into_py_dict(slf.py()));
        PyTuple::new(slf.py(), records.collect::<PyResult<Vec<_>>>()?)
    }

    #[setter]
    fn set_scalars(slf: &Bound<'_, Self>, scalars: &Bound<'_, PyAny>) -> PyResult<()> {
        let given: Vec<Bound<'_, PyAny>> = scalars.extract()?;
        let mut guard = slf.get().lock()?;
        let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.body_mut()?.stepper;
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
        let mut guard = self.lock()?;
        if let Ok(body) = guard.as_mut().ok_or_else(not_ready)?.body_mut() {
            body.stepper.set_missed(std::iter::repeat(0));
        }
        self.t.store(count, Ordering::Relaxed);
        Ok(())
    }

    /// The global norm of the last step's gradients before clipping, if it was taken.
    #[getter]
    fn grad_norm(&self) -> Option<f64> {
        self.norm(0)
    }

    /// The norm of what the last update added to the parameters, with ``measure=True``.
    #[getter]
    fn update_norm(&self) -> Option<f64> {
        self.norm(1)
    }

    /// The norm of the parameters before the last update, with ``measure=True``.
    #[getter]
    fn param_norm(&self) -> Option<f64> {
        self.norm(2)
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
        let old = guard.as_mut().ok_or_else(not_ready)?.set(&told.settings)?;
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
        let body = guard.as_mut().ok_or_else(not_ready)?.bound()?;
        body.structure.params(slf.py(), &body.stepper.leaves).map(Bound::unbind)
    }

    /// The parameters in the order of their names in the state.
    #[getter]
    fn _arrays<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let mut guard = slf.get().lock()?;
        let leaves = &guard.as_mut().ok_or_else(not_ready)?.bound()?.stepper.leaves;
        PyList::new(slf.py(), leaves.parameters().iter().map(|parameter| parameter.array.bind(slf.py())))
    }

    /// The structure of the parameters with other arrays, in the order of `_arrays`.
    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 wants it")]
    fn _structured<'py>(
        slf: &Bound<'py, Self>,
        arrays: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let guard = slf.get().lock()?;
        let structure = &guard.as_ref().ok_or_else(not_ready)?.body()?.structure;
        structure.tree.build(slf.py(), &mut |leaf| arrays[leaf].clone())
    }

    /// Says that the parameters hold something else for a while, or again what is updated. Returns what was said before.
    fn _swap(&self, swapped: bool) -> PyResult<bool> {
        let _guard = self.lock()?;
        Ok(self.swapped.swap(swapped, Ordering::Relaxed))
    }

    /// `{name: {slot: ndarray}}`, the optimizer's own memory; the same arrays at each call.
    #[getter]
    fn _state(slf: &Bound<'_, Self>) -> PyResult<Py<PyDict>> {
        slf.get().lock()?.as_mut().ok_or_else(not_ready)?.body_mut()?.state(slf.py())
    }

    /// What the garbage collector has to see: a schedule's function may hold the optimizer. In the middle of a step
    /// nothing is shown, and so nothing is collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(guard) = self.ready.try_lock()
            && let Some(ready) = &*guard
        {
            ready.traverse(&visit)?;
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
        let groups = settings.groups.iter().map(|group| group.describe(slf.py()));
        let groups = groups.collect::<PyResult<Vec<_>>>()?.join("; ");
        let t = slf.get().step_count();
        Ok(format!("<{class}({groups}): {arrays} arrays, {elements} elements, step {t}>"))
    }
}

impl Told {
    fn of(ready: &Ready) -> Self {
        let (mut arrays, mut elements) = (0, 0);
        if let Some(body) = ready.known() {
            (arrays, elements) = (body.stepper.leaves.len(), body.stepper.elements());
        }
        Self { settings: Arc::clone(&ready.assembly.settings), arrays, elements }
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

    /// Makes new arrays; see [`Ready::make`].
    fn make<'py>(
        &self,
        grads: &Bound<'py, PyAny>,
        params: Option<&Bound<'py, PyAny>>,
        differences: bool,
        loss: Option<&Bound<'py, PyAny>>,
        scale: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let scale = scale_of(scale)?;
        let mut guard = self.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        let (made, outcome) =
            ready.make(grads, params, differences, &Call { t: self.next()?, loss, scale })?;
        let told = Told::of(ready);
        self.record(&outcome);
        let old_told = self.told().replace(told);
        drop(guard);
        drop(old_told);
        Ok(made)
    }

    /// Refuses what is not to be done while the parameters hold their averages.
    fn check_own(&self, refused: &str) -> PyResult<()> {
        if self.swapped.load(Ordering::Relaxed) {
            let message = format!("{refused} inside swap_averaged: the parameters are averages");
            return Err(PyRuntimeError::new_err(message));
        }
        Ok(())
    }

    /// The number of the next update, if there may be one.
    fn next(&self) -> PyResult<u64> {
        self.check_own("no step is made")?;
        match self.t.load(Ordering::Relaxed) {
            LAST_STEP => Err(value_error("step_count is 2**63 - 1, after which no update can be counted")),
            t => Ok(t),
        }
    }

    /// Keeps what is known after a step. Returns whether any parameter was updated.
    fn record(&self, outcome: &Outcome) -> bool {
        match *outcome {
            Outcome::Updated { norm, measured, any } => {
                let [update, params] = measured.map_or([None; 2], |norms| norms.map(Some));
                for (place, norm) in self.norms.iter().zip([norm, update, params]) {
                    place.store(norm.map_or(NO_NORM, f64::to_bits), Ordering::Relaxed);
                }
                self.t.fetch_add(1, Ordering::Relaxed);
                any
            }
            Outcome::Waiting => false,
            Outcome::Skipped => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    fn norm(&self, i: usize) -> Option<f64> {
        let bits = self.norms[i].load(Ordering::Relaxed);
        (bits != NO_NORM).then_some(f64::from_bits(bits))
    }

    /// Held for a moment only, and never while Python code runs.
    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> PyResult<Told> {
        self.told().clone().ok_or_else(not_ready)
    }
}

fn scale_of(given: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
    let Some(given) = given else { return Ok(1.0) };
    Range::Finite.check("scale", real("scale", given, "a float")?).map_err(value_error)
}

fn not_ready() -> PyErr {
    PyRuntimeError::new_err("this optimizer's __init__ has not run")
}
