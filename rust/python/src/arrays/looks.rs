//! What a plain array looks like, to see quickly that nothing has changed: at nearly every step nearly all arrays
//! look as they did before.

use numpy::PyUntypedArray;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE, PyArrayObject};
use pyo3::PyTypeInfo;
use pyo3::ffi::Py_TYPE;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::fields::Fields;

/// Arrays of more axes are looked at slowly.
const AXES: usize = 4;

/// The dtype, the shape and the strides of a plain ndarray.
pub(super) struct Look {
    /// The type `ndarray`: to ask for it takes as long as half of a look.
    class: Py<PyType>,
    /// The dtype object; held, so that no other one has its address.
    descr: Py<PyAny>,
    nd: usize,
    shape: [isize; AXES],
    strides: [isize; AXES],
}

/// Where an array that looks the same has its memory.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) data: *mut u8,
    flags: i32,
}

impl Seen {
    pub(super) fn is_writeable(self) -> bool {
        self.flags & NPY_ARRAY_WRITEABLE != 0
    }

    pub(super) fn is_aligned(self) -> bool {
        self.flags & NPY_ARRAY_ALIGNED != 0
    }
}

impl Look {
    /// None if the array has too many axes.
    pub(super) fn of(array: &Bound<'_, PyAny>) -> Option<Self> {
        let Fields { shape, strides, .. } = Fields::of(array)?;
        if shape.len() > AXES {
            return None;
        }
        // SAFETY: it is an ndarray, which holds its dtype.
        let descr = unsafe {
            let descr = (*array.as_ptr().cast::<PyArrayObject>()).fields.descr;
            Bound::from_borrowed_ptr(array.py(), descr.cast()).unbind()
        };
        let class = PyUntypedArray::type_object(array.py()).unbind();
        let mut look = Self { class, descr, nd: shape.len(), shape: [0; AXES], strides: [0; AXES] };
        look.shape[..shape.len()].copy_from_slice(shape);
        look.strides[..shape.len()].copy_from_slice(strides);
        Some(look)
    }

    /// None if it is no plain ndarray, or looks otherwise.
    #[inline(always)]
    pub(super) fn find(&self, array: &Bound<'_, PyAny>) -> Option<Seen> {
        let pointer = array.as_ptr();
        // SAFETY: we are attached, and the pointer is a live object.
        if unsafe { Py_TYPE(pointer) }.cast() != self.class.as_ptr() {
            return None;
        }
        // SAFETY: it is an ndarray, whose struct starts with these fields in NumPy 1 and 2; NumPy keeps `dimensions` and
        // `strides` valid for `nd` entries.
        unsafe {
            let fields = &(*pointer.cast::<PyArrayObject>()).fields;
            let same = fields.nd as usize == self.nd
                && fields.descr.cast() == self.descr.as_ptr()
                && (0..self.nd).all(|i| {
                    *fields.dimensions.add(i) == self.shape[i] && *fields.strides.add(i) == self.strides[i]
                });
            same.then(|| Seen { data: fields.data.cast(), flags: fields.flags })
        }
    }
}
