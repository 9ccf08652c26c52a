//! Feedback schedules at work: telling them what was observed, and their state as plain numbers.

use gradstep_core::error::BadValue;
use gradstep_core::feedback::{Feedback, Signal, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashSet;
use std::sync::Arc;

use crate::errors::{memory_error, value_error};
use crate::headroom;
use crate::numbers::real;
use crate::records;

/// About what the state of one takes, also as a dict.
const BYTES_OF_A_STATE: usize = 1024;

/// The feedback schedules that observe together, each once.
#[derive(Default)]
pub(crate) struct Observers(Vec<Arc<dyn Feedback>>);

impl Observers {
    /// All of them, without those that have occurred before.
    pub(crate) fn new<'a>(all: impl IntoIterator<Item = &'a Arc<dyn Feedback>>) -> PyResult<Self> {
        let (mut each, mut known) = (Vec::new(), HashSet::new());
        for feedback in all {
            known.try_reserve(1).map_err(memory_error)?;
            if known.insert(Arc::as_ptr(feedback).cast::<()>()) {
                each.try_reserve(1).map_err(memory_error)?;
                each.push(Arc::clone(feedback));
            }
        }
        Ok(Self(each))
    }

    pub(crate) fn all(&self) -> &[Arc<dyn Feedback>] {
        &self.0
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Feedback> {
        self.0.iter().map(|feedback| &**feedback)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn want_norm(&self) -> bool {
        self.iter().any(|feedback| feedback.signal() != Signal::Loss)
    }

    /// All begin to note what they observe, so that it can be taken back.
    pub(crate) fn mark(&self) {
        self.iter().for_each(Feedback::mark);
    }

    /// All are again where they were at the mark.
    pub(crate) fn rewind(&self) {
        self.iter().for_each(Feedback::rewind);
    }

    /// Tells those that want to know. After an error, some may have taken it in.
    pub(crate) fn observe(&self, signal: Signal, seen: f64) -> PyResult<Verdict> {
        let mut verdict = Verdict::Go;
        for feedback in self.iter().filter(|feedback| feedback.signal() == signal) {
            if feedback.observe(seen).map_err(value_error)? == Verdict::Skip {
                verdict = Verdict::Skip;
            }
        }
        Ok(verdict)
    }

    /// All take in the loss, or none does.
    pub(crate) fn observe_loss(&self, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        let loss = real("loss", loss, "a number")?;
        self.mark();
        self.observe(Signal::Loss, loss).map(drop).inspect_err(|_| self.rewind())
    }

    /// MemoryError unless there is room for the states of all.
    pub(crate) fn ensure_headroom(&self) -> PyResult<()> {
        headroom::ensure(self.0.len(), BYTES_OF_A_STATE)
    }

    pub(crate) fn restore(&self, states: &[Vec<f64>]) {
        for (feedback, state) in self.iter().zip(states) {
            feedback.restore(state);
        }
    }
}

/// `{name: number}` of a feedback's state, and its list.
pub(crate) fn state<'py>(py: Python<'py>, feedback: &dyn Feedback) -> PyResult<Bound<'py, PyDict>> {
    records::write(py, feedback.names(), feedback.list(), &feedback.state())
}

pub(crate) fn set_state(feedback: &dyn Feedback, state: &Bound<'_, PyAny>) -> PyResult<()> {
    feedback.restore(&numbers(feedback, state)?);
    Ok(())
}

/// The numbers of a dict that has just the names of the feedback's state, each in its range.
pub(crate) fn numbers(feedback: &dyn Feedback, state: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let numbers = records::read("state", feedback.names(), feedback.list(), feedback.start(), state)?;
    let of_state = |bad: BadValue| {
        let (name, item) = bad.name.split_at(bad.name.find('[').unwrap_or(bad.name.len()));
        value_error(BadValue { name: format!("state['{name}']{item}"), ..bad })
    };
    feedback.check(&numbers).map_err(of_state)?;
    Ok(numbers)
}
