//! What resuming a run takes beside the state: the states of feedback schedules, what rules remember, counts.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple};

use super::shared::{Optimizer, not_ready};
use crate::errors::value_error;
use crate::numbers;
use crate::observers;
use crate::records;

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
        numbers.push(records::read(&format!("scalars[{i}]"), names, vec![0.0; names.len()], record)?);
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
