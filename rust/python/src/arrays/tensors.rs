//! Tensors of another library that are updated: whether they are still where they were, their gradients, their counts.
//!
//! # Rationale
//! The parameters are ndarrays that share a tensor's memory. The tensor may be given other memory between two steps, as by
//! torch's `p.data = ...`, and the user looks at the tensor; so it is looked at before each step.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::entries::Items;
use super::exchange::Exchange;
use super::leaves::Leaves;
use super::watched::Watched;
use crate::errors::{memory_error, value_error};

impl Leaves {
    /// Watches the tensors whose memory the parameters are, in their order. Returns the numbers of their updates, as an
    /// array that each step changes.
    pub(crate) fn watch<'py>(
        &mut self,
        py: Python<'py>,
        exchange: Py<Exchange>,
        tensors: Vec<Py<PyAny>>,
        t: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        if tensors.len() != self.len() || !tensors.iter().all(|tensor| exchange.get().knows(tensor.bind(py)))
        {
            return Err(value_error("there must be a tensor for each parameter"));
        }
        let (watched, view) = Watched::new(py, exchange, tensors)?;
        self.watched = Some(watched);
        self.tell_counts(t);
        Ok(view)
    }

    /// Whether these groups hold the tensors that are watched, each where it was, and say what is `said` of each: keys, the
    /// objects that they had, and how many keys there were.
    pub(crate) fn is_as_said(&self, groups: &Bound<'_, PyList>, said: &Bound<'_, PyList>) -> PyResult<bool> {
        let py = groups.py();
        let Some(watched) = &self.watched else { return Ok(false) };
        if groups.len() != said.len() {
            return Ok(false);
        }
        let (mut leaf, mut groups) = (0, Items::of(groups).expect("a list"));
        for number in 0..groups.len() {
            let group = groups.get(number)?;
            let (group, said) = (group.cast::<PyDict>()?, said.get_item(number)?);
            let (keys, values, count): (Bound<'_, PyTuple>, Bound<'_, PyTuple>, usize) = said.extract()?;
            if group.len() != count {
                return Ok(false);
            }
            for (key, value) in keys.iter_borrowed().zip(values.iter_borrowed()) {
                if group.get_item(key)?.is_none_or(|now| !now.is(value)) {
                    return Ok(false);
                }
            }
            let Some(params) = group.get_item(intern!(py, "params"))? else { return Ok(false) };
            let Some(mut params) = Items::of(&params) else { return Ok(false) };
            for i in 0..params.len() {
                let found = params.get(i)?;
                let known = watched.tensors.get(leaf).is_some_and(|tensor| tensor.as_ptr() == found.as_ptr());
                if !known || self.group(leaf) != number {
                    return Ok(false);
                }
                leaf += 1;
            }
        }
        Ok(leaf == self.len())
    }

    /// Whether the tensors have the memory that they had, and nobody has changed the numbers of their updates, of which `t`
    /// have been made. Runs no Python code.
    pub(crate) fn are_in_place(&self, py: Python<'_>, t: u64) -> bool {
        let Some(watched) = &self.watched else { return false };
        (0..self.len()).all(|leaf| self.is_in_place(py, leaf))
            && watched.counts().iter().zip(&self.missed).all(|(&count, missed)| count == (t - missed) as f32)
    }

    fn is_in_place(&self, py: Python<'_>, leaf: usize) -> bool {
        let Some(watched) = &self.watched else { return false };
        let own = watched.exchange().look(watched.tensors[leaf].bind(py));
        own.is_ok_and(|own| self.parameters[leaf].is_at(&own, &self.tensors[leaf]))
    }

    /// After Python code: the tensors that are watched are still where they were.
    pub(super) fn verify_watched(&self, py: Python<'_>) -> PyResult<()> {
        let watched = self.watched.as_ref().map_or(0, |watched| watched.tensors.len());
        for leaf in 0..watched {
            if !self.is_in_place(py, leaf) {
                let own = self.parameters[leaf].own();
                return Err(value_error(format!("{own} has changed during the step")));
            }
        }
        Ok(())
    }

    /// Takes the gradients that the tensors have.
    pub(crate) fn take_gradients(&mut self, py: Python<'_>) -> PyResult<()> {
        let mut given = std::mem::take(self.given());
        given.try_reserve(self.len()).map_err(memory_error)?;
        for leaf in 0..self.len() {
            let Some(watched) = &self.watched else { return Err(value_error("no tensors are watched")) };
            let tensor = watched.tensors[leaf].bind(py);
            let frozen = self.is_frozen(leaf);
            let gradient =
                if frozen { py.None() } else { self.parameters[leaf].gradient_of(tensor)?.unbind() };
            given.push(gradient);
        }
        *self.given() = given;
        Ok(())
    }

    /// Writes down how many of `t` updates each tensor has had. Returns whether one has had its first.
    pub(crate) fn tell_counts(&mut self, t: u64) -> bool {
        let Self { watched: Some(watched), missed, .. } = self else { return false };
        let mut first = false;
        for (told, &missed) in watched.counts_mut().iter_mut().zip(&*missed) {
            let count = (t - missed) as f32;
            first |= *told == 0.0 && count > 0.0;
            *told = count;
        }
        first
    }

    /// Whether a parameter had no gradient at the last step.
    pub(crate) fn any_without_gradient(&self) -> bool {
        self.gradients.iter().any(|gradient| gradient.data.is_null())
    }
}
