//! What is in a list, a tuple or a dict, one object at a time.
//!
//! # Rationale
//! A step asks for hundreds of objects that it only looks at. To count a reference up and down for each takes as long as
//! all else that is done for a small array. So they are borrowed, where nobody can take them away meanwhile: while we hold
//! the interpreter's lock and run no Python code. What is borrowed here is not to be kept beyond that.

use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::ptr;

/// The items of a list or a tuple.
pub(crate) struct Items<'a, 'py> {
    sequence: Sequence<'a, 'py>,
    held: Option<Bound<'py, PyAny>>,
}

#[derive(Clone, Copy)]
enum Sequence<'a, 'py> {
    List(&'a Bound<'py, PyList>),
    Tuple(&'a Bound<'py, PyTuple>),
}

impl<'a, 'py> Items<'a, 'py> {
    pub(crate) fn of(object: &'a Bound<'py, PyAny>) -> Option<Self> {
        let list = object.cast::<PyList>().ok().map(Sequence::List);
        let sequence = list.or_else(|| object.cast::<PyTuple>().ok().map(Sequence::Tuple))?;
        Some(Self { sequence, held: None })
    }

    pub(crate) fn len(&self) -> usize {
        match self.sequence {
            Sequence::List(list) => list.len(),
            Sequence::Tuple(tuple) => tuple.len(),
        }
    }

    #[inline(always)]
    pub(crate) fn get(&mut self, i: usize) -> PyResult<Borrowed<'_, 'py, PyAny>> {
        match self.sequence {
            Sequence::List(list) if cfg!(Py_GIL_DISABLED) => {
                Ok(self.held.insert(list.get_item(i)?).as_borrowed())
            }
            // SAFETY: it is a list. The call checks the place, and lends the item or sets an exception; we hold the
            // interpreter's lock.
            Sequence::List(list) => unsafe {
                let item = ffi::PyList_GetItem(list.as_ptr(), i as ffi::Py_ssize_t);
                Borrowed::from_ptr_or_err(list.py(), item)
            },
            Sequence::Tuple(tuple) => tuple.get_borrowed_item(i),
        }
    }
}

/// The values of a dict for keys that are asked for in a certain order: by going along where the dict has the same
/// keys in the same order, as it nearly always has, and else by searching.
pub(crate) struct Lookup<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
    /// Whether Python code may have run: that of a key, which compares itself.
    pub(crate) disturbed: bool,
    held: Option<Bound<'py, PyAny>>,
}

/// Whether both are plain strings of one text, as a name that an f-string makes anew: to compare these runs no Python code.
#[inline(never)]
fn is_same_text(found: Borrowed<'_, '_, PyAny>, key: &Py<PyAny>) -> bool {
    match (found.cast_exact::<PyString>(), key.bind(found.py()).cast_exact::<PyString>()) {
        (Ok(found), Ok(key)) => found.to_str().is_ok_and(|found| key.to_str().is_ok_and(|key| found == key)),
        _ => false,
    }
}

impl<'a, 'py> Lookup<'a, 'py> {
    pub(crate) fn new(dict: &'a Bound<'py, PyDict>) -> Self {
        // Without the interpreter's lock, other threads may change the dict at any moment.
        Self { dict, position: 0, disturbed: cfg!(Py_GIL_DISABLED), held: None }
    }

    #[inline(always)]
    pub(crate) fn get(&mut self, key: &Py<PyAny>) -> PyResult<Option<Borrowed<'_, 'py, PyAny>>> {
        if !self.disturbed {
            let (mut found, mut value) = (ptr::null_mut(), ptr::null_mut());
            let position = &raw mut self.position;
            // SAFETY: it is a dict, at a position that this call has left, and nobody has changed it meanwhile. The call
            // lends a key and a value, or returns 0.
            let any =
                unsafe { ffi::PyDict_Next(self.dict.as_ptr(), position, &raw mut found, &raw mut value) };
            // SAFETY: as above; we hold the interpreter's lock.
            let lent = |pointer| unsafe { Borrowed::from_ptr(self.dict.py(), pointer) };
            if any != 0 && (found == key.as_ptr() || is_same_text(lent(found), key)) {
                return Ok(Some(lent(value)));
            }
            self.disturbed = true;
        }
        self.held = self.dict.get_item(key)?;
        Ok(self.held.as_ref().map(|value| value.as_borrowed()))
    }
}
