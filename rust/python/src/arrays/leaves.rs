//! All arrays of an optimizer: the parameters, their state in memory of its own, and the gradients of a step.

use gradstep_core::memory::{Gradient, Order, Tensor, Tensors};
use gradstep_core::rule::{Init, Slot};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::made::{Room, copy};
use super::parameters::Parameter;
use super::places::{Load, place, room_for};
use super::writable::Written;
use crate::errors::memory_error;

/// A parameter as it was found, and the number of its group.
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) parameter: Parameter,
    pub(crate) data: *mut u8,
}

/// What each parameter of a group remembers.
pub(crate) struct Slots {
    pub(crate) slots: &'static [Slot],
    /// What a slot holds at first if that is a number.
    pub(crate) values: Vec<f64>,
    /// Whether an average of the parameter is kept beside them.
    pub(crate) averages: bool,
}

pub(crate) struct Leaves {
    parameters: Vec<Parameter>,
    groups: Vec<usize>,
    tensors: Vec<Tensor>,
    /// Where the state of all parameters is.
    room: Room,
    written: Written,
    /// The gradients of the step under way in the order of the parameters, and the arrays that hold them.
    gradients: Vec<Gradient>,
    held: Vec<Py<PyAny>>,
    /// Whether the gradients are those of the arrays that are held.
    admitted: bool,
    staged: (bool, bool),
}

impl Leaves {
    /// Gives every parameter fresh state.
    pub(crate) fn new(py: Python<'_>, members: Vec<Member>, slots: &[Slots]) -> PyResult<Self> {
        let load = |member: &Member| Load {
            params: member.data as usize,
            bytes: member.parameter.layout.bytes(),
            slots: slots[member.group].slots.len(),
        };
        let room = Room::new(py, room_for(members.iter().map(load)))?;
        let mut tensors: Vec<Tensor> = reserved(members.len())?;
        tensors.extend(members.iter().map(|member| member.parameter.tensor(member.data)));
        place(room.start() as usize, members.iter().map(load), |leaf, slot, at| {
            tensors[leaf].state[slot] = room.at(at);
            tensors[leaf].slots = slot + 1;
        });
        let mut leaves = Self {
            parameters: reserved(members.len())?,
            groups: reserved(members.len())?,
            gradients: reserved(members.len())?,
            held: reserved(members.len())?,
            admitted: false,
            staged: (false, false),
            tensors,
            room,
            written: Written::default(),
        };
        for (leaf, member) in members.into_iter().enumerate() {
            leaves.gradients.push(Gradient::unknown(leaf, member.group));
            leaves.parameters.push(member.parameter);
            leaves.groups.push(member.group);
        }
        leaves.check_memory()?;
        leaves.fill(py, slots)?;
        Ok(leaves)
    }

    /// Refuses parameters that share memory, and notes what a step writes.
    fn check_memory(&mut self) -> PyResult<()> {
        let (parameters, room) = (&self.parameters, self.room.stretch());
        // One more than there are parameters: the last is the state.
        let count = parameters.len() + 1;
        let stretches = (0..count).map(|i| {
            let Some(parameter) = parameters.get(i) else { return room };
            let start = self.tensors[i].params as usize;
            (start, start + parameter.layout.bytes())
        });
        self.written = Written::new(stretches, &|i| {
            parameters.get(i).map_or_else(|| "the state".to_owned(), Parameter::own)
        })?;
        Ok(())
    }

