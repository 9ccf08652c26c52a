//! Reads a schedule's arguments in order, checks what they are, and keeps them as plain Python objects.

use gradstep_core::feedback::Feedback;
use gradstep_core::schedules::{Opaque, Schedule as Core};
use numpy::PyUntypedArray;
use pyo3::BoundObject;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat, PyInt, PyIterator, PySequence, PyString, PyTuple, PyType};
use std::sync::Arc;

use super::{Schedule, evaluation};
use crate::errors::{type_error, value_error};

/// Takes one argument at a time. Each method names the parameter that it reads.
pub(super) struct Reader<'py> {
    arguments: &'py Bound<'py, PyTuple>,
    names: Vec<&'static str>,
    values: Vec<Bound<'py, PyAny>>,
    depth: usize,
    pure: bool,
    feedback: Vec<Arc<dyn Feedback>>,
    function: Option<Py<PyAny>>,
}

/// All that a [`Reader`] has read.
pub(super) struct Read<'py> {
    pub(super) names: Vec<&'static str>,
    pub(super) values: Bound<'py, PyTuple>,
    pub(super) depth: usize,
    pub(super) pure: bool,
    /// The feedback schedules among the arguments and inside them, each once.
    pub(super) feedback: Vec<Arc<dyn Feedback>>,
    pub(super) function: Option<Py<PyAny>>,
}

impl<'py> Reader<'py> {
    pub(super) fn new(arguments: &'py Bound<'py, PyTuple>) -> Self {
        Self {
            arguments,
            names: Vec::new(),
            values: Vec::new(),
            depth: 0,
            pure: true,
            feedback: Vec::new(),
            function: None,
        }
    }

    pub(super) fn finish(self) -> PyResult<Read<'py>> {
        let (given, read) = (self.arguments.len(), self.values.len());
        if given > read {
            return Err(type_error(format!("expected {read} arguments, got {given}")));
        }
        let values = PyTuple::new(self.arguments.py(), self.values)?;
        Ok(Read {
            names: self.names,
            values,
            depth: self.depth + 1,
            pure: self.pure,
            feedback: self.feedback,
            function: self.function,
        })
    }

    fn next(&mut self, name: &'static str) -> PyResult<Bound<'py, PyAny>> {
        self.arguments
            .get_item(self.values.len())
            .map_err(|_| type_error(format!("missing argument '{name}'")))
    }

    fn keep<T>(&mut self, name: &'static str, value: T) -> PyResult<()>
    where
        T: IntoPyObject<'py>,
        PyErr: From<T::Error>,
    {
        self.names.push(name);
        self.values.push(value.into_pyobject(self.arguments.py())?.into_bound().into_any());
        Ok(())
    }

    pub(super) fn float(&mut self, name: &'static str) -> PyResult<f64> {
        let value = float(name, &self.next(name)?)?;
        self.keep(name, value)?;
        Ok(value)
    }

    pub(super) fn count(&mut self, name: &'static str) -> PyResult<i64> {
        let value = count(name, &self.next(name)?)?;
        self.keep(name, value)?;
        Ok(value)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> PyResult<bool> {
        let given = self.next(name)?;
        // Takes NumPy's bool too.
        let value: bool = given.extract().map_err(|_| wrong_type(name, "a bool", &given))?;
        self.keep(name, PyBool::new(given.py(), value))?;
        Ok(value)
    }

    pub(super) fn name(&mut self, name: &'static str) -> PyResult<String> {
        let given = self.next(name)?;
        let value: String = given.extract().map_err(|_| wrong_type(name, "a string", &given))?;
        self.keep(name, &value)?;
        Ok(value)
    }

    pub(super) fn floats(&mut self, name: &'static str) -> PyResult<Vec<f64>> {
        let values = list(name, &self.next(name)?, float)?;
        self.keep(name, PyTuple::new(self.arguments.py(), &values)?)?;
        Ok(values)
    }

    pub(super) fn counts(&mut self, name: &'static str) -> PyResult<Vec<i64>> {
        let values = list(name, &self.next(name)?, count)?;
        self.keep(name, PyTuple::new(self.arguments.py(), &values)?)?;
        Ok(values)
    }

    pub(super) fn schedule(&mut self, name: &'static str) -> PyResult<Core> {
        let given = self.next(name)?;
        let value = schedule(name, &given)?;
        let core = self.adopt(&value);
        self.keep(name, value)?;
        Ok(core)
    }

    pub(super) fn schedules(&mut self, name: &'static str) -> PyResult<Vec<Core>> {
        let values = list(name, &self.next(name)?, schedule)?;
        let cores = values.iter().map(|value| self.adopt(value)).collect();
        self.keep(name, PyTuple::new(self.arguments.py(), values)?)?;
        Ok(cores)
    }

    pub(super) fn function(&mut self, name: &'static str) -> PyResult<Opaque> {
        let given = self.next(name)?;
        if !given.is_callable() {
            return Err(wrong_type(name, "callable", &given));
        }
        self.pure = false;
        let function = given.clone().unbind();
        self.function = Some(given.clone().unbind());
        self.keep(name, given)?;
        Ok(Opaque(Box::new(move |t| evaluation::call_python(&function, t))))
    }

    fn adopt(&mut self, child: &Bound<'py, Schedule>) -> Core {
        let child = child.get();
        self.depth = self.depth.max(child.depth);
        self.pure &= child.pure;
        for feedback in &child.feedback {
            if !self.feedback.iter().any(|known| Arc::ptr_eq(known, feedback)) {
                self.feedback.push(Arc::clone(feedback));
            }
        }
        child.core().clone()
    }
}

fn wrong_type(name: &str, wants: &str, got: &Bound<'_, PyAny>) -> PyErr {
    type_error(format!("{name} must be {wants}, got {}", type_name(got)))
}

pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

/// A real number of any library that registers its own with `numbers`, as `numpy` does. Not a bool.
fn float(name: &str, given: &Bound<'_, PyAny>) -> PyResult<f64> {
    static REAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Ok(value) = given.cast_exact::<PyFloat>() {
        return Ok(value.value());
    }
    if given.is_instance_of::<PyBool>()
        || !given.is_instance(REAL.import(given.py(), "numbers", "Real")?)?
    {
        return Err(wrong_type(name, "a number", given));
    }
    given.extract().map_err(|_| value_error(format!("{name} must fit into a float, got {given}")))
}

/// An integer of any such library. Not a bool.
fn count(name: &str, given: &Bound<'_, PyAny>) -> PyResult<i64> {
    static INTEGRAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if given.is_instance_of::<PyBool>()
        || !(given.is_instance_of::<PyInt>()
            || given.is_instance(INTEGRAL.import(given.py(), "numbers", "Integral")?)?)
    {
        return Err(wrong_type(name, "an integer", given));
    }
    given.extract().map_err(|_| value_error(format!("{name} must fit into 63 bits, got {given}")))
}

fn schedule<'py>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Schedule>> {
    given.cast::<Schedule>().cloned().map_err(|_| wrong_type(name, "a schedule", given))
}

/// The items of a list, tuple or 1-d array: what has an order.
fn list<'py, T>(
    name: &str,
    given: &Bound<'py, PyAny>,
    item: impl Fn(&str, &Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    let ordered = given.is_instance_of::<PyUntypedArray>() || given.is_instance_of::<PySequence>();
    if !ordered || given.is_instance_of::<PyString>() {
        return Err(wrong_type(name, "a list, tuple or 1-d array", given));
    }
    PyIterator::from_object(given)?
        .enumerate()
        .map(|(i, value)| item(&format!("{name}[{i}]"), &value?))
        .collect()
}
