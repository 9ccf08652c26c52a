//! The one native schedule class: a kind, its arguments, and the core's curve made of them.

mod arguments;
mod evaluation;
mod kinds;

pub(crate) use evaluation::{is_integer, step};

use gradstep_core::schedules::Schedule as Core;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::errors::value_error;

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

    /// What equality and hash compare.
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
        let core = kinds::build(&kind.to_cow()?, &mut reader)?;
        let read = reader.finish()?;
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

    /// `(class, arguments)`, or the classmethod that the kind names: `Exponential.with_rate`.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (class, kind, arguments) = (slf.get_type(), &slf.get().kind, &slf.get().arguments);
        let constructor = match kind.bind(slf.py()).to_cow()?.split_once('.') {
            Some((_, method)) => class.getattr(method)?,
            None => class.into_any(),
        };
        Ok((constructor, arguments.bind(slf.py()).clone()))
    }

    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__<'py>(slf: Bound<'py, Self>, memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        let _ = memo;
        slf
    }
}
