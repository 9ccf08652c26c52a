//! The one native schedule class: a kind, its arguments, and the core's curve made of them.

mod arguments;
mod evaluation;
mod kinds;

pub(crate) use evaluation::{is_integer, step};

use gradstep_core::feedback::Feedback;
use gradstep_core::schedules::Schedule as Core;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use std::sync::Arc;

use crate::errors::value_error;
use crate::observers::{self, Observers};

/// Compositions nest at most this deep: filling, hashing and printing recurse, and the stack is finite.
const MAX_DEPTH: usize = 64;

/// A schedule: `Schedule(kind, *arguments)`. The classes of `gradstep.schedules` derive from it.
#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Schedule {
    core: Core,
    kind: Py<PyString>,
    names: Vec<&'static str>,
    /// As plain Python objects: floats, ints, bools, strings, schedules and tuples of them.
    arguments: Py<PyTuple>,
    depth: usize,
    pure: bool,
    /// All feedback schedules inside, this one included, each once.
    feedback: Vec<Arc<dyn Feedback>>,
    /// This schedule, if it is one.
    own: Option<Arc<dyn Feedback>>,
    /// What a `Lambda` calls. Its curve holds it a second time.
    function: Option<Py<PyAny>>,
}

impl Schedule {
    /// What the core evaluates.
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Whether evaluation never calls Python, so that it needs no GIL and cannot fail.
    pub(crate) fn is_pure(&self) -> bool {
        self.pure
    }

    /// The value at update number `t`, at most [`gradstep_core::schedules::LAST_STEP`]. A pure schedule
    /// pays nothing for what a Python function may raise.
    pub(crate) fn evaluate(&self, py: Python<'_>, t: u64) -> PyResult<f64> {
        let value = self.core.value(t);
        if self.pure { Ok(value) } else { evaluation::failure(py).map_or(Ok(value), Err) }
    }

    pub(crate) fn feedback(&self) -> &[Arc<dyn Feedback>] {
        &self.feedback
    }

    /// The class, or the classmethod that the kind names: `Exponential.with_rate`.
    fn constructor<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let class = slf.get_type();
        match slf.get().kind.bind(slf.py()).to_cow()?.split_once('.') {
            Some((_, method)) => class.getattr(method),
            None => Ok(class.into_any()),
        }
    }

    /// What equality and hash compare: not the state of a feedback schedule, which changes.
    fn identity<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        (slf.get_type(), &slf.get().kind, &slf.get().arguments).into_pyobject(slf.py())
    }
}

#[pymethods]
impl Schedule {
    #[new]
    #[pyo3(signature = (kind, /, *arguments))]
    fn new(kind: &Bound<'_, PyString>, arguments: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut reader = arguments::Reader::new(arguments);
        let (core, own) = kinds::build(&kind.to_cow()?, &mut reader)?;
        let mut read = reader.finish()?;
        read.feedback.extend(own.clone());
        if read.depth > MAX_DEPTH {
            return Err(value_error(format!("schedules nest at most {MAX_DEPTH} deep, got {}", read.depth)));
        }
        Ok(Self {
            core,
            kind: kind.clone().unbind(),
            names: read.names,
            arguments: read.values.unbind(),
            depth: read.depth,
            pure: read.pure,
            feedback: read.feedback,
            own,
            function: read.function,
        })
    }

    /// The value at update number t: a float for an integer, a float64 array for an integer array.
    #[pyo3(signature = (t, /))]
    fn __call__<'py>(&self, t: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        evaluation::call(self, t)
    }

    /// The parameters by name.
    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let params = PyDict::new(py);
        for (name, value) in self.names.iter().zip(self.arguments.bind(py)) {
            params.set_item(name, value)?;
        }
        Ok(params)
    }

    /// What the garbage collector has to see: a `Lambda` whose function holds what holds the schedule.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.arguments)?;
        if let Some(function) = &self.function {
            visit.call(function)?;
            // The reference of the curve, which lives as long as this schedule: who shares the curve holds
            // the schedule among its own arguments.
            visit.call(function)?;
        }
        Ok(())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::with_capacity(self.names.len());
        for (name, value) in self.names.iter().zip(self.arguments.bind(py)) {
            parts.push(format!("{name}={}", value.repr()?.to_cow()?));
        }
        Ok(format!("{}({})", self.kind.bind(py).to_cow()?, parts.join(", ")))
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        if slf.is(other) {
            return Ok(true);
        }
        Self::identity(slf)?.eq(Self::identity(other)?)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        Self::identity(slf)?.hash()
    }

    /// See [`gradstep_core::schedules::Curve::horizon`].
    #[pyo3(name = "_horizon")]
    fn horizon(&self) -> Option<f64> {
        self.core.horizon()
    }

    /// Tells all feedback schedules inside, this one included, a loss or another metric.
    fn observe(&self, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        Observers::new(self.feedback.iter()).observe_loss(loss)
    }

    /// The state of a feedback schedule itself, without those inside it; nothing for other schedules.
    #[getter(_state)]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.own.as_deref().map_or_else(|| Ok(PyDict::new(py)), |own| observers::state(py, own))
    }

    #[setter(_state)]
    fn set_state(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        self.own.as_deref().map_or(Ok(()), |own| observers::set_state(own, state))
    }

    /// `(constructor, arguments)`, and for a feedback schedule its state.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let schedule = slf.get();
        let (constructor, arguments) = (Self::constructor(slf)?, &schedule.arguments);
        match &schedule.own {
            None => (constructor, arguments).into_pyobject(slf.py()),
            Some(_) => (constructor, arguments, schedule.state(slf.py())?).into_pyobject(slf.py()),
        }
    }

    fn __setstate__(&self, state: &Bound<'_, PyAny>) -> PyResult<()> {
        self.set_state(state)
    }

    /// A pure schedule is its own copy; one with feedback inside gets a copy with a state of its own.
    fn __copy__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        let memo = PyDict::new(slf.py());
        Self::__deepcopy__(slf, &memo)
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__<'py>(slf: Bound<'py, Self>, memo: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let schedule = slf.get();
        if schedule.feedback.is_empty() {
            return Ok(slf.into_any());
        }
        let deepcopy = slf.py().import("copy")?.getattr("deepcopy")?;
        let arguments = deepcopy.call1((&schedule.arguments, memo))?;
        let copy = Self::constructor(&slf)?.call1(arguments.cast::<PyTuple>()?)?;
        if schedule.own.is_some() {
            copy.setattr("_state", schedule.state(slf.py())?)?;
        }
        Ok(copy)
    }
}
