//! One update of one array, for people who keep their own state.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::errors::type_error;
use crate::groups::spec;
use crate::parameters::Parameter;
use crate::settings::Setting;
use crate::steps::{Clip, Member, Stepper};

/// Updates `p` and the arrays of `state` in place by update number `step` of the rule.
#[pyfunction]
#[pyo3(signature = (rule, p, g, state, /, *, step, decoupled_weight_decay=false, **options))]
pub(crate) fn update(
    rule: &str,
    p: &Bound<'_, PyAny>,
    g: &Bound<'_, PyAny>,
    state: &Bound<'_, PyTuple>,
    step: &Bound<'_, PyAny>,
    decoupled_weight_decay: bool,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let py = p.py();
    let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
    let t = crate::numbers::step("step", step, "an integer")?;
    let setting = Setting::new(spec(rule)?, decoupled_weight_decay, &[&options], String::new())?;
    let group = setting.build()?;
    let slots = group.state();
    if state.len() != slots.len() {
        let (given, wanted) = (state.len(), slots.len());
        let names = if slots.is_empty() { String::new() } else { format!(": {}", slots.join(", ")) };
        return Err(type_error(format!(
            "the state has {given} arrays, but with these options {wanted}{names}"
        )));
    }
    let (parameter, writes) = Parameter::new(p, "", ["p", "g"], slots, state.iter().collect())?;
    let member = Member { group: 0, parameter, writes };
    Stepper::new(vec![setting], vec![group], vec![member], Clip::default())?
        .step(py, t, None, |admit| admit(0, g))
}
