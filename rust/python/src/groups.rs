//! The hyperparameters of a group: what the user set, and their values at a step.

use gradstep_core::error::BadValue;
use gradstep_core::kernel::{Factors, Kernel};
use gradstep_core::rule::{Hyper, Init, MAX_HYPERS, Scope, Slot, Sums};
use gradstep_core::spec::{LR, Options, Spec, WEIGHT_DECAY};
use gradstep_core::stages::Terms;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyTuple};

use crate::arrays::Slots;
use crate::clipping::Clipping;
use crate::errors::{attribute_error, type_error, value_error};
use crate::numbers::flag;
use crate::values::Value;

/// What one group was told. It never changes: to set a hyperparameter is to make another.
pub(crate) struct Group {
    spec: &'static Spec,
    kernel: &'static dyn Kernel,
    decoupled: bool,
    /// How errors call the group: nothing if there is but one.
    place: String,
    /// In the order of [`hypers`].
    values: Vec<Value>,
    /// In the order of the rule's flags.
    flags: Vec<bool>,
}

impl Group {
    /// Reads a group's options: each is taken from the first of `sources` that has it.
    pub(crate) fn new(
        spec: &'static Spec,
        decoupled: bool,
        sources: &[&Bound<'_, PyDict>],
        place: String,
    ) -> PyResult<Self> {
        let find = |name: &str| -> PyResult<Bound<'_, PyAny>> {
            for source in sources {
                if let Some(value) = source.get_item(name)? {
                    return Ok(value);
                }
            }
            Err(type_error(format!("{name}{place} is missing")))
        };
        let values = hypers(spec)
            .map(|hyper| Value::new(&find(hyper.name)?, &format!("{}{place}", hyper.name)))
            .collect::<PyResult<_>>()?;
        let flags = spec.flags.iter().map(|name| flag(format_args!("{name}{place}"), &find(name)?));
        let flags = flags.collect::<PyResult<_>>()?;
        Self::of(spec, decoupled, place, values, flags)
    }

    /// Reads options in the order of their names.
    pub(crate) fn from_tuple(
        spec: &'static Spec,
        decoupled: bool,
        options: &Bound<'_, PyTuple>,
    ) -> PyResult<Self> {
        let mut options = options.iter();
        let mut next = || options.next().ok_or_else(|| type_error("an option is missing"));
        let values = hypers(spec).map(|hyper| Value::new(&next()?, hyper.name)).collect::<PyResult<_>>()?;
        let flags = spec.flags.iter().map(|name| flag(name, &next()?)).collect::<PyResult<_>>()?;
        Self::of(spec, decoupled, String::new(), values, flags)
    }

    /// Of values that were read.
    pub(crate) fn of(
        spec: &'static Spec,
        decoupled: bool,
        place: String,
        values: Vec<Value>,
        flags: Vec<bool>,
    ) -> PyResult<Self> {
        // A constant that is out of range is refused now, a scheduled value at its step.
        for (hyper, value) in hypers(spec).zip(&values) {
            if let Some(constant) = value.constant() {
                check(hyper, constant, || place.clone())?;
            }
        }
        let own = &values[spec.common().len()..];
        let mut constants = [None; MAX_HYPERS];
        for (constant, value) in constants.iter_mut().zip(own) {
            *constant = value.constant();
        }
        let options = Options { spec, flags: &flags, constants: &constants[..own.len()] };
        let kernel = (spec.build)(&options).map_err(value_error)?;
        Ok(Self { spec, kernel, decoupled, place, values, flags })
    }

    /// The names of all hyperparameters and flags.
    pub(crate) fn names(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        hypers(spec).map(|hyper| hyper.name).chain(spec.flags.iter().copied())
    }

