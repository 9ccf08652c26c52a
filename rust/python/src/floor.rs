//! The memory floor for benchmarks.

use gradstep_core::floor::{MAX_WRITTEN, sweep};
use gradstep_core::machine::simd::Tier;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::value_error;

/// Adds `read` to each array of `written`, one pass over all: the traffic of an update, without its
/// arithmetic. All are contiguous float32 arrays of one length, and share no memory.
#[pyfunction]
#[pyo3(signature = (read, written, /))]
pub(crate) fn floor(read: &Bound<'_, PyArray1<f32>>, written: &Bound<'_, PyList>) -> PyResult<()> {
    if !(1..=MAX_WRITTEN).contains(&written.len()) {
        return Err(value_error(format!("written has {} arrays, not 1 to {MAX_WRITTEN}", written.len())));
    }
    let read = read.try_readonly().map_err(value_error)?;
    let mut arrays = Vec::with_capacity(written.len());
    for array in written {
        arrays.push(array.cast_into::<PyArray1<f32>>()?.try_readwrite().map_err(value_error)?);
    }
    let source = read.as_slice()?;
    let streams = arrays.iter_mut().map(|array| array.as_slice_mut()).collect::<Result<Vec<_>, _>>()?;
    if let Some(i) = streams.iter().position(|stream| stream.len() != source.len()) {
        let (a, b) = (streams[i].len(), source.len());
        return Err(value_error(format!("written[{i}] has {a} elements, but read has {b}")));
    }
    let tier = Tier::current();
    read.py().detach(|| sweep(tier, source, streams));
    Ok(())
}
