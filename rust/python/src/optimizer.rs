//! The native base class of all optimizers: `step` has no Python frame of ours above it.

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::value_error;
use crate::groups::{Assembled, assemble, name, spec};
use crate::observers;
use crate::settings::{Setting, Value};
use crate::steps::{Clip, Stepper};
use crate::trees::Tree;

/// What an optimizer holds once `__init__` has run.
struct Ready {
    stepper: Stepper,
    tree: Tree,
    slots: Vec<&'static [&'static str]>,
    t: u64,
}

#[pyclass(subclass, module = "gradstep._core")]
pub(crate) struct Optimizer(Option<Ready>);

#[pymethods]
impl Optimizer {
    #[new]
    #[pyo3(signature = (*_args, **_options))]
    fn new(_args: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self(None)
    }

    #[pyo3(signature = (rule, params, /, *, decoupled_weight_decay=false, clip_norm=None, clip_value=None, **options))]
    fn __init__(
        &mut self,
        rule: &str,
        params: &Bound<'_, PyAny>,
        decoupled_weight_decay: bool,
        clip_norm: Option<&Bound<'_, PyAny>>,
        clip_value: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let py = params.py();
        let spec = spec(rule)?;
        let defaults = options.cloned().unwrap_or_else(|| PyDict::new(py));
        let Assembled { tree, members, settings } =
            assemble(spec, decoupled_weight_decay, params, &defaults)?;
        let clip = Clip::new(clip_norm, clip_value)?;
        let groups = settings.iter().map(Setting::build).collect::<PyResult<Vec<_>>>()?;
        let slots = members.iter().map(|member| groups[member.group].state()).collect();
        self.0 = Some(Ready { stepper: Stepper::new(settings, groups, members, clip)?, tree, slots, t: 0 });
        Ok(())
    }

    /// Update the parameters in place, once.
    ///
    /// Args:
    ///     grads: arrays in the structure of the parameters (a list where they are in a list or tuple, a
    ///         dict with the same keys where they are in a dict; one entry a group where there are
    ///         groups), each with its parameter's shape. Any float dtype and memory order will do;
    ///         float32 and float64 in the parameter's order are read where they are, others are copied
    ///         first. They are not changed.
    ///     loss: told to the feedback schedules before the update.
    ///
    /// Raises:
    ///     TypeError: a gradient is not an array of floats, or loss is not a number.
    ///     ValueError: structure or shapes differ, a hyperparameter's value at this step is out of range,
    ///         the gradients' norm is needed and not finite, or a parameter was resized, retyped or made
    ///         read-only since the optimizer was made.
    ///     RuntimeError: another thread is in the middle of a step of this optimizer.
    ///
    /// After an error everything is as it was before.
    #[pyo3(signature = (grads, *, loss=None))]
    fn step(
        slf: &Bound<'_, Self>,
        grads: &Bound<'_, PyAny>,
        loss: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut optimizer = Self::write(slf)?;
        let Ready { stepper, tree, t, .. } = optimizer.ready_mut()?;
        stepper.step(slf.py(), *t, loss, |admit| tree.walk(grads, admit))?;
        *t += 1;
        Ok(())
    }

    /// Tell all feedback schedules of the optimizer a loss or another metric, as once an epoch.
    ///
    /// Raises:
    ///     TypeError: loss is not a number.
    ///     ValueError: loss is not finite or out of range for one of them; then none has taken it in.
    fn observe(slf: &Bound<'_, Self>, loss: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::read(slf)?.ready()?.stepper.observers().observe_loss(loss)
    }

