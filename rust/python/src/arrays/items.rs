//! What a pass goes over: the gradients of a step, with what was accumulated and where the update goes.

use gradstep_core::codecs::Format;
use gradstep_core::memory::{Gradient, Order, Output, Tensors};
use gradstep_core::plans::Extent;
use pyo3::prelude::*;

use super::admission::Admission;
use super::leaves::Leaves;
use super::members::reserved;
use super::outputs::{Made, Outputs};
use super::watched::Watched;

impl Leaves {
    /// Where the gradients of a step are put before they are admitted, in the order of the parameters.
    pub(crate) fn given(&mut self) -> &mut Vec<Py<PyAny>> {
        self.admitted = false;
        self.held.clear();
        &mut self.held
    }

    /// Checks every gradient, and every parameter if they are updated `in_place`, and finds out where the core reads it.
    /// Returns whether Python code has run meanwhile, so that all has to be looked at once more.
    pub(crate) fn admit(&mut self, py: Python<'_>, in_place: bool) -> PyResult<bool> {
        assert_eq!(self.held.len(), self.parameters.len());
        if self.are_copied() {
            self.verify_copies(py)?;
        }
        let Self { parameters, tensors, gradients, held, written, tables, watched, .. } = self;
        tables.clear();
        let mut admission = Admission::new(written, tables, watched.as_ref().map(Watched::exchange));
        let leaves = parameters.iter_mut().zip(tensors).zip(gradients).zip(held);
        for (((parameter, tensor), gradient), held) in leaves {
            if in_place {
                parameter.verify(py, tensor)?;
            }
            if !parameter.admit_quickly(held.bind(py), gradient) {
                admission.admit(py, parameter, held, gradient)?;
            }
        }
        let Admission { disturbed, staged, complete, .. } = admission;
        self.staged = staged;
        self.items =
            if complete && !self.accumulates { None } else { Some(self.gathered(|_, gradient| gradient)?) };
        self.admitted = true;
        Ok(disturbed)
    }

    /// What there is to do for the gradients that there are; `make` is given each with the number of its parameter.
    fn gathered(&self, make: impl Fn(usize, Gradient) -> Gradient) -> PyResult<Vec<Gradient>> {
        let mut items = reserved(self.gradients.len())?;
        let made = self.gradients.iter().enumerate().map(|(leaf, &gradient)| make(leaf, gradient));
        items.extend(made.filter(|gradient| !gradient.data.is_null()));
        Ok(items)
    }

    /// From here on the pass adds the gradients to what was accumulated.
    pub(crate) fn add_up(&mut self) -> PyResult<()> {
        self.items = Some(self.gathered(|leaf, gradient| Gradient { adds: self.waiting[leaf], ..gradient })?);
        Ok(())
    }

    /// From here on the pass updates with the gradients and what was accumulated before.
    pub(crate) fn take_accumulated(&mut self) -> PyResult<()> {
        let taken = |leaf: usize, gradient: Gradient| {
            let tensor = &self.tensors[leaf];
            match (self.waiting[leaf], gradient.data.is_null()) {
                (true, true) => {
                    let data = tensor.accumulated.cast_const();
                    Gradient { data, dtype: tensor.dtype.into(), order: Order::Same, adds: false, ..gradient }
                }
                (waiting, _) => Gradient { adds: waiting, ..gradient },
            }
        };
        self.items = Some(self.gathered(taken)?);
        Ok(())
    }

    /// Makes of the new arrays what they are without an update, where the pass updates some rows only.
    pub(crate) fn leave(&self, outputs: &Outputs<'_>) -> PyResult<()> {
        self.with_rows().try_for_each(|leaf| outputs.leave(leaf))
    }

    /// From here on the pass writes to these arrays.
    pub(crate) fn direct(&mut self, outputs: &Outputs<'_>) -> PyResult<()> {
        let items = match self.items.take() {
            Some(items) => items,
            None => self.gathered(|_, gradient| gradient)?,
        };
        self.items = Some(
            items.into_iter().map(|item| Gradient { output: outputs.of(item.tensor), ..item }).collect(),
        );
        Ok(())
    }

