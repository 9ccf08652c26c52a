//! What resuming a run takes beside the state: the states of feedback schedules, what rules remember, counts.

use gradstep_core::schedules::LAST_STEP;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple};
use std::sync::atomic::Ordering;

use super::shared::{Optimizer, not_ready};
use crate::arrays::Leaves;
use crate::errors::value_error;
use crate::groups::Group;
use crate::numbers;
use crate::observers;
use crate::records;
use crate::windows::Window;

/// How far a run has come, as a dict; the lists are in the order of the parameters.
#[derive(IntoPyObject, FromPyObject)]
#[pyo3(from_item_all)]
pub(super) struct Progress {
    step_count: u64,
    skipped: u64,
    counts: Vec<u64>,
    frozen: Vec<bool>,
    waiting: Vec<bool>,
    window: Window,
}

pub(super) fn progress(slf: &Bound<'_, Optimizer>) -> PyResult<Progress> {
    let (guard, step_count) = (slf.get().lock()?, slf.get().step_count());
    let stepper = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper;
    let leaves = &stepper.leaves;
    let of_each = |is: fn(&Leaves, usize) -> bool| (0..leaves.len()).map(|leaf| is(leaves, leaf)).collect();
    Ok(Progress {
        step_count,
        skipped: slf.get().skipped(),
        counts: (0..leaves.len()).map(|leaf| step_count - leaves.missed(leaf)).collect(),
        frozen: of_each(Leaves::is_frozen),
        waiting: of_each(Leaves::is_waiting),
        window: stepper.window,
    })
}

pub(super) fn resume(slf: &Bound<'_, Optimizer>, progress: &Progress) -> PyResult<()> {
    let this = slf.get();
    let mut guard = this.lock()?;
    let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.body_mut()?.stepper;
    let &Progress { step_count, skipped, ref counts, ref frozen, ref waiting, window } = progress;
    let len = stepper.leaves.len();
    if [counts.len(), frozen.len(), waiting.len()] != [len; 3] {
        return Err(value_error(format!("there must be a count for each of the {len} parameters")));
    }
    if step_count > LAST_STEP {
        return Err(value_error(format!("step_count must be below 2**63, got {step_count}")));
    }
    if let Some(count) = counts.iter().find(|&&count| count > step_count) {
        return Err(value_error(format!("counts must be at most step_count = {step_count}, got {count}")));
    }
    let several = stepper.settings().policies.accumulate;
    if window.count >= several {
        let count = window.count;
        return Err(value_error(format!(
            "window['count'] must be below accumulate = {several}, got {count}"
        )));
    }
    let is_empty = window.count == 0;
    if waiting.iter().zip(frozen).any(|(&waiting, &frozen)| waiting && (frozen || is_empty)) {
        return Err(value_error(
            "a parameter waits for its update, but is frozen, or there is none under way",
        ));
    }
    stepper.set_missed(counts.iter().map(|count| step_count - count));
    for (leaf, &frozen) in frozen.iter().enumerate() {
        stepper.leaves.freeze(leaf, frozen);
    }
    stepper.leaves.set_waiting(waiting);
    stepper.window = window;
    this.t.store(step_count, Ordering::Relaxed);
    this.skipped.store(skipped, Ordering::Relaxed);
    Ok(())
}

