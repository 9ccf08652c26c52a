//! Lists among a schedule's arguments: reading them, and keeping them for ever.
//!
//! # Rationale
//! A list may have millions of items. So nothing that grows with it is taken from Rust's allocator without
//! asking, which would abort the process where memory is short, and none of PyO3's constructors that panic there
//! is called for it. A long list is kept as a read-only array: a tuple of Python numbers would take four times
//! the memory.

use numpy::{Element, PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PySequence, PyString, PyTuple};
use std::fmt::Arguments;

use crate::arrays::is_masked;
use crate::errors::{memory_error, value_error};
use crate::numbers::{integer, real, wrong_type};

/// Longer lists are kept as arrays.
const LONG: usize = 1000;

/// What a list of numbers holds: floats, or counts of steps.
pub(super) trait Item: Element + Copy {
    /// NumPy's name of the type.
    const DTYPE: &'static str;
    /// Arrays of these kinds are converted whole: that gives what [`Item::read`] does.
    const KINDS: &'static [u8];

    fn read(name: Arguments<'_>, object: &Bound<'_, PyAny>) -> PyResult<Self>;
}

impl Item for f64 {
    const DTYPE: &'static str = "float64";
    const KINDS: &'static [u8] = b"fiu";

    fn read(name: Arguments<'_>, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        real(name, object, "a number")
    }
}

impl Item for i64 {
    const DTYPE: &'static str = "int64";
    const KINDS: &'static [u8] = b"i";

    fn read(name: Arguments<'_>, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        integer(name, object, "an integer")
    }
}

/// The numbers of a list, tuple, 1-d array or another sequence.
pub(super) fn numbers<T: Item>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    check_order(name, given)?;
    let mut numbers = Vec::new();
    if let Ok(array) = given.cast::<PyUntypedArray>()
        && T::KINDS.contains(&array.dtype().kind())
        && !is_masked(given)?
    {
        let array = given.call_method1("astype", (T::DTYPE,))?;
        let array = array.cast::<PyArray1<T>>()?.try_readonly().map_err(value_error)?;
        let array = array.as_array();
        numbers.try_reserve_exact(array.len()).map_err(memory_error)?;
        numbers.extend(&array);
        return Ok(numbers);
    }
    numbers.try_reserve_exact(given.len()?).map_err(memory_error)?;
    for (i, item) in given.try_iter()?.enumerate() {
        numbers.try_reserve(1).map_err(memory_error)?;
        numbers.push(T::read(format_args!("{name}[{i}]"), &item?)?);
    }
    Ok(numbers)
}

/// The items of a list, tuple or another sequence.
pub(super) fn objects<'py>(name: &str, given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    check_order(name, given)?;
    tuple(given)
}

/// What has an order: not a set, not a dict, and no text.
fn check_order(name: &str, given: &Bound<'_, PyAny>) -> PyResult<()> {
    let ordered = match given.cast::<PyUntypedArray>() {
        Ok(array) => array.ndim() == 1,
        Err(_) => given.is_instance_of::<PySequence>() && !given.is_instance_of::<PyString>(),
    };
    if ordered { Ok(()) } else { Err(wrong_type(name, "a list, tuple or 1-d array", given)) }
}

/// Numbers as an argument: a tuple of Python numbers, or a read-only array if there are many.
pub(super) fn kept<'py, T>(py: Python<'py>, numbers: &[T]) -> PyResult<Bound<'py, PyAny>>
where
    T: Item + IntoPyObject<'py>,
    PyErr: From<T::Error>,
{
    static EMPTY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if numbers.len() <= LONG {
        return Ok(PyTuple::new(py, numbers.iter().copied())?.into_any());
    }
    let array = EMPTY.import(py, "numpy", "empty")?.call1((numbers.len(), T::DTYPE))?;
    let mut values = array.cast::<PyArray1<T>>()?.try_readwrite().map_err(value_error)?;
    values.as_slice_mut()?.copy_from_slice(numbers);
    drop(values);
    array.call_method1("setflags", (false,))?;
    // A view of what is read-only cannot be made writeable again.
    array.call_method0("view")
}

pub(super) fn is_list(argument: &Bound<'_, PyAny>) -> bool {
    argument.is_instance_of::<PyTuple>() || argument.is_instance_of::<PyUntypedArray>()
}

/// The items of an argument that is a list, as Python's own objects.
pub(super) fn items<'py>(argument: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    if argument.is_instance_of::<PyUntypedArray>() {
        return argument.call_method0("tolist")?.try_iter();
    }
    argument.try_iter()
}

/// Something with the same hash for arguments that are equal.
pub(super) fn hashable<'py>(argument: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if argument.is_instance_of::<PyUntypedArray>() {
        // The sum of -0 and 0 is 0.
        return argument.add(0)?.call_method0("tobytes");
    }
    Ok(argument.clone())
}

/// Whether two arguments of one kind of schedule are equal.
pub(super) fn equal(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<bool> {
    static ARRAY_EQUAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    match (a.is_instance_of::<PyUntypedArray>(), b.is_instance_of::<PyUntypedArray>()) {
        (true, true) => ARRAY_EQUAL.import(a.py(), "numpy", "array_equal")?.call1((a, b))?.is_truthy(),
        (false, false) => Ok(a.is(b) || a.eq(b)?),
        _ => Ok(false),
    }
}

/// A tuple of the items, made where too little memory raises an exception.
pub(super) fn tuple<'py>(items: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    Ok(items.py().get_type::<PyTuple>().call1((items,))?.cast_into()?)
}
