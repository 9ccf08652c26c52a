//! Checksums of what is saved: xxh3 with 64 bits, taken piece by piece.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::errors::value_error;

/// Takes in one piece of bytes after the other. Boxed, since it wants to lie at a multiple of 64, of which Python's memory
/// for objects knows nothing.
#[pyclass(module = "gradstep._core")]
pub(crate) struct Checksum(Box<Xxh3>);

#[pymethods]
impl Checksum {
    #[new]
    fn new() -> Self {
        Self(Box::new(Xxh3::new()))
    }

    /// Takes in a piece, a contiguous uint8 array. Python's lock is let go of meanwhile.
    #[pyo3(signature = (piece, /))]
    fn update(&mut self, piece: &Bound<'_, PyArray1<u8>>) -> PyResult<()> {
        let readable = piece.try_readonly().map_err(value_error)?;
        let bytes = readable.as_slice()?;
        let state = &mut self.0;
        piece.py().detach(|| state.update(bytes));
        Ok(())
    }

    /// The checksum of all that was taken in, as 16 hexadecimal digits.
    fn hexdigest(&self) -> String {
        format!("{:016x}", self.0.digest())
    }
}