    pub(crate) fn slots(&self) -> &'static [Slot] {
        self.kernel.slots()
    }

    /// What the rule remembers from step to step: the names of numbers.
    pub(crate) fn memory(&self) -> &'static [&'static str] {
        if self.sums() == Some(Scope::Tensor) { &[] } else { self.kernel.memory() }
    }

    /// Whether the rule changes what it remembers before each update.
    pub(crate) fn remembers(&self) -> bool {
        !self.kernel.memory().is_empty()
    }

    /// Over what the rule wants the sums of a dry run, if it does.
    pub(crate) fn sums(&self) -> Option<Scope> {
        self.kernel.sums().map(Sums::scope)
    }

    /// What the state starts from, and the hyperparameters then with what the rule remembers.
    pub(crate) fn start(&self, py: Python<'_>) -> PyResult<(Slots, Vec<f64>)> {
        let mut now = vec![0.0; self.width()];
        self.fill(&mut now);
        self.evaluate(py, 0, &mut now)?;
        self.begin(&mut now);
        let value = |slot: &Slot| match slot.init {
            Init::Hyper(name) => {
                hypers(self.spec).position(|hyper| hyper.name == name).map_or(0.0, |i| now[i])
            }
            Init::Zero | Init::Param => 0.0,
        };
        Ok((Slots { slots: self.slots(), values: self.slots().iter().map(value).collect() }, now))
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        let values = self.values.iter().map(|value| value.clone_ref(py)).collect();
        Self { values, place: self.place.clone(), flags: self.flags.clone(), ..*self }
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    /// How many numbers a step needs to know: hyperparameters, and what the rule remembers.
    pub(crate) fn width(&self) -> usize {
        self.values.len() + self.kernel.memory().len()
    }

    /// Writes what is the same at every step.
    pub(crate) fn fill(&self, now: &mut [f64]) {
        for (now, value) in now.iter_mut().zip(&self.values) {
            *now = value.constant().unwrap_or(*now);
        }
    }

    /// Evaluates and checks what is scheduled. Returns whether Python code has run.
    pub(crate) fn evaluate(&self, py: Python<'_>, t: u64, now: &mut [f64]) -> PyResult<bool> {
        let mut disturbed = false;
        for (i, value) in self.values.iter().enumerate() {
            if let Value::Scheduled(_) = value {
                now[i] = self.value_at(py, i, t)?;
                disturbed |= !value.is_pure();
            }
        }
        Ok(disturbed)
    }

    fn value_at(&self, py: Python<'_>, i: usize, t: u64) -> PyResult<f64> {
        let hyper = hypers(self.spec).nth(i).expect("one value for each hyperparameter");
        let value = self.values[i].at(py, t)?;
        check(hyper, value, || format!("{} at step {t}", self.place))
    }

    /// Those that `prepare` fills in at each step.
    pub(crate) fn terms(&self) -> Terms {
        Terms::new(self.kernel)
    }

    /// Lets the rule remember what it does before the first update.
    pub(crate) fn begin(&self, now: &mut [f64]) {
        self.kernel.start(&mut now[self.spec.common().len()..]);
    }

    /// Lets the rule remember the sums of the dry run before update number `t`.
    pub(crate) fn settle(&self, now: &mut [f64], t: u64, sums: [f64; 2]) {
        let lr = now[LR];
        self.kernel.settle(&mut now[self.spec.common().len()..], lr, t, sums);
    }

    /// What happens to the group's tensors at their update number `t`. `now` are the hyperparameters and what the
    /// rule remembers.
    pub(crate) fn prepare(&self, terms: &mut Terms, now: &[f64], t: u64, clipping: Clipping) {
        let Clipping { scale, limit } = clipping;
        let (lr, decay) = (now[LR], if self.spec.decays() { 0.0 } else { now[WEIGHT_DECAY] });
        let factors = if self.decoupled {
            Factors { scale, decay: 0.0, shrink: 1.0 - lr * decay, gain: 1.0 }
        } else {
            Factors { scale, decay, shrink: 1.0, gain: 1.0 }
        };
        terms.prepare(&now[self.spec.common().len()..], lr, t, factors, limit);
    }

    /// What a hyperparameter or flag of that name is at step `t`.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str, t: u64) -> PyResult<Bound<'py, PyAny>> {
        if let Some(i) = self.spec.flags.iter().position(|&flag| flag == name) {
            return Ok(PyBool::new(py, self.flags[i]).to_owned().into_any());
        }
        let value = self.values[self.index(name)?].at(py, t)?;
        Ok(value.into_pyobject(py)?.into_any())
    }

    /// The same with another value, which will do for step `t`.
    pub(crate) fn with(&self, py: Python<'_>, name: &str, value: &Value, t: u64) -> PyResult<Self> {
        let i = self.index(name)?;
        if self.slots().iter().any(|slot| matches!(slot.init, Init::Hyper(hyper) if hyper == name)) {
            return Err(attribute_error(format!(
                "{name} is what the state started from, and cannot be changed"
            )));
        }
        let Self { mut values, place, flags, .. } = self.clone_ref(py);
        values[i] = value.clone_ref(py);
        let mut new = Self::of(self.spec, self.decoupled, place, values, flags)?;
        new.value_at(py, i, t)?;
        if let Some(slot) = new.slots().iter().find(|slot| !self.slots().contains(slot)) {
            return Err(value_error(format!(
                "{name} cannot be set from a constant 0 to something else, because there is no {}: make the optimizer \
                 with a value above 0, or with a schedule",
                slot.name
            )));
        }
        // What has a buffer keeps it, also while its hyperparameter is 0.
        new.kernel = self.kernel;
        Ok(new)
    }

    fn index(&self, name: &str) -> PyResult<usize> {
        hypers(self.spec).position(|hyper| hyper.name == name).ok_or_else(|| {
            if self.spec.flags.contains(&name) {
                attribute_error(format!("{name} decides what the state is, and cannot be changed"))
            } else {
                attribute_error(format!("{} has no hyperparameter {name}", self.spec.name))
            }
        })
    }

    /// `lr=0.1, momentum=0.9, nesterov=True`
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for (hyper, value) in hypers(self.spec).zip(&self.values) {
            parts.push(format!("{}={}", hyper.name, value.describe(py)?));
        }
        for (name, &flag) in self.spec.flags.iter().zip(&self.flags) {
            parts.push(format!("{name}={}", if flag { "True" } else { "False" }));
        }
        Ok(parts.join(", "))
    }

    /// `{name: float, schedule or bool}`.
    pub(crate) fn objects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let objects = PyDict::new(py);
        for (hyper, value) in hypers(self.spec).zip(&self.values) {
            objects.set_item(hyper.name, value.object(py))?;
        }
        for (name, &flag) in self.spec.flags.iter().zip(&self.flags) {
            objects.set_item(name, flag)?;
        }
        Ok(objects)
    }
}

fn check(hyper: &Hyper, value: f64, place: impl FnOnce() -> String) -> PyResult<f64> {
    // The name of the place is only needed where there is something to say of it.
    hyper
        .range
        .check(hyper.name, value)
        .map_err(|bad| value_error(BadValue { name: format!("{}{}", hyper.name, place()), ..bad }))
}

fn hypers(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    spec.common().iter().chain(spec.hypers)
}
