//! The memory floor for benchmarks.

use gradstep_core::floats::Dtype;
use gradstep_core::limits::{MAX_WRITTEN, sweep};
use gradstep_core::simd::Tier;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::arrays::{check_overlap, writable};
use crate::errors::value_error;

/// Adds `read` to each array of `written`, one pass over all: the traffic of an update, without its
/// arithmetic. All are float32 arrays of one length, up to four written.
#[pyfunction]
#[expect(clippy::cast_ptr_alignment, reason = "`writable` has checked it")]
#[pyo3(signature = (read, written, /))]
pub(crate) fn limit(read: &Bound<'_, PyAny>, written: &Bound<'_, PyList>) -> PyResult<()> {
    if !(1..=MAX_WRITTEN).contains(&written.len()) {
        return Err(value_error(format!("written has {} arrays, not 1 to {MAX_WRITTEN}", written.len())));
    }
    let name = |i: usize| if i == 0 { "read".to_owned() } else { format!("written[{}]", i - 1) };
    let held: Vec<_> = std::iter::once(read.clone()).chain(written.iter()).collect();
    let mut arrays = Vec::with_capacity(held.len());
    for (i, array) in held.iter().enumerate() {
        arrays.push(writable(array, &|| name(i))?);
    }
    check_overlap(&arrays, &name)?;
    let len = arrays[0].len;
    if let Some(i) = arrays.iter().position(|array| array.dtype != Dtype::F32 || array.len != len) {
        return Err(value_error(format!("{} is not a float32 array of {len} elements", name(i))));
    }
    if len == 0 {
        return Ok(());
    }
    let tier = Tier::active().map_err(value_error)?;
    // SAFETY: each array was just checked to be dense, aligned, writeable float32 of `len` elements that
    // overlaps no other, and `held` keeps them alive.
    let (source, streams) = unsafe {
        let streams = arrays[1..].iter().map(|a| std::slice::from_raw_parts_mut(a.data.cast::<f32>(), len));
        (std::slice::from_raw_parts(arrays[0].data.cast::<f32>(), len), streams.collect::<Vec<_>>())
    };
    read.py().detach(|| sweep(tier, source, streams));
    drop(held);
    Ok(())
}
