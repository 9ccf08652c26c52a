//! All arrays of an optimizer: the parameters, their state in memory of its own, and the gradients of a step.

use gradstep_core::memory::{Gradient, Tensor};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use super::made::copy;
use super::members::{Member, Slots, reserved};
use super::outputs::Spares;
use super::parameters::Parameter;
use super::picking::Tables;
use super::rooms::Rooms;
use super::shadows::Shadow;
use super::watched::Watched;
use super::writable::Written;
use crate::errors::{label, value_error};
use crate::files::Files;

pub(crate) struct Leaves {
    pub(super) parameters: Vec<Parameter>,
    groups: Vec<usize>,
    pub(super) tensors: Vec<Tensor>,
    /// Where the state of all parameters is.
    pub(super) rooms: Rooms,
    pub(super) written: Written,
    /// Copies of the parameters that are kept up to date, one for each or none.
    pub(super) copies: Vec<Shadow>,
    /// Whether the parameters are arrays that are updated in place, and not only what such arrays are like.
    pub(super) bound: bool,
    /// Whether gradients are added up before an update, and whose have been.
    pub(super) accumulates: bool,
    pub(super) waiting: Vec<bool>,
    /// Those that get no update, whatever their gradient.
    frozen: Vec<bool>,
    /// Updates that went by without a gradient of a parameter.
    pub(super) missed: Vec<u64>,
    /// The gradients of the step under way in the order of the parameters, and the arrays that hold them. What has none
    /// has a null pointer, and None.
    pub(super) gradients: Vec<Gradient>,
    pub(super) held: Vec<Py<PyAny>>,
    /// Those of the pass, if they are not just these.
    pub(super) items: Option<Vec<Gradient>>,
    /// Which rows those have that have not all.
    pub(super) tables: Tables,
    pub(super) spares: Spares,
    /// Whether the gradients are those of the arrays that are held.
    pub(super) admitted: bool,
    pub(super) staged: (bool, bool),
    /// The tensors whose memory the parameters are, if they are watched.
    pub(super) watched: Option<Watched>,
}

impl Leaves {
    /// Gives every parameter fresh state.
    pub(crate) fn new(
        py: Python<'_>,
        members: Vec<Member>,
        slots: &[Slots],
        accumulates: bool,
        bound: bool,
        files: Option<&Files>,
    ) -> PyResult<Self> {
        let mut tensors: Vec<Tensor> = reserved(members.len())?;
        tensors.extend(members.iter().map(|member| member.parameter.tensor(member.data)));
        let rooms = Rooms::new(py, &members, &mut tensors, slots, accumulates, files)?;
        let mut leaves = Self {
            parameters: reserved(members.len())?,
            groups: reserved(members.len())?,
            gradients: reserved(members.len())?,
            held: reserved(members.len())?,
            waiting: reserved(members.len())?,
            frozen: reserved(members.len())?,
            missed: reserved(members.len())?,
            items: None,
            tables: Tables::default(),
            spares: Spares::default(),
            bound,
            accumulates,
            admitted: false,
            staged: (false, false),
            watched: None,
            tensors,
            rooms,
            written: Written::default(),
            copies: Vec::new(),
        };
        for (leaf, member) in members.into_iter().enumerate() {
            leaves.gradients.push(Gradient::unknown(leaf, member.group));
            leaves.parameters.push(member.parameter);
            leaves.groups.push(member.group);
            leaves.waiting.push(false);
            leaves.frozen.push(false);
            leaves.missed.push(0);
        }
        let places = leaves.parameters.iter().zip(leaves.tensors.iter().map(|tensor| tensor.params));
        leaves.written = leaves.all_written(&places.take(if bound { usize::MAX } else { 0 }))?;
        if !files.is_some_and(|files| files.resumed) {
            leaves.fill(py, slots)?;
        }
        if !bound {
            for (parameter, tensor) in leaves.parameters.iter_mut().zip(&mut leaves.tensors) {
                parameter.array = py.None();
                tensor.params = std::ptr::null_mut();
            }
        }
        Ok(leaves)
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

    /// How many updates went by without a gradient of a parameter.
    pub(crate) fn missed(&self, leaf: usize) -> u64 {
        self.missed[leaf]
    }

    pub(crate) fn set_missed(&mut self, missed: impl IntoIterator<Item = u64>) {
        self.missed.iter_mut().zip(missed).for_each(|(own, missed)| *own = missed);
    }

    /// Whether a gradient of a parameter was accumulated.
    pub(crate) fn is_waiting(&self, leaf: usize) -> bool {
        self.waiting[leaf]
    }

    /// Says of each parameter whether something of it is accumulated.
    pub(crate) fn set_waiting(&mut self, waiting: &[bool]) {
        self.waiting.copy_from_slice(waiting);
    }

    /// Forgets what was accumulated.
    pub(crate) fn forget_accumulated(&mut self) {
        self.waiting.fill(false);
    }

    pub(crate) fn any_frozen(&self) -> bool {
        self.frozen.contains(&true)
    }

    pub(crate) fn is_frozen(&self, leaf: usize) -> bool {
        self.frozen[leaf]
    }

    /// What was accumulated of a parameter that is frozen is forgotten.
    pub(crate) fn freeze(&mut self, leaf: usize, frozen: bool) {
        self.frozen[leaf] = frozen;
        self.waiting[leaf] &= !frozen;
    }

    /// Whether the parameters are arrays that can be updated in place.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound
    }