    fn fill(&self, py: Python<'_>, slots: &[Slots]) -> PyResult<()> {
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            let Slots { slots, values, .. } = &slots[self.groups[leaf]];
            for (k, slot) in slots.iter().enumerate() {
                match slot.init {
                    Init::Hyper(_) if values[k] != 0.0 => {
                        self.slot(py, leaf, k)?.call_method1("fill", (values[k],))?;
                    }
                    Init::Param => copy(&self.slot(py, leaf, k)?, parameter.array.bind(py))?,
                    Init::Zero | Init::Hyper(_) => {}
                }
            }
        }
        Ok(())
    }

    fn slot<'py>(&self, py: Python<'py>, leaf: usize, slot: usize) -> PyResult<Bound<'py, PyAny>> {
        self.room.view(py, self.tensors[leaf].state[slot], &self.parameters[leaf].layout)
    }

    /// `{name: {slot: ndarray}}`, views of the state; `slots` are the groups' own.
    pub(crate) fn state<'py>(&self, py: Python<'py>, slots: &[&[Slot]]) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            let of_one = PyDict::new(py);
            for (k, slot) in slots[self.groups[leaf]].iter().enumerate() {
                of_one.set_item(slot.name, self.slot(py, leaf, k)?)?;
            }
            state.set_item(parameter.name(), of_one)?;
        }
        Ok(state)
    }

    pub(crate) fn len(&self) -> usize {
        self.parameters.len()
    }

    /// The number of the group that a parameter is in.
    pub(crate) fn group(&self, leaf: usize) -> usize {
        self.groups[leaf]
    }

    /// Which of the step's terms are those of a parameter: at first, those with the number of its group.
    pub(crate) fn set_terms(&mut self, leaf: usize, terms: usize) {
        self.gradients[leaf].terms = terms;
    }

    /// The numbers of elements of the parameters.
    pub(crate) fn lengths(&self) -> impl ExactSizeIterator<Item = usize> {
        self.tensors.iter().map(|tensor| tensor.len)
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Where the gradients of a step are put before they are admitted, in the order of the parameters.
    pub(crate) fn given(&mut self) -> &mut Vec<Py<PyAny>> {
        self.release();
        &mut self.held
    }

    /// Checks every parameter and its gradient, and finds out where the core reads it. Returns whether Python
    /// code has run meanwhile, so that all has to be looked at once more.
    pub(crate) fn admit(&mut self, py: Python<'_>) -> PyResult<bool> {
        assert_eq!(self.held.len(), self.parameters.len());
        let (mut disturbed, mut staged) = (false, (false, false));
        let Self { parameters, tensors, gradients, held, written, .. } = self;
        let leaves = parameters.iter_mut().zip(tensors).zip(gradients).zip(held);
        for (((parameter, tensor), gradient), held) in leaves {
            parameter.verify(py, tensor)?;
            if parameter.admit_quickly(held.bind(py), gradient) {
                continue;
            }
            if let Some(copied) = parameter.admit(held.bind(py), written, gradient)? {
                disturbed = true;
                *held = copied.unbind();
            }
            let strided = gradient.order != Order::Same;
            staged.0 |= strided || gradient.dtype != tensor.dtype;
            staged.1 |= strided;
        }
        self.staged = staged;
        self.admitted = true;
        Ok(disturbed)
    }

    /// Every array is still what was checked, whatever Python code has run since.
    pub(crate) fn verify(&self, py: Python<'_>) -> PyResult<()> {
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            parameter.verify(py, &self.tensors[leaf])?;
            parameter.verify_gradient(self.held[leaf].bind(py), &self.gradients[leaf])?;
        }
        Ok(())
    }

    /// Whether a gradient of the step is in another dtype or order; and whether one is in another order.
    pub(crate) fn staged(&self) -> (bool, bool) {
        self.staged
    }

    /// Lends all that was admitted and, if Python code has run since, verified.
    pub(crate) fn lend(&self) -> Tensors<'_> {
        assert!(self.admitted);
        // SAFETY: `admit` has checked each parameter and each gradient: valid for the tensor's length and its
        // order's extent, aligned, of that dtype, and no gradient overlaps what is written. `check_memory` has seen
        // that parameters overlap nothing, and the room is ours. `held`, `parameters` and `room` keep the arrays
        // alive. Nothing of it has changed: the one caller, `Stepper`, verifies once more after Python code. That
        // no other thread writes to the arrays, or takes their memory away, until the pass is over is the user's
        // part, as with any NumPy call that releases the GIL.
        unsafe { Tensors::new(&self.tensors, &self.gradients) }
    }

    /// Lets go of the gradients.
    pub(crate) fn release(&mut self) {
        self.admitted = false;
        self.held.clear();
    }

    /// What may be part of a cycle: the parameters, which may be of a subclass with attributes.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.parameters.iter().try_for_each(|parameter| visit.call(&parameter.array))
    }
}

fn reserved<T>(len: usize) -> PyResult<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(len).map_err(memory_error)?;
    Ok(items)
}
