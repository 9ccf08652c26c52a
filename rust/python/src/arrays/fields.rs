//! What is read off an ndarray.
//!
//! # Rationale
//! rust-numpy's safe wrappers take a global lock for each array and, in `as_slice`, do not tell C from F order. A
//! step looks at hundreds of arrays, so the fields of the C struct are read directly.

use gradstep_core::dtypes::{Dtype, GradDtype};
use numpy::npyffi::{self, NPY_TYPES, PyArrayObject};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::slice;
use std::sync::atomic::{AtomicI32, Ordering};

/// The number that NumPy has given to the bfloat16 of `ml_dtypes`, once an array of it was seen.
static BFLOAT16: AtomicI32 = AtomicI32::new(-1);

/// Dtype, shape and strides (in bytes) of an array, and where its first element lies. Borrowed from the
/// array: not to be kept while Python code may run.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub(crate) data: *mut u8,
    pub(crate) shape: &'a [isize],
    pub(crate) strides: &'a [isize],
    /// Of a plain ndarray, not of a subclass.
    pub(crate) plain: bool,
    flags: i32,
    type_num: i32,
    native: bool,
}

impl<'a> Fields<'a> {
    /// None if `object` is no ndarray.
    #[inline]
    pub(crate) fn of(object: &'a Bound<'_, PyAny>) -> Option<Self> {
        let pointer = object.as_ptr();
        // SAFETY: we are attached to the interpreter, and the pointer is a live object.
        let plain = unsafe { npyffi::PyArray_CheckExact(object.py(), pointer) } != 0;
        // SAFETY: as above.
        if !plain && unsafe { npyffi::PyArray_Check(object.py(), pointer) } == 0 {
            return None;
        }
        // SAFETY: it is an ndarray, whose struct starts with these fields in NumPy 1 and 2. NumPy keeps
        // `dimensions` and `strides` valid for `nd` entries; for 0-d arrays they may be null.
        unsafe {
            let array = &(*pointer.cast::<PyArrayObject>()).fields;
            let descr = &(*array.descr).fields;
            let nd = array.nd as usize;
            let axes =
                |pointer: *const isize| if nd == 0 { &[][..] } else { slice::from_raw_parts(pointer, nd) };
            Some(Self {
                data: array.data.cast(),
                shape: axes(array.dimensions),
                strides: axes(array.strides),
                plain,
                flags: array.flags,
                type_num: descr.type_num,
                native: descr.byteorder as u8 != if cfg!(target_endian = "little") { b'>' } else { b'<' },
            })
        }
    }

    /// The dtype, if it is one that the core computes in, in native byte order.
    #[inline]
    pub(crate) fn dtype(&self) -> Option<Dtype> {
        match self.type_num {
            n if n == NPY_TYPES::NPY_FLOAT as i32 && self.native => Some(Dtype::F32),
            n if n == NPY_TYPES::NPY_DOUBLE as i32 && self.native => Some(Dtype::F64),
            _ => None,
        }
    }

    /// The same for what is a float or a pair of floats; and whether it is a pair: a complex number.
    pub(crate) fn numbers(&self) -> Option<(Dtype, bool)> {
        match self.type_num {
            n if n == NPY_TYPES::NPY_CFLOAT as i32 && self.native => Some((Dtype::F32, true)),
            n if n == NPY_TYPES::NPY_CDOUBLE as i32 && self.native => Some((Dtype::F64, true)),
            _ => self.dtype().map(|dtype| (dtype, false)),
        }
    }

    /// The dtype of a gradient, if the core can read it where it is.
    pub(super) fn gradient(&self) -> Option<(GradDtype, bool)> {
        match self.type_num {
            n if n == NPY_TYPES::NPY_HALF as i32 && self.native => Some((GradDtype::Float16, false)),
            n if n == BFLOAT16.load(Ordering::Relaxed) => Some((GradDtype::Bfloat16, false)),
            _ => self.numbers().map(|(dtype, complex)| (dtype.into(), complex)),
        }
    }

    /// From here on arrays of this dtype are known to be bfloat16.
    pub(super) fn know_bfloat16(&self) {
        // Those that others have made; one without a number of its own cannot be told again.
        if self.type_num >= NPY_TYPES::NPY_USERDEF as i32 {
            BFLOAT16.store(self.type_num, Ordering::Relaxed);
        }
    }

    /// Floats or complex numbers in the other byte order.
    pub(crate) fn is_swapped(&self) -> bool {
        use NPY_TYPES::{NPY_CDOUBLE, NPY_CFLOAT, NPY_DOUBLE, NPY_FLOAT};
        let kinds = [NPY_FLOAT, NPY_DOUBLE, NPY_CFLOAT, NPY_CDOUBLE];
        !self.native && kinds.iter().any(|&kind| kind as i32 == self.type_num)
    }

    /// Whether it has integers; booleans are none.
    pub(crate) fn is_integer(&self) -> bool {
        (NPY_TYPES::NPY_BYTE as i32..=NPY_TYPES::NPY_ULONGLONG as i32).contains(&self.type_num)
    }

    /// NumPy's number of the dtype.
    pub(super) fn type_num(&self) -> i32 {
        self.type_num
    }

    /// Whether its numbers are in the byte order of this machine.
    pub(super) fn is_native(&self) -> bool {
        self.native
    }

    /// Whether it holds elements of that kind, in native byte order.
    pub(super) fn holds(&self, kind: NPY_TYPES) -> bool {
        self.native && self.type_num == kind as i32
    }

    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product::<isize>() as usize
    }

    /// Whether it has a flag, such as `NPY_ARRAY_WRITEABLE`.
    #[inline]
    pub(crate) fn has(&self, flag: i32) -> bool {
        self.flags & flag != 0
    }
}

/// How many references there are to an object.
pub(crate) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: we are attached, and the pointer is a live object.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// Whether an object is a masked array. Runs no Python code: by its type, since `isinstance` would ask for
/// `__class__`; and without an import, since there is no masked array while nobody has imported their module.
pub(crate) fn is_masked(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if Fields::of(object).is_none_or(|fields| fields.plain) {
        return Ok(false);
    }
    let modules = object.py().import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    let Some(ma) = modules.get_item("numpy.ma")? else { return Ok(false) };
    object.get_type().is_subclass(&ma.getattr("MaskedArray")?)
}