    /// Puts other arrays in the place of the parameters, which are like them.
    pub(crate) fn replace(
        &mut self,
        py: Python<'_>,
        members: Vec<Member>,
        slots: &[Slots],
        files: Option<&Files>,
    ) -> PyResult<()> {
        if members.len() != self.len() {
            let (a, b) = (members.len(), self.len());
            return Err(value_error(format!("params has {a} arrays, but the optimizer has {b}")));
        }
        let mut alike = true;
        for (own, new) in self.parameters.iter().zip(&members) {
            own.check_like(&new.parameter)?;
            alike &= own.layout.has_strides(&new.parameter.layout.strides);
        }
        if alike {
            self.verify_copies(py)?;
            self.written = self.all_written(&members.iter().map(|new| (&new.parameter, new.data)))?;
            for (leaf, new) in members.into_iter().enumerate() {
                self.parameters[leaf] = new.parameter;
                self.tensors[leaf].params = new.data;
            }
            (self.bound, self.watched) = (true, None);
            return self.refresh_copies(py);
        }
        if self.are_copied() {
            return Err(value_error("params lie in another memory order than their copies in copy_to"));
        }
        if files.is_some() {
            return Err(value_error("params lie in another memory order than the state, which is in files"));
        }
        let mut new = Self::new(py, members, slots, self.accumulates, true, None)?;
        for (leaf, (to, from)) in new.tensors.iter().zip(&self.tensors).enumerate() {
            for (k, slot) in slots[self.groups[leaf]].of_rule.iter().enumerate() {
                // What is in blocks has others in another order, and is rounded once more.
                new.slot(py, leaf, k, slot)?.set_item(py.Ellipsis(), self.slot(py, leaf, k, slot)?)?;
            }
            let besides = [(to.average, from.average), (to.accumulated, from.accumulated)];
            for (to, from) in besides.into_iter().filter(|(to, _)| !to.is_null()) {
                copy(&new.view(py, leaf, to)?, &self.view(py, leaf, from)?)?;
            }
        }
        new.waiting.clone_from(&self.waiting);
        new.frozen.clone_from(&self.frozen);
        new.missed.clone_from(&self.missed);
        *self = new;
        Ok(())
    }

    /// What a step writes: these parameters, the state, and the copies. Those that share memory are refused: an update of
    /// one would change the other.
    pub(super) fn all_written<'a>(
        &self,
        parameters: &(impl ExactSizeIterator<Item = (&'a Parameter, *mut u8)> + Clone),
    ) -> PyResult<Written> {
        let of_one = |(parameter, data): (&Parameter, *mut u8)| {
            (data as usize, data as usize + parameter.layout.bytes())
        };
        let (count, rooms) = (parameters.len(), self.rooms.stretches().len());
        let mut all = reserved(count + rooms + self.copies.len())?;
        all.extend(parameters.clone().map(of_one));
        all.extend(self.rooms.stretches());
        all.extend(self.copies.iter().map(Shadow::stretch));
        Written::new(all.into_iter(), &|i| match i.checked_sub(count + rooms) {
            Some(leaf) => label("copy_to", &self.parameters[leaf].path),
            None => parameters
                .clone()
                .nth(i)
                .map_or_else(|| "the state".to_owned(), |(parameter, _)| parameter.own()),
        })
    }

    /// What may be part of a cycle: the parameters, which may be of a subclass with attributes.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for parameter in &self.parameters {
            visit.call(&parameter.array)?;
            visit.call(&parameter.foreign)?;
        }
        self.copies.iter().try_for_each(|copy| copy.traverse(visit))?;
        self.watched.as_ref().map_or(Ok(()), |watched| watched.traverse(visit))
    }
}
