//! What other libraries tell of an array by DLPack: the structs of its C interface, and what is read off them.
//!
//! # Rationale
//! Every library of tensors speaks DLPack, and an object that does says all that there is to check: where its memory is
//! and on which device, the dtype, the shape and the strides. Nothing of another library is linked or imported.

use gradstep_core::dtypes::{Dtype, GradDtype};
use numpy::PyUntypedArray;
use numpy::npyffi::{self, NPY_ARRAY_WRITEABLE, NPY_TYPES, PyArrayObject};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use std::slice;

use super::layouts::Layout;

/// The newest version of the interface that is known here.
pub(super) const VERSION: (u32, u32) = (1, 3);

/// `DLTensor`, without the promise that its memory stays.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct RawTensor {
    data: *mut u8,
    device: Device,
    ndim: i32,
    dtype: DataType,
    shape: *const i64,
    /// In elements; null where they lie in C order, in old versions.
    strides: *const i64,
    byte_offset: u64,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Device {
    kind: i32,
    id: i32,
}

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Version {
    pub(super) major: u32,
    minor: u32,
}

const FLOAT: u8 = 2;
const BFLOAT: u8 = 4;
const COMPLEX: u8 = 5;

impl Device {
    /// Whether the processor reads the memory: its own, or that of others which is pinned for them.
    pub(super) fn is_cpu(self) -> bool {
        Self::is_cpu_kind(self.kind)
    }

    pub(super) fn is_cpu_kind(kind: i32) -> bool {
        matches!(kind, 1 | 3 | 11)
    }
}

impl DataType {
    /// That of a layout's elements.
    fn of(layout: &Layout) -> Self {
        let bits = 8 * layout.dtype.size() as u8;
        let (code, bits) = if layout.complex { (COMPLEX, 2 * bits) } else { (FLOAT, bits) };
        Self { code, bits, lanes: 1 }
    }

    pub(super) fn is_bfloat16(self) -> bool {
        self == Self { code: BFLOAT, bits: 16, lanes: 1 }
    }

    /// As the core reads it in a gradient.
    fn of_gradient(self) -> Option<GradDtype> {
        match (self.code, self.bits, self.lanes) {
            (FLOAT, 16, 1) => Some(GradDtype::Float16),
            (FLOAT, 32, 1) => Some(Dtype::F32.into()),
            (FLOAT, 64, 1) => Some(Dtype::F64.into()),
            (BFLOAT, 16, 1) => Some(GradDtype::Bfloat16),
            _ => None,
        }
    }

    /// NumPy's dtype of the same elements; of bfloat16, for which it has none, that of the bits.
    fn type_num(self) -> Option<NPY_TYPES> {
        match (self.code, self.bits, self.lanes) {
            (FLOAT, 16, 1) => Some(NPY_TYPES::NPY_HALF),
            (FLOAT, 32, 1) => Some(NPY_TYPES::NPY_FLOAT),
            (FLOAT, 64, 1) => Some(NPY_TYPES::NPY_DOUBLE),
            (COMPLEX, 64, 1) => Some(NPY_TYPES::NPY_CFLOAT),
            (COMPLEX, 128, 1) => Some(NPY_TYPES::NPY_CDOUBLE),
            (BFLOAT, 16, 1) => Some(NPY_TYPES::NPY_USHORT),
            _ => None,
        }
    }

    /// As errors call it.
    pub(super) fn name(self) -> String {
        let kind = ["int", "uint", "float", "an opaque type of ", "bfloat", "complex", "bool"];
        match kind.get(usize::from(self.code)) {
            Some(&"bool") if self.lanes == 1 => "bool".to_owned(),
            Some(kind) if self.lanes == 1 => format!("{kind}{}", self.bits),
            _ => format!("the type {} of DLPack", self.code),
        }
    }
}

impl RawTensor {
    /// To be filled in by another library.
    pub(super) fn empty() -> Self {
        let (device, dtype) = (Device { kind: 0, id: 0 }, DataType { code: 0, bits: 0, lanes: 0 });
        let (data, shape, strides) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
        Self { data, device, ndim: 0, dtype, shape, strides, byte_offset: 0 }
    }

    pub(super) fn device(&self) -> Device {
        self.device
    }

    pub(super) fn dtype(&self) -> DataType {
        self.dtype
    }

    /// Where the first element is.
    pub(super) fn data(&self) -> *mut u8 {
        self.data.wrapping_add(self.byte_offset as usize)
    }