    /// New arrays to write to, made from those that are `given`, or else from the parameters.
    pub(crate) fn outputs<'py>(
        &mut self,
        py: Python<'py>,
        given: Option<Vec<Py<PyAny>>>,
        made: Made,
    ) -> PyResult<Outputs<'py>> {
        let own = || self.parameters.iter().map(|parameter| parameter.array.clone_ref(py)).collect();
        let given = given.or_else(|| self.bound.then(own));
        Outputs::new(py, &self.parameters, given.as_deref(), &self.rooms, &mut self.spares, made)
    }

    /// What the pass goes over.
    pub(crate) fn items(&self) -> &[Gradient] {
        self.items.as_deref().unwrap_or(&self.gradients)
    }

    /// The elements of what the pass goes over.
    pub(crate) fn extents(&self) -> impl ExactSizeIterator<Item = Extent> {
        self.items().iter().map(|item| self.tables.extent(item.order, self.tensors[item.tensor].len))
    }

    /// Whether any gradient of the step has some rows only.
    #[inline]
    pub(crate) fn have_rows(&self) -> bool {
        self.tables.are_used()
    }

    /// Whether state of a parameter is kept in blocks, which are read and written whole.
    pub(crate) fn is_in_blocks(&self, leaf: usize) -> bool {
        self.tensors[leaf].format == Format::Float8
    }

    /// The parameters whose gradients have some rows only.
    pub(crate) fn with_rows(&self) -> impl Iterator<Item = usize> {
        let rows = self.gradients.iter().filter(|gradient| matches!(gradient.order, Order::Rows { .. }));
        rows.filter(|gradient| !gradient.data.is_null()).map(|gradient| gradient.tensor)
    }

    /// Whether the pass goes over all parameters.
    pub(crate) fn is_complete(&self) -> bool {
        self.items().len() == self.parameters.len()
    }

    /// What the pass goes over at the number of a parameter.
    pub(crate) fn item_of(&self, leaf: usize) -> Option<usize> {
        if self.is_complete() {
            return Some(leaf);
        }
        self.items().binary_search_by_key(&leaf, |item| item.tensor).ok()
    }

    /// Counts an update of what the pass went over. Returns whether it went by a parameter for the first time.
    pub(crate) fn count(&mut self) -> bool {
        if self.accumulates {
            self.waiting.fill(false);
        }
        let mut first = false;
        if !self.is_complete() {
            for leaf in 0..self.len() {
                if self.item_of(leaf).is_none() {
                    first |= self.missed[leaf] == 0;
                    self.missed[leaf] += 1;
                }
            }
        }
        first
    }

    /// Notes that what the pass went over waits for its update.
    pub(crate) fn wait(&mut self) {
        let Self { items, waiting, .. } = self;
        items.iter().flatten().for_each(|item| waiting[item.tensor] = true);
    }

    /// Every array is still what was checked, whatever Python code has run since.
    pub(crate) fn verify(&self, py: Python<'_>, outputs: Option<&Outputs<'_>>) -> PyResult<()> {
        let exchange = self.watched.as_ref().map(Watched::exchange);
        self.verify_watched(py)?;
        self.verify_copies(py)?;
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            if outputs.is_none() {
                parameter.verify(py, &self.tensors[leaf])?;
            }
            let (gradient, held) = (&self.gradients[leaf], self.held[leaf].bind(py));
            match gradient.order {
                _ if gradient.data.is_null() => {}
                Order::Rows { table, .. } => {
                    parameter.verify_rows(held, gradient, &self.tables.used()[table])?;
                }
                _ => parameter.verify_gradient(held, gradient, exchange)?,
            }
        }
        outputs.map_or(Ok(()), |outputs| outputs.verify(&self.parameters))
    }

    /// Every parameter is still what was checked.
    pub(crate) fn verify_parameters(&self, py: Python<'_>) -> PyResult<()> {
        let mut parameters = self.parameters.iter().zip(&self.tensors);
        parameters.try_for_each(|(parameter, tensor)| parameter.verify(py, tensor))
    }

    /// Whether a gradient of the step is in another dtype or order; and whether one is in another order.
    pub(crate) fn staged(&self) -> (bool, bool) {
        self.staged
    }

    /// Lends all that was admitted and, if Python code has run since, verified.
    pub(crate) fn lend(&self) -> Tensors<'_> {
        let in_place = |item: &Gradient| item.output == Output::InPlace;
        assert!(self.bound || !self.items().iter().any(in_place));
        self.lend_gradients()
    }

    /// The same for a pass that touches no parameter.
    pub(crate) fn lend_gradients(&self) -> Tensors<'_> {
        assert!(self.admitted);
        // SAFETY: `admit` has checked each gradient, and each parameter that is updated where it is: valid for the
        // tensor's length and its order's extent, aligned, of that dtype, and no gradient overlaps what is written.
        // `Written` has seen that the parameters overlap nothing, and the room is ours, with the state, the averages and
        // what is accumulated. Where the update goes elsewhere, `Outputs` has made the arrays for it, which nobody else
        // has, and has checked those that are read: in the layout of the tensor, and outside the room. `held`,
        // `parameters`, `room` and the outputs, which the caller keeps, keep all of them alive. Nothing of it has
        // changed: the one caller, `Stepper`, verifies once more after Python code. That no other thread writes to the
        // arrays, or takes their memory away, until the pass is over is the user's part, as with any NumPy call that
        // releases the GIL.
        unsafe { Tensors::new(&self.tensors, self.items(), self.tables.used()) }
    }

    /// Lets go of the gradients.
    pub(crate) fn release(&mut self, py: Python<'_>) {
        self.admitted = false;
        self.items = None;
        self.tables.clear();
        self.held.drain(..).for_each(|held| held.drop_ref(py));
    }
}
