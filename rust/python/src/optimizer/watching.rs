//! Steps of tensors that are watched.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::shared::{Optimizer, not_ready, scale_of};
use crate::arrays::Exchange;
use crate::ready::Call;

/// What a step did: that all has to be looked at anew, nothing, or several of these bits: something was updated, something
/// for the first time, not everything.
const CHANGED: i32 = -1;
const NOTHING: i32 = 0;
const UPDATED: i32 = 1;
const FIRST: i32 = 2;
const PARTIAL: i32 = 4;

pub(super) fn watch<'py>(
    slf: &Bound<'py, Optimizer>,
    exchange: Py<Exchange>,
    tensors: Vec<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let this = slf.get();
    let mut guard = this.lock()?;
    let body = guard.as_mut().ok_or_else(not_ready)?.bound()?;
    body.stepper.leaves.watch(slf.py(), exchange, tensors, this.step_count())
}

pub(super) fn step(
    slf: &Bound<'_, Optimizer>,
    groups: &Bound<'_, PyList>,
    said: &Bound<'_, PyList>,
    loss: Option<&Bound<'_, PyAny>>,
    scale: Option<&Bound<'_, PyAny>>,
) -> PyResult<i32> {
    let this = slf.get();
    let scale = scale_of(scale)?;
    let mut guard = this.lock()?;
    let ready = guard.as_mut().ok_or_else(not_ready)?;
    let Some(outcome) = ready.step_watched(groups, said, &Call { t: this.next()?, loss, scale })? else {
        return Ok(CHANGED);
    };
    let updated = this.record(outcome, ready.last());
    let leaves = &mut ready.bound()?.stepper.leaves;
    // A step without any gradient counts as one, too.
    let first = leaves.tell_counts(this.step_count());
    let bit = |set: bool, bit: i32| if set { bit } else { 0 };
    Ok(if updated {
        UPDATED | bit(first, FIRST) | bit(leaves.any_without_gradient(), PARTIAL)
    } else {
        NOTHING
    })
}