    /// # Safety
    /// The tensor was filled in by a library that keeps the interface, and its owner lives.
    #[inline(always)]
    unsafe fn axes(&self) -> (&[i64], Option<&[i64]>) {
        let axes = |pointer: *const i64| {
            if self.ndim <= 0 {
                return &[][..];
            }
            // SAFETY: the caller's; DLPack has `ndim` entries there.
            unsafe { slice::from_raw_parts(pointer, self.ndim as usize) }
        };
        let strides = (!self.strides.is_null() || self.ndim <= 0).then(|| axes(self.strides));
        (axes(self.shape), strides)
    }

    /// Whether the processor finds there what the layout says, in the same order and aligned.
    ///
    /// # Safety
    /// As of `axes`.
    #[inline(always)]
    pub(super) unsafe fn is_like(&self, layout: &Layout) -> bool {
        // SAFETY: the caller's.
        self.dtype == DataType::of(layout) && unsafe { self.lies_like(layout, layout.dtype.size()) }
    }

    /// The dtype of what is otherwise as the layout says, if the core can read that.
    ///
    /// # Safety
    /// As of `axes`.
    pub(super) unsafe fn likeness(&self, layout: &Layout) -> Option<GradDtype> {
        let dtype = self.dtype.of_gradient().filter(|_| !layout.complex)?;
        // SAFETY: the caller's.
        unsafe { self.lies_like(layout, dtype.size()) }.then_some(dtype)
    }

    /// Whether the elements, aligned to so many bytes, are in the layout's order.
    ///
    /// # Safety
    /// As of `axes`.
    #[inline(always)]
    unsafe fn lies_like(&self, layout: &Layout, alignment: usize) -> bool {
        // SAFETY: the caller's.
        let (shape, Some(strides)) = (unsafe { self.axes() }) else { return false };
        let size = layout.itemsize() as i64;
        self.device.is_cpu()
            && shape.len() == layout.shape.len()
            && shape.iter().zip(&layout.shape).all(|(&a, &b)| a == b as i64)
            && (layout.len == 0
                || (self.data() as usize).is_multiple_of(alignment)
                    && strides
                        .iter()
                        .zip(shape)
                        .zip(&layout.strides)
                        .all(|((&a, &n), &b)| n == 1 || a.wrapping_mul(size) == b as i64))
    }

    /// An ndarray of the same memory, which keeps `owner` alive. The bits of bfloat16 are in one of uint16. None if NumPy
    /// has no such dtype.
    ///
    /// # Safety
    /// As of `axes`; the memory is there while the owner is, the processor reads it, and writes it if `writeable`.
    pub(super) unsafe fn array<'py>(
        &self,
        py: Python<'py>,
        owner: Bound<'py, PyAny>,
        writeable: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(dtype) = self.dtype.type_num() else { return Ok(None) };
        let size = isize::from(self.dtype.bits) / 8;
        // SAFETY: the caller's.
        let (shape, strides) = unsafe { self.axes() };
        let mut dims: Vec<isize> = shape.iter().map(|&n| n as isize).collect();
        let mut apart = vec![size; dims.len()];
        for axis in (0..dims.len()).rev() {
            apart[axis] = match strides {
                Some(strides) => strides[axis] as isize * size,
                None if axis + 1 < dims.len() => apart[axis + 1] * dims[axis + 1],
                None => size,
            };
        }
        if dims.contains(&0) {
            // There is no memory, and NumPy takes none for a null pointer.
            return Ok(Some(py.import("numpy")?.call_method1("empty", (dims, dtype_letter(dtype)))?));
        }
        // SAFETY: we are attached. The memory is the caller's, and the owner becomes the base. The call takes over the
        // reference to the dtype and copies shape and strides; it returns a new reference, or null with an exception set.
        // `SetBaseObject` takes over the reference to the owner, whatever it returns.
        unsafe {
            let array = npyffi::PY_ARRAY_API.PyArray_NewFromDescr(
                py,
                PyUntypedArray::type_object_raw(py),
                npyffi::PY_ARRAY_API.PyArray_DescrFromType(py, dtype as i32),
                dims.len() as i32,
                dims.as_mut_ptr(),
                apart.as_mut_ptr(),
                self.data().cast(),
                if writeable { NPY_ARRAY_WRITEABLE } else { 0 },
                std::ptr::null_mut(),
            );
            let view = Bound::from_owned_ptr_or_err(py, array)?;
            let base = owner.into_ptr();
            if npyffi::PY_ARRAY_API.PyArray_SetBaseObject(py, array.cast::<PyArrayObject>(), base) < 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(Some(view))
        }
    }
}

fn dtype_letter(dtype: NPY_TYPES) -> &'static str {
    match dtype {
        NPY_TYPES::NPY_HALF => "e",
        NPY_TYPES::NPY_DOUBLE => "d",
        NPY_TYPES::NPY_CFLOAT => "F",
        NPY_TYPES::NPY_CDOUBLE => "D",
        NPY_TYPES::NPY_USHORT => "H",
        _ => "f",
    }
}