/// Name, shape, dtype and number of the group.
pub(super) type Description = (String, Vec<isize>, &'static str, usize);

pub(super) fn parameters(slf: &Bound<'_, Optimizer>) -> PyResult<Vec<Description>> {
    let guard = slf.get().lock()?;
    let Some(body) = guard.as_ref().ok_or_else(not_ready)?.known() else { return Ok(Vec::new()) };
    let leaves = &body.stepper.leaves;
    let described = leaves.parameters().iter().enumerate().map(|(leaf, parameter)| {
        let layout = &parameter.layout;
        (parameter.name().to_owned(), layout.shape.to_vec(), layout.dtype_name(), leaves.group(leaf))
    });
    Ok(described.collect())
}

/// See `_given`.
#[derive(IntoPyObject)]
pub(super) struct Given {
    params: Option<Py<PyAny>>,
    groups: Vec<Py<PyDict>>,
    patterns: Vec<String>,
    options: Vec<&'static str>,
}

pub(super) fn given(slf: &Bound<'_, Optimizer>) -> PyResult<Given> {
    let (this, py) = (slf.get(), slf.py());
    let guard = this.lock()?;
    this.check_own("no optimizer is copied or pickled")?;
    let ready = guard.as_ref().ok_or_else(not_ready)?;
    let structure = ready.known().filter(|body| body.stepper.leaves.is_bound()).map(|body| &body.structure);
    Ok(Given {
        params: structure.map(|structure| structure.params.clone_ref(py)),
        groups: structure.map_or_else(Vec::new, |structure| {
            structure.groups.iter().map(|group| group.clone_ref(py)).collect()
        }),
        patterns: ready.assembly.patterns.names(),
        options: Group::names(ready.assembly.settings.groups[0].spec).collect(),
    })
}

pub(super) fn feedback_state<'py>(slf: &Bound<'py, Optimizer>) -> PyResult<Bound<'py, PyTuple>> {
    let guard = slf.get().lock()?;
    let observers = guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.observers();
    observers.ensure_headroom()?;
    let states = observers.iter().map(|feedback| observers::state(slf.py(), feedback));
    PyTuple::new(slf.py(), states.collect::<PyResult<Vec<_>>>()?)
}

pub(super) fn set_feedback_state(slf: &Bound<'_, Optimizer>, states: &Bound<'_, PyAny>) -> PyResult<()> {
    let guard = slf.get().lock()?;
    let observers = guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.observers();
    observers.ensure_headroom()?;
    let states: Vec<Bound<'_, PyAny>> = states.extract()?;
    if states.len() != observers.iter().len() {
        let (a, b) = (states.len(), observers.iter().len());
        return Err(value_error(format!(
            "feedback_state has {a} entries, but there are {b} feedback schedules"
        )));
    }
    let numbers = observers.iter().zip(&states).map(|(feedback, state)| observers::numbers(feedback, state));
    observers.restore(&numbers.collect::<PyResult<Vec<_>>>()?);
    Ok(())
}

pub(super) fn scalars<'py>(slf: &Bound<'py, Optimizer>) -> PyResult<Bound<'py, PyTuple>> {
    let guard = slf.get().lock()?;
    let stepper = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper;
    stepper.settings().ensure_headroom()?;
    let groups = stepper.settings().groups.iter().zip(stepper.memory());
    let records = groups.map(|(group, numbers)| group.memory().iter().zip(numbers).into_py_dict(slf.py()));
    PyTuple::new(slf.py(), records.collect::<PyResult<Vec<_>>>()?)
}

pub(super) fn set_scalars(slf: &Bound<'_, Optimizer>, scalars: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut guard = slf.get().lock()?;
    let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.body_mut()?.stepper;
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
        numbers.push(records::read(&format!("scalars[{i}]"), names, None, vec![0.0; names.len()], record)?);
    }
    stepper.set_memory(&numbers);
    Ok(())
}

pub(super) fn counts<'py>(slf: &Bound<'py, Optimizer>) -> PyResult<Bound<'py, PyDict>> {
    let (guard, t) = (slf.get().lock()?, slf.get().step_count());
    let leaves = &guard.as_ref().ok_or_else(not_ready)?.body()?.stepper.leaves;
    let count = |leaf: usize| (leaves.parameters()[leaf].name(), t - leaves.missed(leaf));
    (0..leaves.len()).map(count).into_py_dict(slf.py())
}

pub(super) fn set_counts(slf: &Bound<'_, Optimizer>, counts: &Bound<'_, PyAny>) -> PyResult<()> {
    let t = slf.get().step_count();
    let given = counts.cast::<PyDict>().map_err(|_| {
        numbers::wrong_type("counts", "a dict of counts by the names of the parameters", counts)
    })?;
    let mut guard = slf.get().lock()?;
    let stepper = &mut guard.as_mut().ok_or_else(not_ready)?.body_mut()?.stepper;
    let mut missed = Vec::with_capacity(stepper.leaves.len());
    for parameter in stepper.leaves.parameters() {
        let name = parameter.name();
        let Some(count) = given.get_item(name)? else {
            return Err(value_error(format!("counts has no '{name}'")));
        };
        let count = numbers::step(format_args!("counts['{name}']"), &count, "an integer")?;
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
