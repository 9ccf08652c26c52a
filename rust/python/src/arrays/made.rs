//! The ndarrays that we make.

use numpy::PyUntypedArray;
use numpy::npyffi::{self, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_WRITEABLE, NPY_TYPES, PyArrayObject};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;

use super::fields::Fields;
use super::forms::Form;
use super::layouts::Layout;
use crate::errors::value_error;

/// Of the largest float.
const ALIGNMENT: usize = 8;

/// Memory for many arrays, all zeros at first. The arrays in it are views that keep it alive.
pub(crate) struct Room {
    owner: Py<PyAny>,
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the pointer is into the owner's memory, and only compared and handed on.
unsafe impl Send for Room {}
// SAFETY: as above.
unsafe impl Sync for Room {}

impl Room {
    pub(crate) fn new(py: Python<'_>, bytes: usize) -> PyResult<Self> {
        let owner = zeros(py, NPY_TYPES::NPY_UBYTE, &[bytes as isize])?;
        let start = Fields::of(&owner).expect("an array").data;
        Ok(Self { owner: owner.unbind(), start, bytes })
    }

    /// The memory of an array of bytes.
    pub(super) fn of(array: &Bound<'_, PyAny>, bytes: usize) -> PyResult<Self> {
        let fields = Fields::of(array).filter(|fields| {
            fields.len() == bytes
                && fields.strides == [1]
                && fields.has(NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_WRITEABLE)
                && (fields.data as usize).is_multiple_of(ALIGNMENT)
        });
        let Some(fields) = fields else {
            return Err(value_error(format!("an array of {bytes} bytes that can be written to is wanted")));
        };
        Ok(Self { start: fields.data, owner: array.clone().unbind(), bytes })
    }

    pub(super) fn start(&self) -> *mut u8 {
        self.start
    }

    /// From its first byte to that after its last.
    pub(super) fn stretch(&self) -> (usize, usize) {
        (self.start as usize, self.start as usize + self.bytes)
    }

    /// The pointer to an address inside.
    pub(super) fn at(&self, address: usize) -> *mut u8 {
        self.start.wrapping_add(address - self.start as usize)
    }

    /// An array of that form whose memory begins at `data`, which is inside.
    pub(super) fn view<'py>(
        &self,
        py: Python<'py>,
        data: *mut u8,
        form: &Form,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = (data as usize).checked_sub(self.start as usize);
        assert!(at.and_then(|at| at.checked_add(form.bytes)).is_some_and(|end| end <= self.bytes));
        let (mut shape, mut strides) = (form.shape.clone(), form.strides.clone());
        // SAFETY: we are attached. A dense form stays inside its bytes, which are inside the owner's memory; the
        // owner becomes the view's base. The call takes over the reference to the dtype and copies shape and
        // strides; it returns a new reference, or null with an exception set.
        unsafe {
            let array = npyffi::PY_ARRAY_API.PyArray_NewFromDescr(
                py,
                PyUntypedArray::type_object_raw(py),
                npyffi::PY_ARRAY_API.PyArray_DescrFromType(py, form.element.type_num() as i32),
                shape.len() as i32,
                shape.as_mut_ptr(),
                strides.as_mut_ptr(),
                data.cast(),
                NPY_ARRAY_WRITEABLE,
                std::ptr::null_mut(),
            );
            let view = Bound::from_owned_ptr_or_err(py, array)?;
            let base = self.owner.clone_ref(py).into_ptr();
            if npyffi::PY_ARRAY_API.PyArray_SetBaseObject(py, array.cast::<PyArrayObject>(), base) < 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(view)
        }
    }
}

/// An array of its own in that layout, which holds nothing of meaning.
pub(super) fn empty<'py>(py: Python<'py>, layout: &Layout) -> PyResult<Bound<'py, PyAny>> {
    empty_of(py, Form::of(layout))
}

/// The same in that form.
pub(super) fn empty_of(py: Python<'_>, form: Form) -> PyResult<Bound<'_, PyAny>> {
    let Form { element, mut shape, mut strides, .. } = form;
    // SAFETY: we are attached. A dense form fills just the memory that the call allocates. It takes over the reference
    // to the dtype, copies shape and strides, and returns a new reference, or null with an exception set.
    unsafe {
        let array = npyffi::PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            PyUntypedArray::type_object_raw(py),
            npyffi::PY_ARRAY_API.PyArray_DescrFromType(py, element.type_num() as i32),
            shape.len() as i32,
            shape.as_mut_ptr(),
            strides.as_mut_ptr(),
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, array)
    }
}

/// A copy without gaps, in the memory order of what is copied as far as that has one.
pub(crate) fn dense<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    array.call_method1("copy", ("K",))
}

/// A float64 array in C order.
pub(crate) fn doubles<'py>(py: Python<'py>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let shape: Vec<_> = shape.iter().map(|&n| n as isize).collect();
    zeros(py, NPY_TYPES::NPY_DOUBLE, &shape)
}

/// An array of zeros in C order.
fn zeros<'py>(py: Python<'py>, dtype: NPY_TYPES, shape: &[isize]) -> PyResult<Bound<'py, PyAny>> {
    let mut shape = shape.to_vec();
    // SAFETY: we are attached. The call takes over the reference to the dtype and returns a new reference, or null
    // with an exception set.
    unsafe {
        let descr = npyffi::PY_ARRAY_API.PyArray_DescrFromType(py, dtype as i32);
        let (nd, dims) = (shape.len() as i32, shape.as_mut_ptr());
        Bound::from_owned_ptr_or_err(py, npyffi::PY_ARRAY_API.PyArray_Zeros(py, nd, dims, descr, 0))
    }
}

/// `np.copyto(target, source, casting="unsafe")`.
pub(crate) fn copy(target: &Bound<'_, PyAny>, source: &Bound<'_, PyAny>) -> PyResult<()> {
    let (to, from) = (target.as_ptr().cast(), source.as_ptr().cast());
    // SAFETY: both are live ndarrays, and we are attached.
    if unsafe { npyffi::PY_ARRAY_API.PyArray_CopyInto(target.py(), to, from) } < 0 {
        return Err(PyErr::fetch(target.py()));
    }
    Ok(())
}