    /// The states of the feedback schedules, a tuple of dicts; assign it to resume.
    #[getter]
    fn feedback_state<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let optimizer = Self::read(slf)?;
        let observers = optimizer.ready()?.stepper.observers();
        let states = observers.iter().map(|feedback| observers::state(slf.py(), feedback));
        PyTuple::new(slf.py(), states.collect::<PyResult<Vec<_>>>()?)
    }

    #[setter]
    fn set_feedback_state(slf: &Bound<'_, Self>, states: &Bound<'_, PyAny>) -> PyResult<()> {
        let optimizer = Self::read(slf)?;
        let observers = optimizer.ready()?.stepper.observers();
        let states: Vec<Bound<'_, PyAny>> = states.extract()?;
        if states.len() != observers.iter().len() {
            let (a, b) = (states.len(), observers.iter().len());
            return Err(value_error(format!(
                "feedback_state has {a} entries, but there are {b} feedback schedules"
            )));
        }
        let numbers =
            observers.iter().zip(&states).map(|(feedback, state)| observers::numbers(feedback, state));
        observers.restore(&numbers.collect::<PyResult<Vec<_>>>()?);
        Ok(())
    }

    /// The number of updates done.
    #[getter]
    fn step_count(slf: &Bound<'_, Self>) -> PyResult<u64> {
        Ok(Self::read(slf)?.ready()?.t)
    }

    #[setter]
    fn set_step_count(slf: &Bound<'_, Self>, count: &Bound<'_, PyAny>) -> PyResult<()> {
        let count = crate::numbers::step("step_count", count, "an integer")?;
        Self::write(slf)?.ready_mut()?.t = count;
        Ok(())
    }

    /// The rate that the next step will use; a tuple in group order if there are several groups.
    #[getter]
    fn lr(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        // The optimizer is free again while schedules, which may be Python code, are evaluated.
        let (values, t) = {
            let optimizer = Self::read(slf)?;
            let ready = optimizer.ready()?;
            let values = ready.stepper.settings.iter().map(|setting| setting.lr().clone_ref(py));
            (values.collect::<Vec<_>>(), ready.t)
        };
        let lrs = values.iter().map(|value| value.at(py, t)).collect::<PyResult<Vec<_>>>()?;
        if let [lr] = lrs[..] {
            return Ok(lr.into_pyobject(py)?.into_any().unbind());
        }
        Ok(PyTuple::new(py, lrs)?.into_any().unbind())
    }

    #[setter]
    fn set_lr(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = value.py();
        let mut optimizer = Self::write(slf)?;
        let ready = optimizer.ready_mut()?;
        let settings = &mut ready.stepper.settings;
        let values = match value.cast::<PyTuple>() {
            Ok(values) if values.len() == settings.len() => values.iter().collect(),
            Ok(values) => {
                let (a, b) = (values.len(), settings.len());
                return Err(value_error(format!("lr has {a} entries, but there are {b} groups")));
            }
            Err(_) => vec![value.clone(); settings.len()],
        };
        let values = values.iter().map(|value| Value::new(value, "lr")).collect::<PyResult<Vec<_>>>()?;
        // All are checked before the first is replaced.
        for (setting, value) in settings.iter().zip(&values) {
            setting.check_lr(py, value, ready.t)?;
        }
        for (setting, value) in settings.iter_mut().zip(values) {
            setting.set_lr(value);
        }
        ready.stepper.find_observers()
    }

    /// The global norm of the last step's gradients before clipping, if it was taken.
    #[getter]
    fn grad_norm(slf: &Bound<'_, Self>) -> PyResult<Option<f64>> {
        Ok(Self::read(slf)?.ready()?.stepper.norm)
    }

    /// `{name: {slot: ndarray}}`, the optimizer's own arrays.
    #[getter]
    fn state<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let (py, optimizer) = (slf.py(), Self::read(slf)?);
        let ready = optimizer.ready()?;
        let state = PyDict::new(py);
        for (parameter, slots) in ready.stepper.parameters.iter().zip(&ready.slots) {
            let of_one = PyDict::new(py);
            for (slot, array) in slots.iter().zip(&parameter.state) {
                of_one.set_item(slot, array)?;
            }
            state.set_item(name(&parameter.path), of_one)?;
        }
        Ok(state)
    }

    /// What the garbage collector has to see: a schedule's function may hold the optimizer.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.as_ref().map_or(Ok(()), |ready| ready.stepper.traverse(&visit))
    }

    fn __clear__(&mut self) {
        self.0 = None;
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().name()?;
        let optimizer = Self::read(slf)?;
        let Ready { stepper, t, .. } = optimizer.ready()?;
        let groups = stepper
            .settings
            .iter()
            .map(|setting| setting.describe(slf.py()))
            .collect::<PyResult<Vec<_>>>()?;
        let (arrays, elements) = (stepper.parameters.len(), stepper.elements());
        Ok(format!("<{class}({}): {arrays} arrays, {elements} elements, step {t}>", groups.join("; ")))
    }
}

impl Optimizer {
    fn read<'py>(slf: &Bound<'py, Self>) -> PyResult<PyRef<'py, Self>> {
        slf.try_borrow().map_err(|_| busy())
    }

    fn write<'py>(slf: &Bound<'py, Self>) -> PyResult<PyRefMut<'py, Self>> {
        slf.try_borrow_mut().map_err(|_| busy())
    }

    fn ready(&self) -> PyResult<&Ready> {
        self.0.as_ref().ok_or_else(not_ready)
    }

    fn ready_mut(&mut self) -> PyResult<&mut Ready> {
        self.0.as_mut().ok_or_else(not_ready)
    }
}

fn busy() -> PyErr {
    PyRuntimeError::new_err(
        "this optimizer is in the middle of a step, in another thread or in its own schedule",
    )
}

fn not_ready() -> PyErr {
    PyRuntimeError::new_err("this optimizer's __init__ has not run")
}
