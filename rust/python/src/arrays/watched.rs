//! Tensors of another library that are watched, and how many updates each has had.

use gradstep_core::dtypes::Dtype;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use std::ffi::c_void;

use super::exchange::Exchange;
use super::forms::Form;
use super::layouts::Layout;
use super::made::Room;

pub(super) struct Watched {
    exchange: Py<Exchange>,
    /// In the order of the parameters.
    pub(super) tensors: Vec<Py<PyAny>>,
    /// How many updates each has had: numbers that the user may read, and may have written to.
    counts: Room,
}

impl Watched {
    /// All counts are 0. The array is where they are told.
    pub(super) fn new(
        py: Python<'_>,
        exchange: Py<Exchange>,
        tensors: Vec<Py<PyAny>>,
    ) -> PyResult<(Self, Bound<'_, PyAny>)> {
        let (len, dtype) = (tensors.len(), Dtype::F32);
        let (shape, strides) = (Box::new([len as isize]), Box::new([dtype.size() as isize]));
        let layout = Layout { dtype, complex: false, len, shape, strides };
        let counts = Room::new(py, layout.bytes())?;
        let view = counts.view(py, counts.start(), &Form::of(&layout))?;
        Ok((Self { exchange, tensors, counts }, view))
    }

    pub(super) fn exchange(&self) -> &Exchange {
        self.exchange.get()
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.tensors.iter().try_for_each(|tensor| visit.call(tensor))
    }

    fn start(&self) -> *mut f32 {
        // NumPy aligns what it makes.
        self.counts.start().cast::<c_void>().cast()
    }

    /// The numbers that the user sees.
    pub(super) fn counts(&self) -> &[f32] {
        // SAFETY: the room was made for a float32 for each tensor, and NumPy aligns what it makes. It is ours and the user's,
        // who writes to it, like to any array, only while no step runs.
        unsafe { std::slice::from_raw_parts(self.start(), self.tensors.len()) }
    }

    pub(super) fn counts_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.tensors.len()) }
    }
}
