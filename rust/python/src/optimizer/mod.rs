//! The native base class of all optimizers: `step` has no Python frame of ours above it.
//!
//! # Threads
//! A step has the optimizer for itself: whoever comes meanwhile, from another thread or from a schedule of its own,
//! is told so. What is often read beside a running step (the count, the hyperparameters, the norm) is kept apart and
//! can always be read.

mod resuming;
mod shared;
mod watching;

use gradstep_core::rule::Init;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use try_lock::TryLock;

use crate::arrays::Exchange;
use crate::assembly::{Assembly, spec};
use crate::errors::value_error;
use crate::files::Files;
use crate::given::given_groups;
use crate::groups::Group;
use crate::ready::{Call, Ready};
use crate::roots::Root;
use crate::sharing::Sharing;
use shared::{NO_NORM, Told, not_ready, scale_of};

pub(crate) use shared::Optimizer;

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (*_args, **_options))]
    fn new(_args: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            ready: TryLock::new(None),
            told: Mutex::new(None),
            t: AtomicU64::new(0),
            norms: [const { AtomicU64::new(NO_NORM) }; 3],
            skipped: AtomicU64::new(0),
            swapped: AtomicBool::new(false),
        }
    }

    #[pyo3(signature = (rule, params, directory=None, /, *, decoupled_weight_decay=false, **options))]
    fn __init__(
        slf: &Bound<'_, Self>,
        rule: &str,
        params: Option<&Bound<'_, PyAny>>,
        directory: Option<&Bound<'_, PyAny>>,
        decoupled_weight_decay: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let this = slf.get();
        drop(this.lock()?);
        let options = options.cloned().unwrap_or_else(|| PyDict::new(slf.py()));
        let class = slf.get_type().name()?.to_string();
        let given = params.map_or(Ok(Vec::new()), given_groups)?;
        let files = directory.map(Files::new).transpose()?.map(Arc::new);
        let assembly = Assembly::new(&class, spec(rule)?, decoupled_weight_decay, &given, &options, files)?;
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

    #[doc = include_str!("step.txt")]
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
        Ok(this.record(outcome, ready.last()))
    }

    #[doc = include_str!("apply_gradients.txt")]
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

    #[doc = include_str!("updates.txt")]
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
        this.tell(guard);
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
        resuming::counts(slf)
    }

    #[setter]
    fn set_counts(slf: &Bound<'_, Self>, counts: &Bound<'_, PyAny>) -> PyResult<()> {
        resuming::set_counts(slf, counts)
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
        resuming::feedback_state(slf)
    }

    #[setter]
    fn set_feedback_state(slf: &Bound<'_, Self>, states: &Bound<'_, PyAny>) -> PyResult<()> {
        resuming::set_feedback_state(slf, states)
    }

    /// What the rule remembers beside the state, a tuple of dicts in group order; assign it to resume.
    #[getter]
    fn scalars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        resuming::scalars(slf)
    }

    #[setter]
    fn set_scalars(slf: &Bound<'_, Self>, scalars: &Bound<'_, PyAny>) -> PyResult<()> {
        resuming::set_scalars(slf, scalars)
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

    /// The hyperparameters that the state started from: to change them later would do nothing.
    #[getter]
    fn _started_from(slf: &Bound<'_, Self>) -> PyResult<Vec<&'static str>> {
        let told = slf.get().snapshot()?;
        let slots = told.settings.groups.iter().flat_map(Group::slots);
        Ok(slots
            .filter_map(|slot| if let Init::Hyper(name) = slot.init { Some(name) } else { None })
            .collect())
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

    /// Write the copies of ``copy_to`` anew, after the parameters were changed by something else than a step.
    ///
    /// Raises:
    ///     ValueError: there are no parameters as yet.
    fn refresh_copies(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().lock()?.as_mut().ok_or_else(not_ready)?.bound()?.stepper.leaves.refresh_copies(slf.py())
    }

    /// What `copy_to` has, in the order of the parameters.
    #[getter]
    fn _copies<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let guard = slf.get().lock()?;
        match guard.as_ref().ok_or_else(not_ready)?.known() {
            Some(body) => PyList::new(slf.py(), body.stepper.leaves.copies(slf.py())),
            None => Ok(PyList::empty(slf.py())),
        }
    }

    /// The number of the group of each.
    #[getter]
    fn _owners(slf: &Bound<'_, Self>) -> PyResult<Vec<usize>> {
        let guard = slf.get().lock()?;
        let leaves = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.leaves;
        Ok((0..leaves.len()).map(|leaf| leaves.group(leaf)).collect())
    }

    /// The structure of the parameters with other arrays, in the order of `_arrays`.
    fn _structured<'py>(slf: &Bound<'py, Self>, arrays: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyAny>> {
        let guard = slf.get().lock()?;
        let body = guard.as_ref().ok_or_else(not_ready)?.body()?;
        let (given, wanted) = (arrays.len(), body.stepper.leaves.len());
        if given != wanted {
            return Err(value_error(format!("there are {given} arrays, but {wanted} parameters")));
        }
        body.structure.tree.build(slf.py(), &mut |leaf| arrays.get_item(leaf).expect("one for each"))
    }

    /// Refuses parameters that a step would refuse to update.
    fn _verify(slf: &Bound<'_, Self>) -> PyResult<()> {
        let mut guard = slf.get().lock()?;
        let body = guard.as_mut().ok_or_else(not_ready)?.bound()?;
        body.structure.check_attached(slf.py(), &body.stepper.leaves)?;
        body.stepper.leaves.verify_parameters(slf.py())
    }

    /// What gradients hold, in the order of `_arrays`; None where there is none.
    fn _listed<'py>(slf: &Bound<'py, Self>, grads: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let guard = slf.get().lock()?;
        let tree = &guard.as_ref().ok_or_else(not_ready)?.body()?.structure.tree;
        let listed = PyList::empty(slf.py());
        tree.walk(grads, Root::Grads, &mut |_, gradient| listed.append(gradient))?;
        Ok(listed)
    }

    /// Says that the parameters hold something else for a while, or again what is updated. Returns what was said before.
    fn _swap(&self, swapped: bool) -> PyResult<bool> {
        let _guard = self.lock()?;
        Ok(self.swapped.swap(swapped, Ordering::Relaxed))
    }

    /// Refuses what is not to be done inside `swap_averaged`, by a RuntimeError that begins with these words.
    fn _check_own(&self, refused: &str) -> PyResult<()> {
        self.check_own(refused)
    }

    /// `{name: {slot: ndarray}}`, the optimizer's own memory; the same arrays at each call.
    #[getter]
    fn _state(slf: &Bound<'_, Self>) -> PyResult<Py<PyDict>> {
        slf.get().lock()?.as_mut().ok_or_else(not_ready)?.body_mut()?.state(slf.py())
    }

    /// Watches the tensors whose memory the parameters are. Returns how many updates each has had, an array that each
    /// step changes.
    fn _watch<'py>(
        slf: &Bound<'py, Self>,
        exchange: Py<Exchange>,
        tensors: Vec<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        watching::watch(slf, exchange, tensors)
    }

    /// A step of the tensors that are watched, by the gradients that they have: how much was updated.
    #[pyo3(signature = (groups, said, loss=None, scale=None))]
    fn _step_watched(
        slf: &Bound<'_, Self>,
        groups: &Bound<'_, PyList>,
        said: &Bound<'_, PyList>,
        loss: Option<&Bound<'_, PyAny>>,
        scale: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<i32> {
        watching::step(slf, groups, said, loss, scale)
    }

    /// How far the run has come: what `_resume` takes.
    #[getter]
    fn _progress(slf: &Bound<'_, Self>) -> PyResult<resuming::Progress> {
        resuming::progress(slf)
    }

    #[expect(clippy::needless_pass_by_value, reason = "as PyO3 wants it")]
    fn _resume(slf: &Bound<'_, Self>, progress: resuming::Progress) -> PyResult<()> {
        resuming::resume(slf, &progress)
    }

    /// The name, shape, dtype and number of the group of each parameter, where they are known.
    #[getter]
    fn _parameters(slf: &Bound<'_, Self>) -> PyResult<Vec<resuming::Description>> {
        resuming::parameters(slf)
    }

    /// What making the optimizer again takes beside the hyperparameters: `params` as given, None if it has none of its
    /// own; the groups in it; the patterns of the others; and which of the hyperparameters belong to groups.
    #[getter]
    fn _given(slf: &Bound<'_, Self>) -> PyResult<resuming::Given> {
        resuming::given(slf)
    }

    /// Learns from arrays what the parameters are like that calls will give.
    fn _resemble(slf: &Bound<'_, Self>, params: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.get();
        let mut guard = this.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        ready.resemble(params)?;
        this.tell(guard);
        Ok(())
    }

    /// The `StateDirectory` of the files that hold the state, if they do.
    #[getter]
    fn _directory(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let guard = slf.get().lock()?;
        let files = guard.as_ref().and_then(|ready| ready.assembly.files.as_ref());
        Ok(files.map(|files| files.directory.clone_ref(slf.py())))
    }

    /// Whether nothing has been written to these files since `_seal`.
    #[getter]
    fn _sealed(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let guard = slf.get().lock()?;
        Ok(guard
            .as_ref()
            .and_then(|ready| ready.assembly.files.as_ref())
            .is_some_and(|files| files.is_sealed()))
    }

    /// Notes that what is in these files is about to be put down. Returns the arrays that are updated in place.
    fn _seal<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyList>> {
        let mut guard = slf.get().lock()?;
        slf.get().check_own("nothing is flushed")?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        if let Some(files) = &ready.assembly.files {
            files.set_sealed();
        }
        let parameters = ready.bound().map_or(&[][..], |body| body.stepper.leaves.parameters());
        PyList::new(slf.py(), parameters.iter().map(|parameter| parameter.array.bind(slf.py())))
    }

    /// Breaks the seal of these files, before something is written that is no step.
    fn _unseal(slf: &Bound<'_, Self>) -> PyResult<()> {
        let guard = slf.get().lock()?;
        guard.as_ref().and_then(|ready| ready.assembly.files.as_ref()).map_or(Ok(()), |files| files.unseal())
    }

    /// From here on `meeting` connects every step with those of others, each of which has a stretch of every array.
    ///
    /// Args:
    ///     meeting: ``gather(what, sums, items)`` is given the sums of our chunks and returns those of all, in the order of
    ///         whole arrays; ``items`` are the numbers of the arrays that they are of, or None for all. ``agree(what,
    ///         digest)`` is called at last; what it raises stops the step, of which nothing was written as yet.
    ///     lengths: the number of elements of each whole array, a complex one counting as two; or None if they are whole
    ///         here, and nothing is gathered.
    fn _share(slf: &Bound<'_, Self>, meeting: Py<PyAny>, lengths: Option<Vec<usize>>) -> PyResult<()> {
        let mut guard = slf.get().lock()?;
        let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.bound()?.stepper;
        let old = stepper.share(Sharing::new(meeting, lengths, &stepper.leaves)?);
        drop(guard);
        drop(old);
        Ok(())
    }

    /// A number that is the same where the next step's would be the same; and whether no Python code is run to find out.
    #[getter]
    fn _outlook(slf: &Bound<'_, Self>) -> PyResult<(u64, bool)> {
        let mut guard = slf.get().lock()?;
        let t = slf.get().next()?;
        guard.as_mut().ok_or_else(not_ready)?.bound()?.stepper.outlook(slf.py(), t)
    }

    /// What the garbage collector has to see: a schedule's function may hold the optimizer. In the middle of a step
    /// nothing is shown, and so nothing is collected.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(guard) = self.ready.try_lock()
            && let Some(ready) = &*guard
        {
            ready.traverse(&visit)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let ready = self.ready.try_lock().and_then(|mut guard| guard.take());
        let told = self.told().take();
        drop((ready, told));
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().name()?;
        let Told { settings, arrays, elements } = slf.get().snapshot()?;
        let (settings, t) = (settings.describe(slf.py())?, slf.get().step_count());
        Ok(format!("<{class}({settings}): {arrays} arrays, {elements} elements, step {t}>"))
    }
}
