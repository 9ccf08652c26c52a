//! Reads a schedule's arguments in order, checks what they are, and keeps them as plain Python objects.

use gradstep_core::feedback::Feedback;
use gradstep_core::schedules::{Opaque, Schedule as Core};
use pyo3::BoundObject;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyTuple};
use std::sync::Arc;

use super::extent::Extent;
use super::schedule::Schedule;
use super::{functions, lists};
use crate::errors::{memory_error, type_error};
use crate::numbers::{flag, integer, real, wrong_type};

/// Takes one argument at a time. Each method names the parameter that it reads.
pub(super) struct Reader<'py> {
    arguments: &'py Bound<'py, PyTuple>,
    names: Vec<&'static str>,
    values: Vec<Bound<'py, PyAny>>,
    extent: Extent,
    pure: bool,
    feedback: Vec<Arc<dyn Feedback>>,
    function: Option<Py<PyAny>>,
}

/// All that a [`Reader`] has read.
pub(super) struct Read<'py> {
    pub(super) names: Vec<&'static str>,
    pub(super) values: Bound<'py, PyTuple>,
    pub(super) extent: Extent,
    pub(super) pure: bool,
    /// The feedback schedules among the arguments and inside them, some perhaps more than once.
    pub(super) feedback: Vec<Arc<dyn Feedback>>,
    pub(super) function: Option<Py<PyAny>>,
}

impl<'py> Reader<'py> {
    pub(super) fn new(arguments: &'py Bound<'py, PyTuple>) -> Self {
        Self {
            arguments,
            names: Vec::new(),
            values: Vec::new(),
            extent: Extent::default(),
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
        Ok(Read {
            names: self.names,
            values: PyTuple::new(self.arguments.py(), self.values)?,
            extent: self.extent.of_whole()?,
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
        let value = real(name, &self.next(name)?, "a number")?;
        self.keep(name, value)?;
        Ok(value)
    }

    /// A number, or `default` in place of None.
    pub(super) fn float_or(&mut self, name: &'static str, default: f64) -> PyResult<f64> {
        let given = self.next(name)?;
        let value = if given.is_none() { default } else { real(name, &given, "a number")? };
        self.keep(name, value)?;
        Ok(value)
    }

    pub(super) fn count(&mut self, name: &'static str) -> PyResult<i64> {
        let value = integer(name, &self.next(name)?, "an integer")?;
        self.keep(name, value)?;
        Ok(value)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> PyResult<bool> {
        let value = flag(name, &self.next(name)?)?;
        self.keep(name, PyBool::new(self.arguments.py(), value))?;
        Ok(value)
    }

    /// The name of an option. Of a longer text, which is none, errors show the beginning.
    pub(super) fn name(&mut self, name: &'static str) -> PyResult<String> {
        const LONGEST: usize = 40;
        let given = self.next(name)?;
        let text = given.cast::<PyString>().map_err(|_| wrong_type(name, "a string", &given))?.to_cow()?;
        let value: String = text.chars().take(LONGEST).collect();
        self.keep(name, &value)?;
        Ok(value)
    }

    pub(super) fn floats(&mut self, name: &'static str) -> PyResult<Vec<f64>> {
        let values = lists::numbers(name, &self.next(name)?)?;
        self.keep(name, lists::kept(self.arguments.py(), &values)?)?;
        Ok(values)
    }

    pub(super) fn counts(&mut self, name: &'static str) -> PyResult<Vec<i64>> {
        let values = lists::numbers(name, &self.next(name)?)?;
        self.keep(name, lists::kept(self.arguments.py(), &values)?)?;
        Ok(values)
    }

    pub(super) fn schedule(&mut self, name: &'static str) -> PyResult<Core> {
        let given = self.next(name)?;
        let Ok(schedule) = given.cast::<Schedule>() else {
            return Err(wrong_type(name, "a schedule", &given));
        };
        self.extent.add(schedule.get().extent);
        self.adopt(schedule.get())?;
        self.keep(name, schedule)?;
        Ok(schedule.get().core.clone())
    }

    /// Schedules of which one at a time is evaluated.
    pub(super) fn schedules(&mut self, name: &'static str) -> PyResult<Vec<Core>> {
        let values = lists::objects(name, &self.next(name)?)?;
        let mut cores = Vec::new();
        cores.try_reserve_exact(values.len()).map_err(memory_error)?;
        for (i, value) in values.iter().enumerate() {
            let Ok(schedule) = value.cast::<Schedule>() else {
                return Err(wrong_type(format_args!("{name}[{i}]"), "a schedule", &value));
            };
            self.adopt(schedule.get())?;
            cores.push(schedule.get().core.clone());
        }
        let extents = values.iter().filter_map(|value| Some(value.cast::<Schedule>().ok()?.get().extent));
        self.extent.add_one_of(extents);
        self.keep(name, values)?;
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
        Ok(functions::curve(function))
    }

    fn adopt(&mut self, child: &Schedule) -> PyResult<()> {
        self.pure &= child.pure;
        self.feedback.try_reserve(child.feedback().len()).map_err(memory_error)?;
        self.feedback.extend_from_slice(child.feedback());
        Ok(())
    }
}
