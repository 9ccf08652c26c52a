//! The hyperparameters of a group: what the user set, and their values at a step.

use gradstep_core::codecs::Format;
use gradstep_core::error::BadValue;
use gradstep_core::kernel::Kernel;
use gradstep_core::rule::{Hyper, Init, Kind, MAX_HYPERS, Scope, Slot, Sums};
use gradstep_core::spec::{
    AFTER, AROUND, CLIP_NORM_EACH, DECOUPLED, EMA, L1, LR, Options, STATE_DTYPE, Spec, WEIGHT_DECAY,
};
use gradstep_core::stages::Terms;
use pyo3::prelude::*;

use crate::around::{Bounds, around};
use crate::arrays::Slots;
use crate::clipping::Clipping;
use crate::errors::value_error;
use crate::values::Value;

/// What one group was told. It never changes: to set a hyperparameter is to make another.
pub(crate) struct Group {
    pub(crate) spec: &'static Spec,
    pub(crate) kernel: &'static dyn Kernel,
    /// Whether weight decay is decoupled where nobody says otherwise.
    pub(crate) decoupled: bool,
    /// How errors call the group: nothing if there is but one.
    pub(crate) place: String,
    /// In the order of [`hypers`].
    pub(crate) values: Vec<Value>,
    pub(crate) bounds: Bounds,
    /// Whether anything may happen after the rule.
    pub(crate) finish: bool,
    /// Where the rule's own values begin.
    pub(crate) own: usize,
}

impl Group {
    /// Of values that were read.
    pub(crate) fn of(
        spec: &'static Spec,
        decoupled: bool,
        place: String,
        values: Vec<Value>,
        bounds: Bounds,
    ) -> PyResult<Self> {
        let start_of_own = start_of_own(spec);
        let own = &values[start_of_own..];
        let mut constants = [None; MAX_HYPERS];
        for (constant, value) in constants.iter_mut().zip(own) {
            *constant = value.constant();
        }
        let options = Options { spec, constants: &constants[..own.len()] };
        let kernel = (spec.build)(&options).map_err(value_error)?;
        let is = |i: usize, usual: f64| values[i].constant().is_some_and(|x| x == usual);
        let has_average = !values[EMA].constant().is_some_and(f64::is_nan);
        let finish = bounds != Bounds::NONE || !is(L1, 0.0) || is(DECOUPLED, AFTER) || has_average;
        Ok(Self { spec, kernel, decoupled, place, values, bounds, finish, own: start_of_own })
    }

    pub(crate) fn slots(&self) -> &'static [Slot] {
        self.kernel.slots()
    }

    /// All that there is for each array.
    pub(crate) fn all_slots(&self) -> Slots {
        Slots {
            of_rule: self.slots(),
            values: vec![0.0; self.slots().len()],
            averages: self.averages(),
            format: self.format(),
        }
    }

    /// How the rule's state is kept.
    pub(crate) fn format(&self) -> Format {
        match self.values[STATE_DTYPE].constant() {
            Some(1.0) => Format::Bfloat16,
            Some(2.0) => Format::Float8,
            _ => Format::Whole,
        }
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
        let decays = !self.spec.decays() && !is_off(&self.values[self.own - 1]);
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

    /// Whether any value may differ from step to step.
    pub(crate) fn is_scheduled(&self) -> bool {
        self.values.iter().any(|value| value.constant().is_none())
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

    pub(crate) fn value_at(&self, py: Python<'_>, i: usize, t: u64) -> PyResult<f64> {
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
    pub(crate) fn terms(&self, seed: u64) -> Terms {
        Terms::new(self.kernel, seed)
    }

    /// Lets the rule remember what it does before the first update.
    pub(crate) fn begin(&self, now: &mut [f64]) {
        self.kernel.start(&mut now[self.own..]);
    }

    /// Lets the rule remember the sums of the dry run before update number `t`.
    pub(crate) fn settle(&self, now: &mut [f64], t: u64, sums: [f64; 2]) {
        let lr = now[AROUND.len() + LR];
        self.kernel.settle(&mut now[self.own..], lr, t, sums);
    }

    /// What happens to the group's tensors at their update number `t`. `now` are the hyperparameters and what the
    /// rule remembers.
    pub(crate) fn prepare(&self, terms: &mut Terms, now: &[f64], t: u64, clipping: Clipping) {
        let (given, own) = now.split_at(self.own);
        let (around_it, common) = given.split_at(AROUND.len());
        // None where it is the rule's own business.
        let decay = common.get(WEIGHT_DECAY).copied().unwrap_or(0.0);
        let around = around(around_it, common[LR], decay, self.bounds, self.finish, clipping);
        terms.prepare(own, common[LR], t, around);
    }
}

/// All hyperparameters, in the order of a group's values.
pub(crate) fn hypers(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    AROUND.iter().chain(of_rule(spec))
}

pub(crate) fn of_rule(spec: &'static Spec) -> impl Iterator<Item = &'static Hyper> {
    spec.common().iter().chain(spec.hypers)
}

/// Where the rule's own begin among the values.
pub(crate) fn start_of_own(spec: &'static Spec) -> usize {
    AROUND.len() + spec.common().len()
}
