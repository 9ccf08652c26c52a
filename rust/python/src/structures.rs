//! The user's own containers of the parameters: gradients come in their structure, and what they hold must stay the
//! arrays that the optimizer updates.

use pyo3::Borrowed;
use pyo3::exceptions::PyUserWarning;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::CString;

use crate::arrays::{Leaves, references};
use crate::errors::{memory_error, value_error};
use crate::roots::Root;
use crate::trees::Tree;

pub(crate) struct Structure {
    /// Of the parameters; where there are groups, a list of one structure for each.
    pub(crate) tree: Tree,
    /// What the optimizer was given.
    pub(crate) params: Py<PyAny>,
    /// The groups among it, if there are any.
    pub(crate) groups: Vec<Py<PyDict>>,
    /// Whether somebody may know the parameters through the optimizer, or was warned.
    pub(crate) known: bool,
}

impl Structure {
    /// Puts the gradients where the leaves look for them. Returns whether Python code may have run.
    pub(crate) fn give(&self, grads: &Bound<'_, PyAny>, leaves: &mut Leaves) -> PyResult<bool> {
        if leaves.any_frozen() {
            return self.give_but_frozen(grads, leaves);
        }
        let given = leaves.given();
        self.tree.walk(grads, Root::Grads, &mut |_, gradient| {
            given.push(gradient.to_owned().unbind());
            Ok(())
        })
    }

    /// The same with none for parameters that are frozen.
    fn give_but_frozen(&self, grads: &Bound<'_, PyAny>, leaves: &mut Leaves) -> PyResult<bool> {
        let mut given = room_for_all(leaves)?;
        let disturbed = self.tree.walk(grads, Root::Grads, &mut |leaf, gradient| {
            given.push(if leaves.is_frozen(leaf) { grads.py().None() } else { gradient.to_owned().unbind() });
            Ok(())
        })?;
        *leaves.given() = given;
        Ok(disturbed)
    }

    /// What a structure like that of the parameters holds, in the order of the leaves.
    pub(crate) fn listed(
        &self,
        params: &Bound<'_, PyAny>,
        root: Root,
        leaves: &Leaves,
    ) -> PyResult<Vec<Py<PyAny>>> {
        let mut given = room_for_all(leaves)?;
        self.tree.walk(params, root, &mut |_, array| {
            given.push(array.to_owned().unbind());
            Ok(())
        })?;
        Ok(given)
    }

