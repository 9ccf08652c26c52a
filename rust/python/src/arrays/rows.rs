//! `Rows`: a gradient that has values for some rows of its parameter.

use gradstep_core::rows::{RowsError, Table};
use numpy::npyffi::NPY_TYPES;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::{c_int, c_long, c_longlong, c_short, c_uint, c_ulong, c_ulonglong, c_ushort};

use super::fields::{Fields, is_masked};
use super::writable::{dtype_name, masked, tuple};
use crate::errors::{a_type, type_error, value_error};

/// The gradient of an array of which only some rows were used: an embedding's, say.
///
/// A step with it reads and writes these rows of the parameter and of its state, and no others: it takes time and memory
/// for what was given, however many rows there are. Rows that are given more than once are added up, in order of
/// appearance, in the dtype of the parameter, as ``np.add.at`` does. The sum counts for ``clip_norm``, ``clip_value`` and
/// all else that looks at gradients.
///
/// For `SGD` without momentum and `Adagrad` this is exactly a step with zeros for all other rows. For rules with moments
/// it is their *lazy* form: the moments of a row that is not given do not decay, and its parameter does not move, until it
/// is given again. Bias corrections count the updates of the array, as they do for a dense gradient; an update counts also
/// if no row is given.
///
/// What would touch all rows is refused together with it: ``weight_decay`` of either kind, ``l1``, ``ema``, ``accumulate``,
/// and the rules `LAMB`, `LARS`, `Prodigy`, `DoG`, `ScheduleFreeSGD` and `ScheduleFreeAdamW`.
///
/// Args:
///     indices: the numbers of the rows, integers of any shape; negative ones count from the end, as NumPy's do.
///     values: an array of floats of the shape of the indices with that of a row behind it: what ``x`` is in
///         ``np.add.at(gradient, indices, x)``.
///
/// Neither is copied if that can be avoided: until the step is made, they are not to be changed.
///
/// Raises:
///     TypeError: indices are not integers (a mask is not: ``np.flatnonzero`` tells its indices), or values are no array.
///     ValueError: their shapes do not go together. Whether they go with the parameter is seen at the step.
///
/// Example:
///     >>> import numpy as np
///     >>> import gradstep as gs
///     >>> table = np.zeros((5, 2))
///     >>> opt = gs.SGD(table, lr=1.0)
///     >>> opt.step(gs.Rows([3, 0, 3], np.array([[1.0, 2.0], [5.0, 5.0], [10.0, 20.0]])))
///     True
///     >>> table
///     array([[ -5.,  -5.],
///            [  0.,   0.],
///            [  0.,   0.],
///            [-11., -22.],
///            [  0.,   0.]])
#[pyclass(frozen, module = "gradstep", name = "Rows")]
pub(crate) struct Rows {
    /// With one axis.
    #[pyo3(get)]
    pub(super) indices: Py<PyAny>,
    #[pyo3(get)]
    pub(super) values: Py<PyAny>,
}

#[pymethods]
impl Rows {
    #[new]
    pub(crate) fn new(indices: &Bound<'_, PyAny>, values: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::named(indices, values, ["indices", "values"])
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let described = |array: &Py<PyAny>| {
            let array = array.bind(py);
            let shape = Fields::of(array).map_or_else(String::new, |fields| tuple(fields.shape));
            PyResult::Ok(format!("{} {shape}", dtype_name(array)?))
        };
        Ok(format!("<Rows: indices {}, values {}>", described(&self.indices)?, described(&self.values)?))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, Self { indices, values }) = (slf.py(), slf.get());
        let arguments = (indices.bind(py), values.bind(py)).into_pyobject(py)?;
        (slf.get_type(), arguments).into_pyobject(py)
    }

    /// The arrays may be of a subclass with attributes.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.indices)?;
        visit.call(&self.values)
    }
}

impl Rows {
    /// The same where errors have other names for them.
    pub(crate) fn named(
        indices: &Bound<'_, PyAny>,
        values: &Bound<'_, PyAny>,
        names: [&str; 2],
    ) -> PyResult<Self> {
        let py = indices.py();
        let indices = if Fields::of(indices).is_some() {
            indices.clone()
        } else {
            let array = py.import("numpy")?.call_method1("asarray", (indices,))?;
            // Of no numbers NumPy makes floats.
            let is_empty = Fields::of(&array).is_some_and(|fields| fields.len() == 0);
            if is_empty { array.call_method1("astype", ("intp",))? } else { array }
        };
        let indices = integers(indices, names[0])?;
        let Some(given) = Fields::of(values) else {
            return Err(type_error(format!("{} is {}, not an ndarray", names[1], a_type(values))));
        };
        if is_masked(values)? {
            return Err(masked(names[1]));
        }
        let fields = Fields::of(&indices).expect("it is one");
        let axes = fields.shape.len();
        if given.shape.len() < axes || &given.shape[..axes] != fields.shape {
            let (a, b) = (tuple(given.shape), tuple(fields.shape));
            return Err(value_error(format!("{} has shape {a}, but {} has shape {b}", names[1], names[0])));
        }
        let (mut flat, mut rows) = (indices.clone(), values.clone());
        if axes != 1 {
            let shape: Vec<_> = std::iter::once(fields.shape.iter().product())
                .chain(given.shape[axes..].iter().copied())
                .collect();
            rows = values.call_method1("reshape", (PyTuple::new(py, shape)?,))?;
            flat = indices.call_method1("reshape", (-1,))?;
        }
        Ok(Self { indices: flat.unbind(), values: rows.unbind() })
    }
}

/// An array of integers in the byte order of this machine.
fn integers<'py>(array: Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    if is_masked(&array)? {
        return Err(masked(name));
    }
    let fields = Fields::of(&array).expect("it is one");
    if !fields.is_integer() {
        let dtype = dtype_name(&array)?;
        let hint = if dtype == "bool" { "; np.flatnonzero(mask) has the indices of a mask" } else { "" };
        return Err(type_error(format!("{name} has dtype {dtype}, not an integer dtype{hint}")));
    }
    if fields.is_native() { Ok(array) } else { array.call_method1("astype", ("int64",)) }
}

/// Puts the integers of an array that has one axis into a table of the rows of a tensor. None if it is no such array.
pub(super) fn fill(
    table: &mut Table,
    rows: usize,
    width: usize,
    indices: &Bound<'_, PyAny>,
) -> Option<Result<(), RowsError>> {
    let fields = Fields::of(indices).filter(Fields::is_native)?;
    let (&[len], &[stride]) = (fields.shape, fields.strides) else { return None };
    macro_rules! by_dtype { ($($name:ident: $integer:ty),*) => {
        match fields.type_num() {
            $(number if number == NPY_TYPES::$name as i32 => table.set(rows, width, (0..len as usize).map(|i| {
                // SAFETY: the array has `len` elements of this type, so far apart, and we run no Python code.
                let index = unsafe {
                    fields.data.wrapping_offset(i as isize * stride).cast::<$integer>().read_unaligned()
                };
                // What is too large is so also when it is less large.
                i64::try_from(index).unwrap_or(i64::MAX)
            })),)*
            _ => return None,
        }
    } }
    Some(by_dtype!(
        NPY_BYTE: i8, NPY_SHORT: c_short, NPY_INT: c_int, NPY_LONG: c_long, NPY_LONGLONG: c_longlong,
        NPY_UBYTE: u8, NPY_USHORT: c_ushort, NPY_UINT: c_uint, NPY_ULONG: c_ulong, NPY_ULONGLONG: c_ulonglong
    ))
}
