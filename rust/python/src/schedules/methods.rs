//! What Python can do with a schedule.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::arguments::Reader;
use super::schedule::Schedule;
use super::text::{Style, write};
use super::{evaluation, kinds, lists};
use crate::observers::{self, Observers};

#[pymethods]
impl Schedule {
    #[new]
    #[pyo3(signature = (kind, /, *arguments))]
    fn new(kind: &Bound<'_, PyString>, arguments: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let mut reader = Reader::new(arguments);
        let (core, own) = kinds::build(&kind.to_cow()?, &mut reader)?;
        let read = reader.finish()?;
        Ok(Self {
            core,
            kind: kind.clone().unbind(),
            names: read.names,
            arguments: read.values.unbind(),
            extent: read.extent,
            pure: read.pure,
            feedback: Observers::new(read.feedback.iter().chain(&own))?,
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

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyString>> {
        PyString::from_bytes(slf.py(), write(slf, Style::Whole)?.as_bytes())
    }

    /// Compares kinds and arguments: not the state of a feedback schedule, which changes.
    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<bool> {
        let (py, a, b) = (slf.py(), slf.get(), other.get());
        if slf.is(other) {
            return Ok(true);
        }
        if !slf.get_type().is(other.get_type()) || a.kind.bind(py).to_cow()? != b.kind.bind(py).to_cow()? {
            return Ok(false);
        }
        for (a, b) in a.arguments.bind(py).iter().zip(b.arguments.bind(py)) {
            if !lists::equal(&a, &b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        let (py, schedule) = (slf.py(), slf.get());
        let arguments = schedule.arguments.bind(py).iter().map(|argument| lists::hashable(&argument));
        let arguments = PyTuple::new(py, arguments.collect::<PyResult<Vec<_>>>()?)?;
        (slf.get_type(), &schedule.kind, arguments).into_pyobject(py)?.hash()
    }

    /// See [`gradstep_core::schedules::Curve::horizon`].
    #[pyo3(name = "_horizon")]
    fn horizon(&self) -> Option<f64> {
        self.core.horizon()
    }

    /// Tells all feedback schedules inside, this one included, a loss or another metric.
    fn observe(&self, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        self.feedback.observe_loss(loss)
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
        if schedule.feedback().is_empty() {
            return Ok(slf.into_any());
        }
        let arguments = deep_copies(schedule.arguments.bind(slf.py()), memo)?;
        let copy = Self::constructor(&slf)?.call1(&arguments)?;
        if schedule.own.is_some() {
            copy.setattr("_state", schedule.state(slf.py())?)?;
        }
        Ok(copy)
    }
}

impl Schedule {
    /// The class, or the classmethod that the kind names: `Exponential.with_rate`.
    fn constructor<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let class = slf.get_type();
        match slf.get().kind.bind(slf.py()).to_cow()?.split_once('.') {
            Some((_, method)) => class.getattr(method),
            None => Ok(class.into_any()),
        }
    }
}

/// Arguments with copies of the schedules among them. Not by `copy.deepcopy`, whose frames of Python code, one in
/// another for each schedule in a schedule, need a large stack.
fn deep_copies<'py>(
    arguments: &Bound<'py, PyTuple>,
    memo: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyTuple>> {
    let copies = PyList::empty(arguments.py());
    for argument in arguments {
        if let Ok(arguments) = argument.cast::<PyTuple>() {
            copies.append(deep_copies(arguments, memo)?)?;
        } else if let Ok(schedule) = argument.cast::<Schedule>() {
            let key = schedule.as_ptr() as usize;
            if let Some(copy) = memo.get_item(key)? {
                copies.append(copy)?;
                continue;
            }
            let copy = Schedule::__deepcopy__(schedule.clone(), memo)?;
            memo.set_item(key, &copy)?;
            copies.append(copy)?;
        } else {
            copies.append(argument)?;
        }
    }
    lists::tuple(&copies)
}
