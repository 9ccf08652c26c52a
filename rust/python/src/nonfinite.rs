//! Gradients that are not finite: which, and how many of their elements.

use gradstep_core::error::Number;
use gradstep_core::plans::Plan;
use gradstep_core::sums::Partials;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::Leaves;

pyo3::create_exception!(
    gradstep,
    NonFiniteError,
    PyValueError,
    "Gradients that have NaN or infinite elements; nothing was changed.\n\n\
     Raised by a step of an optimizer with ``nonfinite=\"raise\"``, whose message names the arrays and counts the \
     elements, and where a norm is limited unless ``nonfinite`` says otherwise.\n\n\
     Example:\n    \
         >>> import numpy as np\n    \
         >>> import gradstep as gs\n    \
         >>> opt = gs.SGD({\"w\": np.zeros(3)}, nonfinite=\"raise\")\n    \
         >>> opt.step({\"w\": np.array([1.0, np.nan, np.inf])})\n    \
         Traceback (most recent call last):\n        \
             ...\n    \
         gradstep.NonFiniteError: gradients are not finite: grads['w'] in 2 of 3 elements\n"
);

/// More arrays than this are not named.
const MOST_NAMES: usize = 8;

/// Names the arrays; `counts` has the number of such elements of each chunk.
#[cold]
pub(crate) fn refused(leaves: &Leaves, plan: &Plan, counts: &Partials<1>) -> PyErr {
    let mut named = Vec::new();
    for (i, item) in leaves.items().iter().enumerate() {
        let [count] = counts.total(plan.chunks_of(i));
        if count > 0.0 {
            let parameter = &leaves.parameters()[item.tensor];
            let what = if parameter.layout.complex { "real and imaginary parts" } else { "elements" };
            named.push(format!("{} in {count} of {} {what}", parameter.grads(), plan.elements_of(i)));
        }
    }
    let others = named.len().saturating_sub(MOST_NAMES);
    named.truncate(MOST_NAMES);
    let others = if others > 0 { format!(", and {others} more") } else { String::new() };
    NonFiniteError::new_err(format!("gradients are not finite: {}{others}", named.join(", ")))
}

/// Says that the option of that name, a limit on a norm, cannot do with it.
#[cold]
pub(crate) fn norm_refused(
    limit: &str,
    leaves: &Leaves,
    plan: &Plan,
    squares: &Partials<1>,
    norm: f64,
) -> PyErr {
    let (culprit, norm) = match squares.first_nonfinite(plan.chunks()) {
        Some((chunk, sum)) => (leaves.parameters()[leaves.items()[plan.item(chunk)].tensor].grads(), sum),
        None => ("all gradients".to_owned(), norm),
    };
    NonFiniteError::new_err(format!(
        "{limit} needs a finite gradient norm, but that of {culprit} is {}",
        Number(norm)
    ))
}