    /// The arrays that are updated, in their structure; one structure for each group, as gradients come.
    pub(crate) fn params<'py>(&mut self, py: Python<'py>, leaves: &Leaves) -> PyResult<Bound<'py, PyAny>> {
        self.known = true;
        self.tree.build(py, &mut |leaf| leaves.parameters()[leaf].array.bind(py).clone())
    }

    /// Refuses parameters that are no longer in their container, where they would be updated unseen. Returns whether
    /// Python code may have run.
    pub(crate) fn check_attached(&self, py: Python<'_>, leaves: &Leaves) -> PyResult<bool> {
        self.walk(py, &mut |leaf, current| {
            let parameter = &leaves.parameters()[leaf];
            if current.as_ptr() == parameter.given().as_ptr() {
                return Ok(());
            }
            Err(value_error(format!(
                "{} was replaced by another object, as w = w - ... does; this optimizer updates the array that was there \
                 before: change it in place, w[...] = ..., or give it the new one with bind(params)",
                parameter.own()
            )))
        })
    }

    fn walk<'py>(
        &self,
        py: Python<'py>,
        visit: &mut impl FnMut(usize, Borrowed<'_, 'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<bool> {
        let items = match &self.tree {
            Tree::Sequence { items, .. } if !self.groups.is_empty() => items,
            Tree::Leaf(_) => return Ok(false),
            tree => return tree.walk(self.params.bind(py), Root::Params, visit),
        };
        let mut disturbed = false;
        for (i, (group, tree)) in self.groups.iter().zip(items).enumerate() {
            let Some(params) = group.bind(py).get_item(intern!(py, "params"))? else {
                return Err(value_error(format!("params[{i}] no longer has the key 'params'")));
            };
            disturbed |= tree.walk(&params, Root::Params, visit)?;
        }
        Ok(disturbed)
    }

    /// Warns, once, of a parameter that owns its memory and that nobody else refers to any more: its updates are lost, as
    /// those of `w` are after `w = w - ...`. `steps` is how many have been made.
    pub(crate) fn warn_detached(&mut self, py: Python<'_>, leaves: &Leaves, steps: u64) -> PyResult<()> {
        // Whose containers somebody holds, has them; others are looked at now and then.
        let rarely = steps >= EVERY_STEP_BELOW && !steps.is_power_of_two();
        if cfg!(Py_GIL_DISABLED)
            || self.known
            || rarely
            || references(self.params.bind(py)) > self.own_references()
        {
            return Ok(());
        }
        let Some(leaf) = (0..leaves.len()).find(|&leaf| self.is_detached(py, leaves, leaf)) else {
            return Ok(());
        };
        self.known = true;
        let own = leaves.parameters()[leaf].own();
        let message = format!(
            "nobody but the optimizer refers to {own} any more, so nobody sees its updates; after w = w - ... the name w is \
             another array: write w[...] = ..., or read the optimizer's params"
        );
        let message = CString::new(message).map_err(value_error)?;
        PyErr::warn(py, &py.get_type::<DetachedParameterWarning>(), &message, 1)
    }

    /// Our references to what we were given: a lone array is held a second time, as a parameter.
    fn own_references(&self) -> isize {
        if matches!(self.tree, Tree::Leaf(_)) { 2 } else { 1 }
    }

    fn is_detached(&self, py: Python<'_>, leaves: &Leaves, leaf: usize) -> bool {
        // Ours, and its container's.
        if !leaves.parameters()[leaf].is_held_by(py, 2) {
            return false;
        }
        match &self.tree {
            Tree::Leaf(_) => true,
            Tree::Sequence { items, .. } if !self.groups.is_empty() => {
                self.groups.iter().zip(items).any(|(group, tree)| {
                    let group = group.bind(py);
                    let params = group.get_item(intern!(py, "params")).ok().flatten();
                    // The list's and ours; the group's and `params`.
                    references(group) == 2 && params.is_some_and(|params| tree.is_alone(&params, leaf, 2))
                })
            }
            tree => tree.is_alone(self.params.bind(py), leaf, 1),
        }
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.params)?;
        self.groups.iter().try_for_each(|group| visit.call(group))?;
        self.tree.traverse(visit)
    }
}

/// A list that has room for an object of each parameter.
fn room_for_all(leaves: &Leaves) -> PyResult<Vec<Py<PyAny>>> {
    let mut list = Vec::new();
    list.try_reserve_exact(leaves.len()).map_err(memory_error)?;
    Ok(list)
}

/// A loop that loses its parameters does so in its first steps.
const EVERY_STEP_BELOW: u64 = 16;

pyo3::create_exception!(
    gradstep,
    DetachedParameterWarning,
    PyUserWarning,
    "A parameter that nobody but its optimizer refers to any more, so that its updates are lost.\n\n\
     After ``w = w - ...`` the name ``w`` is another array than the one that the optimizer was given and updates. \
     Write ``w[...] = ...`` to change an array in place, or read the arrays that are updated from ``opt.params``. \
     Given once by an optimizer, at a step; not on free-threaded builds.\n\n\
     Example:\n    \
         >>> import numpy as np\n    \
         >>> import gradstep as gs\n    \
         >>> w = np.zeros(2)\n    \
         >>> opt = gs.SGD(w, lr=0.5)\n    \
         >>> w = w - 1.0  # another array\n    \
         >>> opt.step(np.ones(2))  # doctest: +SKIP\n    \
         DetachedParameterWarning: nobody but the optimizer refers to params any more, ...\n    \
         >>> opt.params  # doctest: +SKIP\n    \
         array([-0.5, -0.5])\n"
);
