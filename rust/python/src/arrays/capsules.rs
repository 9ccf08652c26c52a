//! Arrays of other libraries, which hand out a capsule of their memory: `__dlpack__`.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi::{self, PyCapsule_GetPointer, PyCapsule_IsValid};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::dlpack::{Device, RawTensor, VERSION, Version};
use crate::errors::{a_type, type_error, value_error};

/// `DLManagedTensorVersioned` as far as it is read.
#[repr(C)]
struct Versioned {
    version: Version,
    _context: *mut u8,
    _deleter: *mut u8,
    flags: u64,
    tensor: RawTensor,
}

const READ_ONLY: u64 = 1;
const COPIED: u64 = 2;

/// What was given by another library.
pub(super) struct Imported<'py> {
    /// An ndarray of the memory, which keeps it; of bfloat16, its bits.
    pub(super) array: Bound<'py, PyAny>,
    pub(super) is_bfloat16: bool,
}

/// Whether an object speaks DLPack. Numbers and containers are asked for in vain, and so asked last.
pub(crate) fn speaks_dlpack(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.getattr_opt(intern!(object.py(), "__dlpack__"))?.is_some_and(|method| method.is_callable()))
}

/// The memory of an array as a parameter, which may be written to.
pub(crate) fn writable_import<'py>(object: &Bound<'py, PyAny>, label: &str) -> PyResult<Bound<'py, PyAny>> {
    let Imported { array, is_bfloat16 } = import(object, label, true)?;
    if is_bfloat16 {
        return Err(type_error(format!(
            "{label} has dtype bfloat16, not float32, float64, complex64 or complex128"
        )));
    }
    Ok(array)
}

/// The memory of an array that is read, or `writes` is asked for.
pub(super) fn import<'py>(object: &Bound<'py, PyAny>, label: &str, writes: bool) -> PyResult<Imported<'py>> {
    let py = object.py();
    let refused = |error: PyErr| {
        let refusal = value_error(format!(
            "{label}, {}, could not be read where it is: {}",
            a_type(object),
            error.value(py)
        ));
        refusal.set_cause(py, Some(error));
        refusal
    };
    let (kind, _): (i32, i32) = object
        .call_method0(intern!(py, "__dlpack_device__"))
        .and_then(|pair| pair.extract())
        .map_err(refused)?;
    if !Device::is_cpu_kind(kind) {
        return Err(type_error(format!(
            "{label} is {} on another device, number {kind} of DLPack; arrays on the CPU are wanted",
            a_type(object)
        )));
    }
    let options = PyDict::new(py);
    options.set_item("max_version", VERSION)?;
    let method = object.getattr(intern!(py, "__dlpack__"))?;
    let capsule = method.call((), Some(&options)).or_else(|error| {
        // As before there were versions.
        if error.is_instance_of::<PyTypeError>(py) { method.call0() } else { Err(error) }
    });
    let capsule = capsule.map_err(refused)?;
    let pointer = capsule.as_ptr();
    // SAFETY: we are attached, the object lives, and the names end in a null byte. A capsule of one of these names holds
    // what DLPack says, and has not been taken by others, who would have changed the name. We do not take it either: it
    // stays the owner of the memory, and gives it back when it goes, as one does that nobody has taken.
    let (tensor, flags) = unsafe {
        if PyCapsule_IsValid(pointer, c"dltensor_versioned".as_ptr()) == 1 {
            let held = &*PyCapsule_GetPointer(pointer, c"dltensor_versioned".as_ptr()).cast::<Versioned>();
            if held.version.major != VERSION.0 {
                let major = held.version.major;
                return Err(value_error(format!(
                    "{label} speaks version {major} of DLPack, not {}",
                    VERSION.0
                )));
            }
            (held.tensor, Some(held.flags))
        } else if PyCapsule_IsValid(pointer, c"dltensor".as_ptr()) == 1 {
            (*PyCapsule_GetPointer(pointer, c"dltensor".as_ptr()).cast::<RawTensor>(), None)
        } else {
            ffi::PyErr_Clear();
            return Err(type_error(format!(
                "{label} is {}, whose __dlpack__ gives no capsule",
                a_type(object)
            )));
        }
    };
    if writes {
        let why = match flags {
            None => Some("its library does not say whether it may be changed (DLPack before version 1)"),
            Some(flags) if flags & READ_ONLY != 0 => Some("it is read-only"),
            Some(flags) if flags & COPIED != 0 => Some("its library gave a copy"),
            Some(_) => None,
        };
        if let Some(why) = why {
            return Err(value_error(format!(
                "{label} is {} that cannot be updated in place: {why}",
                a_type(object)
            )));
        }
    }
    if !tensor.device().is_cpu() {
        return Err(type_error(format!("{label} is {} on another device than it says", a_type(object))));
    }
    let dtype = tensor.dtype();
    // SAFETY: the capsule holds a tensor as DLPack has it, whose memory it keeps, for the processor to read; and to write
    // if it is versioned, not read-only and no copy.
    let array = unsafe { tensor.array(py, capsule, writes)? };
    let Some(array) = array else {
        let wanted = if writes { "float32, float64, complex64 or complex128" } else { "a float dtype" };
        return Err(type_error(format!("{label} has dtype {}, not {wanted}", dtype.name())));
    };
    Ok(Imported { array, is_bfloat16: dtype.is_bfloat16() })
}
