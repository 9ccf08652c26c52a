//! The options of a group: how they are read, told and replaced.

use gradstep_core::rule::{Hyper, Init, Kind};
use gradstep_core::spec::{AROUND, DECOUPLED, STATE_DTYPE, Spec};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::around::Bounds;
use crate::errors::{attribute_error, type_error, value_error};
use crate::groups::{Group, hypers, of_rule};
use crate::values::{Value, shown};

/// The name of a pair that is not among the hyperparameters, each of which is one number.
const BOUNDS: &str = "bounds";

impl Group {
    /// Reads a group's options: each is taken from the first of `sources` that has it. `decoupled` is whether weight
    /// decay is, if they do not say.
    pub(crate) fn new(
        spec: &'static Spec,
        decoupled: bool,
        sources: &[&Bound<'_, PyDict>],
        place: String,
    ) -> PyResult<Self> {
        let find = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
            for source in sources {
                if let Some(value) = source.get_item(name)? {
                    return Ok(Some(value));
                }
            }
            Ok(None)
        };
        let read = |(i, hyper): (usize, &Hyper)| match find(hyper.name)? {
            Some(given) if i == DECOUPLED && given.is_none() => Ok(Value::Constant(f64::from(decoupled))),
            Some(_) if i == DECOUPLED && spec.decays() => Err(type_error(format!(
                "decoupled{place} is None for {}, which has a weight decay of its own",
                spec.name
            ))),
            Some(given) => Value::of(hyper, &given, &place),
            None if i == DECOUPLED => Ok(Value::Constant(f64::from(decoupled))),
            None => match hyper.default {
                Some(default) => Ok(Value::Constant(default)),
                None => Err(type_error(format!("{}{place} is missing", hyper.name))),
            },
        };
        let values = hypers(spec).enumerate().map(read).collect::<PyResult<_>>()?;
        let bounds = find(BOUNDS)?.map_or(Ok(Bounds::NONE), |given| Bounds::new(&given, &place))?;
        Self::of(spec, decoupled, place, values, bounds)
    }

    /// Reads options in the order of their names.
    pub(crate) fn from_tuple(
        spec: &'static Spec,
        decoupled: bool,
        options: &Bound<'_, PyTuple>,
    ) -> PyResult<Self> {
        let mut options = options.iter();
        let mut values = Vec::with_capacity(AROUND.len() + spec.common().len() + spec.hypers.len());
        values.extend(AROUND.iter().map(|hyper| Value::Constant(hyper.default.unwrap_or(0.0))));
        values[DECOUPLED] = Value::Constant(f64::from(decoupled));
        for hyper in of_rule(spec) {
            let given = options.next().ok_or_else(|| type_error("an option is missing"))?;
            values.push(Value::of(hyper, &given, "")?);
        }
        Self::of(spec, decoupled, String::new(), values, Bounds::NONE)
    }

    /// The names of all options.
    pub(crate) fn names(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        Self::names_of_rule(spec).chain(AROUND.iter().map(|hyper| hyper.name)).chain([BOUNDS])
    }

    /// Those that a function of the rule takes.
    pub(crate) fn names_of_rule(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        of_rule(spec).map(|hyper| hyper.name)
    }

    /// What a hyperparameter of that name is at step `t`.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str, t: u64) -> PyResult<Bound<'py, PyAny>> {
        if name == BOUNDS {
            return self.bounds.object(py);
        }
        let (i, hyper) = self.find(name)?;
        Ok(shown(py, hyper.kind, self.values[i].at(py, t)?))
    }

    /// The same with another value, which will do for step `t`.
    pub(crate) fn with(&self, name: &str, value: &Bound<'_, PyAny>, t: u64) -> PyResult<Self> {
        let py = value.py();
        let mut new = self.clone_ref(py);
        if name == BOUNDS {
            let bounds = Bounds::new(value, &self.place)?;
            let new = Self::of(new.spec, new.decoupled, new.place, new.values, bounds)?;
            return Ok(Self { kernel: self.kernel, ..new });
        }
        let (i, hyper) = self.find(name)?;
        if self.slots().iter().any(|slot| matches!(slot.init, Init::Hyper(hyper) if hyper == name)) {
            return Err(attribute_error(format!(
                "{name} is what the state started from, and cannot be changed"
            )));
        }
        if i == STATE_DTYPE || i >= AROUND.len() && matches!(hyper.kind, Kind::Choice(_)) {
            return Err(attribute_error(format!("{name} decides what the state is, and cannot be changed")));
        }
        if i == DECOUPLED && self.spec.decays() {
            return Err(attribute_error(format!("{} has a weight decay of its own", self.spec.name)));
        }
        new.values[i] = Value::of(hyper, value, "")?;
        new.value_at(py, i, t)?;
        let new = Self::of(new.spec, new.decoupled, new.place, new.values, new.bounds)?;
        if let Some(slot) = new.slots().iter().find(|slot| !self.slots().contains(slot)) {
            return Err(value_error(format!(
                "{name} cannot be set from a constant 0 to something else, because there is no {}: make the optimizer \
                 with a value above 0, or with a schedule",
                slot.name
            )));
        }
        if self.averages() && !new.averages() {
            return Err(value_error(
                "ema cannot be None, because there is an average: 1.0 leaves it as it is",
            ));
        }
        if new.averages() && !self.averages() {
            return Err(value_error(
                "ema cannot be set, because there is no average: make the optimizer with ema",
            ));
        }
        // What has a buffer keeps it, also while its hyperparameter is 0.
        Ok(Self { kernel: self.kernel, ..new })
    }

    fn find(&self, name: &str) -> PyResult<(usize, &'static Hyper)> {
        hypers(self.spec)
            .enumerate()
            .find(|(_, hyper)| hyper.name == name)
            .ok_or_else(|| attribute_error(format!("{} has no hyperparameter {name}", self.spec.name)))
    }

    /// `lr=0.1, momentum=0.9, nesterov=True`; without what goes without saying.
    pub(crate) fn describe(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for (hyper, value) in self.shown() {
            let default = if hyper.name == AROUND[DECOUPLED].name {
                Some(f64::from(self.decoupled))
            } else {
                hyper.default
            };
            // None is NaN, which is like nothing.
            if value.constant().is_none_or(|x| Some(x) != default && !x.is_nan()) {
                parts.push(format!("{}={}", hyper.name, value.describe(py, hyper.kind)?));
            }
        }
        if self.bounds != Bounds::NONE {
            parts.push(format!("{BOUNDS}={}", self.bounds.object(py)?.repr()?));
        }
        Ok(parts.join(", "))
    }

    /// Adds what was given to a dict.
    pub(crate) fn add_to(&self, objects: &Bound<'_, PyDict>) -> PyResult<()> {
        for (hyper, value) in self.shown() {
            objects.set_item(hyper.name, value.object(objects.py(), hyper.kind))?;
        }
        objects.set_item(BOUNDS, self.bounds.object(objects.py())?)
    }

    /// All hyperparameters, those of the rule first.
    fn shown(&self) -> impl Iterator<Item = (&'static Hyper, &Value)> {
        let (around, of_rule) = self.values.split_at(AROUND.len());
        // The default of this one is the class's.
        let decays = self.spec.decays();
        let around = AROUND.iter().zip(around).skip(usize::from(decays));
        self::of_rule(self.spec).zip(of_rule).chain(around)
    }
}
