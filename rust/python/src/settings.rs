//! Hyperparameters as they arrive from Python: floats, schedules, flags; and their values at a step.

use gradstep_core::feedback::Feedback;
use gradstep_core::floats::Dtype;
use gradstep_core::groups::{Group, Values};
use gradstep_core::rules::{Hyper, LR, Options, Spec, WEIGHT_DECAY};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

use crate::errors::{type_error, value_error};
use crate::numbers::{flag, real};
use crate::schedules::Schedule;

/// A hyperparameter: a number, or a schedule that gives one for each step.
pub(crate) enum Value {
    Constant(f64),
    Scheduled(Py<Schedule>),
}

impl Value {
    /// `name` is how errors call it.
    pub(crate) fn new(object: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if let Ok(schedule) = object.cast::<Schedule>() {
            return Ok(Self::Scheduled(schedule.clone().unbind()));
        }
        Ok(Self::Constant(real(name, object, "a float or a schedule")?))
    }

    pub(crate) fn at(&self, py: Python<'_>, t: u64) -> PyResult<f64> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Scheduled(schedule) => schedule.get().evaluate(py, t),
        }
    }

    pub(crate) fn constant(&self) -> Option<f64> {
        if let Self::Constant(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(*value),
            Self::Scheduled(schedule) => Self::Scheduled(schedule.clone_ref(py)),
        }
    }

    pub(crate) fn schedule(&self) -> Option<&Py<Schedule>> {
        if let Self::Scheduled(schedule) = self { Some(schedule) } else { None }
    }

    /// The feedback schedules inside.
    pub(crate) fn feedback(&self) -> &[Arc<dyn Feedback>] {
        match self {
            Self::Constant(_) => &[],
            Self::Scheduled(schedule) => schedule.get().feedback(),
        }
    }

    pub(crate) fn object(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Constant(value) => Ok(value.into_pyobject(py)?.into_any().unbind()),
            Self::Scheduled(schedule) => Ok(schedule.clone_ref(py).into_any()),
        }
    }
}

/// The hyperparameters of one group.
pub(crate) struct Setting {
    spec: &'static Spec,
    decoupled: bool,
    /// How errors call the group: nothing if there is but one.
    place: String,
    /// `lr`, `weight_decay`, then the rule's own in its order.
    values: Vec<Value>,
    flags: Vec<bool>,
    /// The values at the step last prepared.
    now: Vec<f64>,
}

impl Setting {
    /// Reads a group's options; those it leaves out are taken from `defaults`.
    pub(crate) fn new(
        spec: &'static Spec,
        decoupled: bool,
        options: &[&Bound<'_, PyDict>],
        place: String,
    ) -> PyResult<Self> {
        let find = |name: &str| -> PyResult<Bound<'_, PyAny>> {
            for source in options {
                if let Some(value) = source.get_item(name)? {
                    return Ok(value);
                }
            }
            Err(type_error(format!("{name}{place} is missing")))
        };
        let mut values = Vec::new();
        for hyper in hypers(spec) {
            values.push(Value::new(&find(hyper.name)?, &format!("{}{place}", hyper.name))?);
        }
        let mut flags = Vec::new();
        for name in spec.flags {
            flags.push(flag(format_args!("{name}{place}"), &find(name)?)?);
        }
        let now = vec![0.0; values.len()];
        let mut setting = Self { spec, decoupled, place, values, flags, now };
        // A constant that is out of range is refused now, a scheduled value at its step.
        for i in 0..setting.values.len() {
            if let Some(value) = setting.values[i].constant() {
                setting.now[i] = setting.check(i, value, None)?;
            }
        }
        Ok(setting)
    }

    /// The names that a group may set.
    pub(crate) fn names(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        hypers(spec).map(|hyper| hyper.name).chain(spec.flags.iter().copied())
    }

    pub(crate) fn build(&self) -> PyResult<Box<dyn Group>> {
        let constants: Vec<_> = self.values[OWN..].iter().map(Value::constant).collect();
        let options = Options { spec: self.spec, flags: &self.flags, constants: &constants };
        (self.spec.build)(&options).map_err(value_error)
    }

    /// The rule's own hyperparameters at the step last prepared.
    fn own(&self) -> &[f64] {
        &self.now[OWN..]
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// The rule's own hyperparameters at the first step, which its state may start from.
    pub(crate) fn start(&self, py: Python<'_>) -> PyResult<Vec<f64>> {
        let values = self.values.iter().enumerate().skip(OWN);
        values
            .map(|(i, value)| self.check(i, value.at(py, 0)?, value.constant().is_none().then_some(0)))
            .collect()
    }

    pub(crate) fn lr(&self) -> &Value {
        &self.values[0]
    }

    /// Whether `value` would do as the rate of step `t`.
    pub(crate) fn check_lr(&self, py: Python<'_>, value: &Value, t: u64) -> PyResult<()> {
        let when = matches!(value, Value::Scheduled(_)).then_some(t);
        self.check(0, value.at(py, t)?, when).map(drop)
    }

    /// Replaces the rate with a checked value.
    pub(crate) fn set_lr(&mut self, value: Value) {
        self.now[0] = value.constant().unwrap_or(self.now[0]);
        self.values[0] = value;
    }

    /// Evaluates and checks what is scheduled.
    pub(crate) fn evaluate(&mut self, py: Python<'_>, t: u64) -> PyResult<()> {
        for i in 0..self.values.len() {
            if let Value::Scheduled(_) = &self.values[i] {
                self.now[i] = self.check(i, self.values[i].at(py, t)?, Some(t))?;
            }
        }
        Ok(())
    }

    /// Hands the values of the step to the rule.
    pub(crate) fn prepare(&self, group: &mut dyn Group, t: u64, scale: f64, limit: f64, dtypes: &[Dtype]) {
        let values = Values {
            t,
            lr: self.now[0],
            weight_decay: self.now[1],
            decoupled: self.decoupled,
            scale,
            limit,
            hypers: self.own(),
        };
        group.prepare(&values, dtypes);
    }

    fn check(&self, i: usize, value: f64, t: Option<u64>) -> PyResult<f64> {
        let hyper = hypers(self.spec).nth(i).expect("one value for each hyperparameter");
        let when = t.map_or(String::new(), |t| format!(" at step {t}"));
        let name = format!("{}{}{when}", hyper.name, self.place);
        hyper.range.check(&name, value).map_err(value_error)
    }

    /// `lr=0.1, momentum=0.9, nesterov=True`
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for (hyper, value) in hypers(self.spec).zip(&self.values) {
            let value = match value {
                Value::Constant(_) => value.object(py)?.bind(py).repr()?.to_string(),
                Value::Scheduled(schedule) => Schedule::describe(schedule.bind(py))?,
            };
            parts.push(format!("{}={value}", hyper.name));
        }
        for (name, &flag) in self.spec.flags.iter().zip(&self.flags) {
            parts.push(format!("{name}={}", if flag { "True" } else { "False" }));
        }
        Ok(parts.join(", "))
    }
}

/// Where the rule's own hyperparameters begin.
const OWN: usize = 2;

fn hypers(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    [&LR, &WEIGHT_DECAY].into_iter().chain(spec.hypers)
}
