//! One update of one array, for people who keep their own state.

use gradstep_core::rule::MAX_HYPERS;
use gradstep_core::rules::{COMMON, Spec};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arrays::Lone;
use crate::assembly::spec;
use crate::errors::type_error;
use crate::groups::Group;
use crate::steps::update;

/// A rule as a function of a parameter, its gradient and its state.
#[pyclass(frozen, module = "gradstep._core")]
pub(crate) struct Update {
    spec: &'static Spec,
    decoupled: bool,
}

#[pymethods]
impl Update {
    #[new]
    #[pyo3(signature = (rule, decoupled_weight_decay, /))]
    fn new(rule: &str, decoupled_weight_decay: bool) -> PyResult<Self> {
        Ok(Self { spec: spec(rule)?, decoupled: decoupled_weight_decay })
    }

    /// The names of the hyperparameters and of the flags, as a call wants their values.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, Group::names(self.spec).collect::<Vec<_>>())
    }

    /// The names of the state arrays with these options.
    #[pyo3(signature = (options, /))]
    fn slots(&self, options: &Bound<'_, PyTuple>) -> PyResult<Vec<&'static str>> {
        let group = Group::from_tuple(self.spec, self.decoupled, options)?;
        Ok(group.slots().iter().map(|slot| slot.name).collect())
    }

    /// Updates `p` and the arrays of `state` in place by update number `step` of the rule. `options` are in the order of
    /// `names`.
    #[pyo3(signature = (p, g, state, step, options, /))]
    fn __call__(
        &self,
        p: &Bound<'_, PyAny>,
        g: &Bound<'_, PyAny>,
        state: &Bound<'_, PyTuple>,
        step: &Bound<'_, PyAny>,
        options: &Bound<'_, PyTuple>,
    ) -> PyResult<()> {
        let py = p.py();
        let t = crate::numbers::step("step", step, "an integer")?;
        let group = Group::from_tuple(self.spec, self.decoupled, options)?;
        let slots = group.slots();
        if state.len() != slots.len() {
            let (given, wanted) = (state.len(), slots.len());
            let names: Vec<_> = slots.iter().map(|slot| slot.name).collect();
            let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            return Err(type_error(format!(
                "the state has {given} arrays, but with these options {wanted}{names}"
            )));
        }
        let mut now = [0.0; COMMON.len() + MAX_HYPERS];
        let now = &mut now[..group.values().len()];
        group.fill(now);
        group.evaluate(py, t, now)?;
        let lone = Lone::new(p, g, state, slots)?;
        let mut terms = group.terms();
        group.prepare(&mut terms, now, t, 1.0, f64::INFINITY);
        update(py, &lone, terms)
    }
}
