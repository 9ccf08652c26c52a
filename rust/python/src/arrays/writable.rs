//! Which arrays can be updated in place.

use gradstep_core::dtypes::Dtype;
use gradstep_core::memory::Tensor;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE};
use pyo3::prelude::*;
use pyo3::types::PyFloat;

use super::fields::{Fields, is_masked};
use super::layouts::{self, Layout, is_dense};
use crate::errors::{a_type, memory_error, type_error, value_error};

/// An array that the core may write to: what it is, and where. Not to be kept while Python code may run.
#[derive(Clone, Copy)]
pub(crate) struct Writable<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) dtype: Dtype,
    pub(super) complex: bool,
}

impl Writable<'_> {
    pub(crate) fn data(&self) -> *mut u8 {
        self.fields.data
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::of(&self.fields, self.dtype, self.complex)
    }

    /// The stretch of memory, from its first byte to that after its last.
    pub(super) fn stretch(&self) -> (usize, usize) {
        let start = self.fields.data as usize;
        (start, start + self.len() * self.dtype.size())
    }

    /// Where it lies, without state as yet.
    pub(super) fn tensor(&self) -> Tensor {
        Tensor::new(self.dtype, self.len(), self.fields.data)
    }

    /// The number of floats.
    fn len(&self) -> usize {
        self.fields.len() * if self.complex { 2 } else { 1 }
    }

    pub(super) fn dtype_name(&self) -> &'static str {
        layouts::dtype_name(self.dtype, self.complex)
    }
}

/// Checks that `object` is an array that can be updated in place. `label` names it in errors.
pub(crate) fn writable<'a>(
    object: &'a Bound<'_, PyAny>,
    label: &dyn Fn() -> String,
) -> PyResult<Writable<'a>> {
    let Some(fields) = Fields::of(object) else { return Err(no_array(object, &label())) };
    if is_masked(object)? {
        return Err(masked(&label()));
    }
    let Some((dtype, complex)) = fields.numbers() else { return Err(no_float(object, &fields, &label())?) };
    if !fields.has(NPY_ARRAY_WRITEABLE) {
        return Err(value_error(format!("{} is read-only, so it cannot be updated in place", label())));
    }
    if !fields.has(NPY_ARRAY_ALIGNED) {
        let name = layouts::dtype_name(dtype, complex);
        return Err(value_error(format!("{} is not aligned in memory for its dtype {name}", label())));
    }
    if !is_dense(&fields, dtype.size() * if complex { 2 } else { 1 }) {
        return Err(value_error(format!(
            "{} is not dense in memory: it has shape {} with strides {} bytes; C order, F order or a transpose of \
             these is wanted",
            label(),
            tuple(fields.shape),
            tuple(fields.strides),
        )));
    }
    Ok(Writable { fields, dtype, complex })
}

pub(super) fn masked(label: &str) -> PyErr {
    type_error(format!("{label} is a masked array; its mask would be ignored"))
}

fn no_array(object: &Bound<'_, PyAny>, label: &str) -> PyErr {
    let hint = if object.is_exact_instance_of::<PyFloat>() {
        "; a float cannot be changed in place, np.array(0.0) can"
    } else {
        ""
    };
    type_error(format!("{label} is {}, not an ndarray{hint}", a_type(object)))
}

fn no_float(object: &Bound<'_, PyAny>, fields: &Fields<'_>, label: &str) -> PyResult<PyErr> {
    let name = dtype_name(object)?;
    if fields.is_swapped() {
        return Ok(value_error(format!(
            "{label} has dtype {name}, which is not in this machine's byte order"
        )));
    }
    Ok(type_error(format!("{label} has dtype {name}, not float32, float64, complex64 or complex128")))
}

/// The stretches of memory that a step writes, from a first byte to that after the last, sorted; and the number of
/// each.
#[derive(Default)]
pub(super) struct Written(Vec<(usize, usize, usize)>);

impl Written {
    /// Refuses arrays that share memory: an update of one would change the other.
    pub(super) fn new(
        stretches: impl ExactSizeIterator<Item = (usize, usize)>,
        label: &dyn Fn(usize) -> String,
    ) -> PyResult<Self> {
        let mut sorted = Vec::new();
        sorted.try_reserve_exact(stretches.len()).map_err(memory_error)?;
        let numbered = stretches.enumerate().map(|(i, (start, end))| (start, end, i));
        sorted.extend(numbered.filter(|(start, end, _)| start < end));
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            if pair[0].1 > pair[1].0 {
                let [a, b] = [pair[0].2.min(pair[1].2), pair[0].2.max(pair[1].2)];
                return Err(value_error(format!("{} and {} share memory", label(a), label(b))));
            }
        }
        Ok(Self(sorted))
    }

    /// The gap between two of them that a stretch lies in, or None if it overlaps one.
    pub(super) fn gap(&self, (start, end): (usize, usize)) -> Option<(usize, usize)> {
        let after = self.0.partition_point(|&(_, stop, _)| stop <= start);
        let low = after.checked_sub(1).map_or(0, |before| self.0[before].1);
        let high = self.0.get(after).map_or(usize::MAX, |&(first, ..)| first);
        (start >= end || end <= high).then_some((low, high))
    }
}

/// `(3, 4)`, `(3,)`, `()`: a shape as Python prints it.
pub(crate) fn tuple(numbers: &[isize]) -> String {
    match numbers {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

pub(super) fn dtype_name(array: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(array.getattr("dtype")?.str()?.to_string())
}
