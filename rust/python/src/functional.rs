//! One update of one array, for people who keep their own state.

use gradstep_core::spec::{MAX_NUMBERS, Spec};
use numpy::{PyArray1, PyArrayMethods, PyReadwriteArray1};
use pyo3::Borrowed;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyString, PyTuple};
use std::sync::{Arc, Mutex, PoisonError};

use crate::arrays::{Lone, Rows};
use crate::assembly::spec;
use crate::errors::{type_error, value_error};
use crate::groups::Group;
use crate::passes::update;
use crate::sparse::check_group;

/// A rule as a function of a parameter, its gradient and its state.
#[pyclass(frozen, module = "gradstep._core")]
pub(crate) struct Update {
    spec: &'static Spec,
    decoupled: bool,
    /// The options of the last call, if they are constants, and what was read from them: most calls have the same objects.
    last: Mutex<Option<(Py<PyTuple>, Arc<Group>)>>,
}

#[pymethods]
impl Update {
    #[new]
    #[pyo3(signature = (rule, decoupled_weight_decay, /))]
    fn new(rule: &str, decoupled_weight_decay: bool) -> PyResult<Self> {
        Ok(Self { spec: spec(rule)?, decoupled: decoupled_weight_decay, last: Mutex::new(None) })
    }

    /// The names of the hyperparameters, as a call wants their values.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, Group::names_of_rule(self.spec).collect::<Vec<_>>())
    }

    /// The names of the state arrays with these options.
    #[pyo3(signature = (options, /))]
    fn slots(&self, options: &Bound<'_, PyTuple>) -> PyResult<Vec<&'static str>> {
        let group = Group::from_tuple(self.spec, self.decoupled, options)?;
        let scalars = (!group.memory().is_empty()).then_some("scalars");
        Ok(group.slots().iter().map(|slot| slot.name).chain(scalars).collect())
    }

    /// Updates `p` and the arrays of `state` in place by update number `step` of the rule; where there is an `out`, the new
    /// parameter goes there. `options` are in the order of `names`. Where there are `rows`, `g` has values for these only.
    #[pyo3(signature = (p, g, state, step, options, out=None, rows=None, /))]
    #[expect(clippy::too_many_arguments, reason = "as Python calls it")]
    fn __call__(
        &self,
        p: &Bound<'_, PyAny>,
        g: &Bound<'_, PyAny>,
        state: &Bound<'_, PyTuple>,
        step: &Bound<'_, PyAny>,
        options: &Bound<'_, PyTuple>,
        out: Option<&Bound<'_, PyAny>>,
        rows: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = p.py();
        let t = crate::numbers::step("step", step, "an integer")?;
        let group = self.group(options)?;
        let (slots, memory) = (group.slots(), group.memory());
        let arrays = slots.len() + usize::from(!memory.is_empty());
        if state.len() != arrays {
            let names = self.slots(options)?;
            let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            return Err(type_error(format!(
                "the state has {} arrays, but with these options {arrays}{names}",
                state.len()
            )));
        }
        let mut now = [0.0; MAX_NUMBERS];
        let now = &mut now[..group.width()];
        group.fill(now);
        if group.is_scheduled() {
            group.evaluate(py, t, now)?;
        }
        let mut scalars = None;
        if !memory.is_empty() {
            scalars = Some(Scalars::of(&state.get_item(slots.len())?, memory)?);
        }
        // Memory is looked at after Python code has run for the last time.
        let lone = match rows {
            Some(rows) => picked(p, g, state, out, rows, &group)?,
            None if g.is_exact_instance_of::<Rows>() => {
                return Err(type_error("g is a Rows, not an ndarray; give its values, and rows=its indices"));
            }
            None => Lone::new(p, g, state, slots, out)?,
        };
        let remembered = now.len() - memory.len();
        group.begin(now);
        if let Some(scalars) = scalars.as_ref().filter(|_| t > 0) {
            scalars.read(&mut now[remembered..]);
        }
        update(py, &lone, &group, now, t)?;
        if let Some(scalars) = &mut scalars {
            scalars.write(&now[remembered..]);
        }
        Ok(())
    }
}

impl Update {
    fn group(&self, options: &Bound<'_, PyTuple>) -> PyResult<Arc<Group>> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, group)) = &*last() {
            let mut pairs = known.bind(options.py()).iter_borrowed().zip(options.iter_borrowed());
            if pairs.all(|(a, b)| a.is(&*b)) && known.bind(options.py()).len() == options.len() {
                return Ok(Arc::clone(group));
            }
        }
        let group = Arc::new(Group::from_tuple(self.spec, self.decoupled, options)?);
        let is_constant = |option: Borrowed<'_, '_, PyAny>| {
            option.is_exact_instance_of::<PyFloat>()
                || option.is_exact_instance_of::<PyBool>()
                || option.is_exact_instance_of::<PyString>()
        };
        if options.iter_borrowed().all(is_constant) {
            // What is replaced is dropped when the lock is gone.
            let old = last().replace((options.clone().unbind(), Arc::clone(&group)));
            drop(old);
        }
        Ok(group)
    }
}

/// All arrays, of a gradient that has values for some rows only.
fn picked<'py>(
    p: &Bound<'py, PyAny>,
    g: &Bound<'py, PyAny>,
    state: &Bound<'py, PyTuple>,
    out: Option<&Bound<'py, PyAny>>,
    rows: &Bound<'py, PyAny>,
    group: &Group,
) -> PyResult<Lone<'py>> {
    check_group("g", group, 1)?;
    if out.is_some() {
        return Err(value_error("rows are updated where they are: out is None with rows"));
    }
    let rows = Bound::new(p.py(), Rows::named(rows, g, ["rows", "g"])?)?;
    Lone::new(p, rows.as_any(), state, group.slots(), None)
}

/// What a rule remembers, in an array of the caller's.
struct Scalars<'py>(PyReadwriteArray1<'py, f64>);

impl<'py> Scalars<'py> {
    fn of(object: &Bound<'py, PyAny>, names: &[&str]) -> PyResult<Self> {
        let len = names.len();
        let wanted = || {
            let names = names.join(", ");
            format!("scalars must be a writeable float64 array of shape ({len},) for {names}")
        };
        let array = object.cast::<PyArray1<f64>>().map_err(|_| type_error(wanted()))?;
        let array = array.try_readwrite().map_err(|_| value_error(wanted()))?;
        if array.len()? != len {
            return Err(value_error(wanted()));
        }
        Ok(Self(array))
    }

    fn read(&self, values: &mut [f64]) {
        values.iter_mut().zip(self.0.as_array()).for_each(|(value, &scalar)| *value = scalar);
    }

    fn write(&mut self, values: &[f64]) {
        self.0.as_array_mut().iter_mut().zip(values).for_each(|(scalar, &value)| *scalar = value);
    }
}
