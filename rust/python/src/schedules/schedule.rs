//! The one native schedule class: a kind, its arguments, and the core's curve made of them.

use gradstep_core::feedback::Feedback;
use gradstep_core::schedules::Schedule as Core;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use std::sync::Arc;

use super::extent::Extent;
use super::functions::failure;
use crate::observers::Observers;

/// A schedule: `Schedule(kind, *arguments)`. The classes of `gradstep.schedules` derive from it.
#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Schedule {
    pub(super) core: Core,
    pub(super) kind: Py<PyString>,
    pub(super) names: Vec<&'static str>,
    /// As plain Python objects: floats, ints, bools, strings, schedules and tuples of them; long lists as arrays.
    pub(super) arguments: Py<PyTuple>,
    pub(super) extent: Extent,
    /// Whether evaluation never calls Python, so that it needs no GIL and cannot fail.
    pub(super) pure: bool,
    /// All feedback schedules inside, this one included.
    pub(super) feedback: Observers,
    /// This schedule, if it is one.
    pub(super) own: Option<Arc<dyn Feedback>>,
    /// What a `Lambda` calls. Its curve holds it a second time.
    pub(super) function: Option<Py<PyAny>>,
}

impl Schedule {
    /// The value at update number `t`, at most [`gradstep_core::schedules::LAST_STEP`]. A pure schedule
    /// pays nothing for what a Python function may raise.
    pub(crate) fn evaluate(&self, py: Python<'_>, t: u64) -> PyResult<f64> {
        let value = self.core.value(t);
        if self.pure { Ok(value) } else { failure(py).map_or(Ok(value), Err) }
    }

    /// Whether evaluation runs no Python code.
    pub(crate) fn is_pure(&self) -> bool {
        self.pure
    }

    pub(crate) fn feedback(&self) -> &[Arc<dyn Feedback>] {
        self.feedback.all()
    }
}
