//! Tensors that are looked at in a few nanoseconds: by the table of C functions that their type has for DLPack.
//!
//! # Rationale
//! To ask a tensor of torch for its address, dtype, shape, strides and device from Python takes half a microsecond, a
//! capsule two. The table's function fills in all of it at once. Between two steps anything may have happened to a tensor:
//! a new gradient, another `data`; so all of it is looked at in each.

use pyo3::exceptions::PyAttributeError;
use pyo3::ffi::{self, PyCapsule_GetPointer, PyCapsule_IsValid};
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::c_int;

use super::dlpack::{RawTensor, VERSION, Version};

type Look = unsafe extern "C" fn(*mut ffi::PyObject, *mut RawTensor) -> c_int;

/// The head of `DLPackExchangeAPI`, which is the same in all versions.
#[repr(C)]
struct Header {
    version: Version,
    previous: *const Header,
}

/// `DLPackExchangeAPI` of version 1.
#[repr(C)]
struct Table {
    header: Header,
    _allocate: *const u8,
    _export: *const u8,
    _import: *const u8,
    look: Option<Look>,
    _stream: *const u8,
}

/// A type of tensors that has such a table.
#[pyclass(frozen, module = "gradstep._core")]
pub(crate) struct Exchange {
    kind: Py<PyType>,
    look: Look,
}

#[pymethods]
impl Exchange {
    #[new]
    #[pyo3(signature = (kind, /))]
    fn new(kind: Bound<'_, PyType>) -> PyResult<Self> {
        let missing = |what: &str| {
            PyAttributeError::new_err(format!(
                "{} {what}",
                kind.name().map_or_else(|_| "it".to_owned(), |name| name.to_string())
            ))
        };
        let capsule =
            kind.getattr("__dlpack_c_exchange_api__").map_err(|_| missing("has no DLPack table"))?;
        let (pointer, name) = (capsule.as_ptr(), c"dlpack_exchange_api".as_ptr());
        // SAFETY: we are attached, the object lives, and the name ends in a null byte. A capsule of that name holds a table
        // that lives as long as the process; older ones follow it, or null. All of one major version are alike.
        let look = unsafe {
            let valid = PyCapsule_IsValid(pointer, name) == 1;
            let mut header: *const Header =
                if valid { PyCapsule_GetPointer(pointer, name).cast() } else { std::ptr::null() };
            while !header.is_null() && (*header).version.major > VERSION.0 {
                header = (*header).previous;
            }
            if header.is_null() || (*header).version.major != VERSION.0 {
                None
            } else {
                (*header.cast::<Table>()).look
            }
        };
        let look = look.ok_or_else(|| missing("has no DLPack table of version 1 that looks at tensors"))?;
        Ok(Self { kind: kind.unbind(), look })
    }
}

impl Exchange {
    /// Whether an object is such a tensor.
    #[inline(always)]
    pub(crate) fn knows(&self, object: &Bound<'_, PyAny>) -> bool {
        let kind = self.kind.as_ptr().cast();
        // SAFETY: we are attached, and both are live; the kind is a type. No Python code runs.
        unsafe { ffi::PyObject_TypeCheck(object.as_ptr(), kind) != 0 }
    }

    /// Where a tensor lies and what it is. Its memory is the tensor's own, and not to be kept while Python code may run.
    #[inline(always)]
    pub(super) fn look(&self, object: &Bound<'_, PyAny>) -> PyResult<RawTensor> {
        assert!(self.knows(object));
        let mut tensor = RawTensor::empty();
        // SAFETY: the object is of the type whose table this is, and we are attached. The call fills in the tensor and
        // returns 0, or sets an exception.
        if unsafe { (self.look)(object.as_ptr(), &raw mut tensor) } == 0 {
            Ok(tensor)
        } else {
            Err(PyErr::fetch(object.py()))
        }
    }
}
