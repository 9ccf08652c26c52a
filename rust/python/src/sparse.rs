//! What does not go with a gradient that has some rows only: whatever touches the others.

use gradstep_core::rule::{Init, Scope};
use gradstep_core::spec::L1;
use pyo3::prelude::*;

use crate::arrays::Leaves;
use crate::errors::value_error;
use crate::groups::Group;
use crate::settings::Settings;

/// ValueError if a step would touch all rows of a parameter whose gradient has some only. `makes`: whether it makes new
/// arrays.
#[cold]
pub(crate) fn check_rows(leaves: &Leaves, settings: &Settings, makes: bool) -> PyResult<()> {
    leaves.with_rows().try_for_each(|leaf| {
        let grads = leaves.parameters()[leaf].grads();
        if leaves.is_in_blocks(leaf) {
            return Err(value_error(format!(
                "{grads} has some rows, but the state is kept in blocks of other elements: state_dtype must be None or \
                 'bfloat16'"
            )));
        }
        if makes && leaves.are_copied() {
            return Err(value_error(format!(
                "{grads} has some rows, of which copy_to would get copies, but not of the others in a new array: copy_to \
                 must be None, or the step be one in place"
            )));
        }
        check_group(&grads, &settings.groups[leaves.group(leaf)], settings.policies.accumulate)
    })
}

/// ValueError, which calls the gradient `grads`, if a step of the group's rule would touch all rows. `accumulate` is how
/// many gradients make one update.
pub(crate) fn check_group(grads: &str, group: &Group, accumulate: u64) -> PyResult<()> {
    let name = group.spec.name;
    let off = |i: usize| group.values()[i].constant() == Some(0.0);
    let starts_from_params = || group.slots().iter().any(|slot| slot.init == Init::Param);
    let culprit = match group.sums() {
        Some(Scope::Tensor) => format!("the rule {name} takes the norm of the whole array"),
        Some(Scope::All) => format!("the rule {name} sums over whole arrays"),
        None if starts_from_params() => format!("the rule {name} moves them at every step"),
        None if !group.spec.decays() && !off(group.own - 1) => {
            format!("weight_decay{} shrinks them: it must be the constant 0.0", group.place)
        }
        None if !off(L1) => format!("l1{} shrinks them: it must be the constant 0.0", group.place),
        None if group.averages() => format!("ema{} averages them: it must be None", group.place),
        None if accumulate > 1 => format!(
            "accumulate={accumulate} adds up whole arrays: it must be 1; one gradient may have the rows of several, side \
             by side"
        ),
        None => return Ok(()),
    };
    Err(value_error(format!("{grads} has some rows and leaves all others as they are, but {culprit}")))
}
