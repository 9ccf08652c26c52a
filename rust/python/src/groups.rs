//! The hyperparameters of a group: what the user set, and their values at a step.

use gradstep_core::error::BadValue;
use gradstep_core::kernel::Kernel;
use gradstep_core::rule::{Hyper, Init, Kind, MAX_HYPERS, Scope, Slot, Sums};
use gradstep_core::spec::{AROUND, CLIP_NORM_EACH, DECOUPLED, EMA, L1, LR, Options, Spec};
use gradstep_core::stages::Terms;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::around::{Bounds, around};
use crate::arrays::Slots;
use crate::clipping::Clipping;
use crate::errors::{attribute_error, type_error, value_error};
use crate::values::{Value, shown};

/// What one group was told. It never changes: to set a hyperparameter is to make another.
pub(crate) struct Group {
    spec: &'static Spec,
    kernel: &'static dyn Kernel,
    /// Whether weight decay is decoupled where nobody says otherwise.
    decoupled: bool,
    /// How errors call the group: nothing if there is but one.
    place: String,
    /// In the order of [`hypers`].
    values: Vec<Value>,
    bounds: Bounds,
}

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
        let mut values: Vec<_> =
            AROUND.iter().map(|hyper| Value::Constant(hyper.default.unwrap_or(0.0))).collect();
        values[DECOUPLED] = Value::Constant(f64::from(decoupled));
        for hyper in of_rule(spec) {
            let given = options.next().ok_or_else(|| type_error("an option is missing"))?;
            values.push(Value::of(hyper, &given, "")?);
        }
        Self::of(spec, decoupled, String::new(), values, Bounds::NONE)
    }

    /// Of values that were read.
    fn of(
        spec: &'static Spec,
        decoupled: bool,
        place: String,
        values: Vec<Value>,
        bounds: Bounds,
    ) -> PyResult<Self> {
        let own = &values[start_of_own(spec)..];
        let mut constants = [None; MAX_HYPERS];
        for (constant, value) in constants.iter_mut().zip(own) {
            *constant = value.constant();
        }
        let options = Options { spec, constants: &constants[..own.len()] };
        let kernel = (spec.build)(&options).map_err(value_error)?;
        Ok(Self { spec, kernel, decoupled, place, values, bounds })
    }

    /// The names of all options.
    pub(crate) fn names(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        Self::names_of_rule(spec).chain(AROUND.iter().map(|hyper| hyper.name)).chain([BOUNDS])
    }

    /// Those that a function of the rule takes.
    pub(crate) fn names_of_rule(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
        of_rule(spec).map(|hyper| hyper.name)
    }

    pub(crate) fn slots(&self) -> &'static [Slot] {
        self.kernel.slots()
    }

    /// All that there is for each array.
    pub(crate) fn all_slots(&self) -> Slots {
        Slots { of_rule: self.slots(), values: vec![0.0; self.slots().len()], averages: self.averages() }
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

    /// Whether an update depends on the values of the parameters.
    pub(crate) fn reads_params(&self) -> bool {
        let is_off = |value: &Value| value.constant() == Some(0.0);
        let decays = !self.spec.decays() && !is_off(&self.values[start_of_own(self.spec) - 1]);
        self.kernel.reads_params()
            || decays
            || self.averages()
            || self.bounds != Bounds::NONE
            || !is_off(&self.values[L1])
    }

    /// Whether an average of the parameters is kept.
    pub(crate) fn averages(&self) -> bool {
        self.has(EMA)
    }

    /// Whether the norm of each array's gradient is limited.
    pub(crate) fn clips_each(&self) -> bool {
        self.has(CLIP_NORM_EACH)
    }

    fn has(&self, i: usize) -> bool {
        !self.values[i].constant().is_some_and(f64::is_nan)
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
        let values = self.slots().iter().map(value).collect();
        Ok((Slots { values, ..self.all_slots() }, now))
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        let values = self.values.iter().map(|value| value.clone_ref(py)).collect();
        Self { values, place: self.place.clone(), ..*self }
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
        let value = match &self.values[i] {
            Value::Constant(value) => return Ok(*value),
            scheduled @ Value::Scheduled(_) => scheduled.at(py, t)?,
        };
        let hyper = hypers(self.spec).nth(i).expect("one value for each hyperparameter");
        let (Kind::Number(range) | Kind::Optional(range)) = hyper.kind else { return Ok(value) };
        // The name of the place is only needed where there is something to say of it.
        range.check(hyper.name, value).map_err(|bad| {
            value_error(BadValue { name: format!("{}{} at step {t}", hyper.name, self.place), ..bad })
        })
    }

    /// Those that `prepare` fills in at each step.
    pub(crate) fn terms(&self) -> Terms {
        Terms::new(self.kernel)
    }

    /// Lets the rule remember what it does before the first update.
    pub(crate) fn begin(&self, now: &mut [f64]) {
        self.kernel.start(&mut now[start_of_own(self.spec)..]);
    }

    /// Lets the rule remember the sums of the dry run before update number `t`.
    pub(crate) fn settle(&self, now: &mut [f64], t: u64, sums: [f64; 2]) {
        let lr = now[AROUND.len() + LR];
        self.kernel.settle(&mut now[start_of_own(self.spec)..], lr, t, sums);
    }

    /// What happens to the group's tensors at their update number `t`. `now` are the hyperparameters and what the
    /// rule remembers.
    pub(crate) fn prepare(&self, terms: &mut Terms, now: &[f64], t: u64, clipping: Clipping) {
        let (around_it, of_rule) = now.split_at(AROUND.len());
        let (lr, common) = (of_rule[LR], self.spec.common().len());
        let decay = if self.spec.decays() { 0.0 } else { of_rule[common - 1] };
        terms.prepare(&of_rule[common..], lr, t, around(around_it, lr, decay, self.bounds, clipping));
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
            new.bounds = Bounds::new(value, &self.place)?;
            return Ok(new);
        }
        let (i, hyper) = self.find(name)?;
        if self.slots().iter().any(|slot| matches!(slot.init, Init::Hyper(hyper) if hyper == name)) {
            return Err(attribute_error(format!(
                "{name} is what the state started from, and cannot be changed"
            )));
        }
        if i >= AROUND.len() && matches!(hyper.kind, Kind::Choice(_)) {
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

/// All hyperparameters, in the order of a group's values.
fn hypers(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    AROUND.iter().chain(of_rule(spec))
}

fn of_rule(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    spec.common().iter().chain(spec.hypers)
}

/// Where the rule's own begin among the values.
fn start_of_own(spec: &'static Spec) -> usize {
    AROUND.len() + spec.common().len()
}
