//! The copies of the parameters, beside them.

use pyo3::prelude::*;

use super::leaves::Leaves;
use super::shadows::shadow;

impl Leaves {
    /// From here on these arrays hold copies of the parameters: one for each.
    pub(crate) fn copy_to(&mut self, py: Python<'_>, given: Vec<Py<PyAny>>) -> PyResult<()> {
        for (parameter, given) in self.parameters.iter().zip(given) {
            let shadow = shadow(parameter, given.bind(py))?;
            self.copies.push(shadow);
        }
        if self.bound {
            let places = self.parameters.iter().zip(self.tensors.iter().map(|tensor| tensor.params));
            self.written = self.all_written(&places)?;
        } else {
            self.written = self.all_written(&std::iter::empty())?;
        }
        for (tensor, copy) in self.tensors.iter_mut().zip(&self.copies) {
            tensor.copy = copy.data(py);
        }
        self.refresh_copies(py)
    }

    /// Whether there are copies.
    pub(crate) fn are_copied(&self) -> bool {
        !self.copies.is_empty()
    }

    /// Writes all copies anew, where there are parameters of our own.
    pub(crate) fn refresh_copies(&self, py: Python<'_>) -> PyResult<()> {
        if !self.bound || !self.are_copied() {
            return Ok(());
        }
        self.verify_parameters(py)?;
        self.verify_copies(py)?;
        let mut pairs = self.parameters.iter().zip(&self.copies);
        pairs.try_for_each(|(parameter, copy)| copy.refresh(parameter.array.bind(py)))
    }

    /// Every copy is still what was checked.
    pub(super) fn verify_copies(&self, py: Python<'_>) -> PyResult<()> {
        let mut pairs = self.parameters.iter().zip(&self.copies);
        pairs.try_for_each(|(parameter, copy)| copy.verify(parameter, py))
    }

    /// The copies as they were given.
    pub(crate) fn copies<'py>(&self, py: Python<'py>) -> impl ExactSizeIterator<Item = Bound<'py, PyAny>> {
        self.copies.iter().map(move |copy| copy.given.bind(py).clone())
    }
}
