//! What an array of ours is like: its elements, and how they lie.

use gradstep_core::codecs::float8;
use gradstep_core::dtypes::Dtype;
use numpy::npyffi::NPY_TYPES;

use super::layouts::{Layout, dtype_name};

/// The elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Float(Dtype),
    Complex(Dtype),
    /// The upper halves of float32.
    Half,
    /// Codes of 8 bits, with a sign or without.
    Code {
        signed: bool,
    },
    Exponent,
}

impl Element {
    /// As NumPy calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Float(dtype) => dtype_name(dtype, false),
            Self::Complex(dtype) => dtype_name(dtype, true),
            Self::Half => "uint16",
            Self::Code { signed: true } => "int8",
            Self::Code { signed: false } | Self::Exponent => "uint8",
        }
    }

    pub(super) fn type_num(self) -> NPY_TYPES {
        match self {
            Self::Float(Dtype::F32) => NPY_TYPES::NPY_FLOAT,
            Self::Float(Dtype::F64) => NPY_TYPES::NPY_DOUBLE,
            Self::Complex(Dtype::F32) => NPY_TYPES::NPY_CFLOAT,
            Self::Complex(Dtype::F64) => NPY_TYPES::NPY_CDOUBLE,
            Self::Half => NPY_TYPES::NPY_USHORT,
            Self::Code { signed: true } => NPY_TYPES::NPY_BYTE,
            Self::Code { signed: false } | Self::Exponent => NPY_TYPES::NPY_UBYTE,
        }
    }

    /// Those of an array of such elements beside a parameter.
    pub(super) fn bytes_beside(self, layout: &Layout) -> usize {
        let len = layout.bytes() / layout.itemsize();
        if self == Self::Exponent { len.div_ceil(float8::BLOCK) } else { len * self.size() }
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::Float(dtype) => dtype.size(),
            Self::Complex(dtype) => 2 * dtype.size(),
            Self::Half => 2,
            Self::Code { .. } | Self::Exponent => 1,
        }
    }
}

/// A dense array: its elements, its shape, and its strides in bytes.
pub(crate) struct Form {
    pub(crate) element: Element,
    pub(crate) shape: Box<[isize]>,
    pub(crate) strides: Box<[isize]>,
    pub(crate) bytes: usize,
}

impl Form {
    /// That of a parameter.
    pub(super) fn of(layout: &Layout) -> Self {
        let element =
            if layout.complex { Element::Complex(layout.dtype) } else { Element::Float(layout.dtype) };
        Self::like(layout, element)
    }

    /// Elements in the order of a parameter's; in blocks, the exponents of these.
    pub(super) fn like(layout: &Layout, element: Element) -> Self {
        let bytes = element.bytes_beside(layout);
        if element == Element::Exponent {
            return Self { element, shape: [bytes as isize].into(), strides: [1].into(), bytes };
        }
        let (from, to) = (layout.itemsize() as isize, element.size() as isize);
        Self {
            element,
            shape: layout.shape.clone(),
            strides: layout.strides.iter().map(|stride| stride / from * to).collect(),
            bytes,
        }
    }
}
