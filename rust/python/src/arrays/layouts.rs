//! How the elements of an array lie in memory, and in which order those of another array lie beside them.

use gradstep_core::dtypes::{Dtype, GradDtype};
use gradstep_core::memory::Order;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_TYPES};

use super::fields::Fields;

/// The dtype, the shape and the strides (in bytes) that a parameter was found with.
pub(crate) struct Layout {
    /// That of a float; a complex number is a pair of them.
    pub(crate) dtype: Dtype,
    pub(crate) complex: bool,
    /// The number of floats.
    pub(crate) len: usize,
    pub(crate) shape: Box<[isize]>,
    pub(crate) strides: Box<[isize]>,
}

impl Layout {
    pub(crate) fn of(fields: &Fields<'_>, dtype: Dtype, complex: bool) -> Self {
        let len = fields.len() * if complex { 2 } else { 1 };
        Self { dtype, complex, len, shape: fields.shape.into(), strides: fields.strides.into() }
    }

    /// As NumPy calls it.
    pub(crate) fn dtype_name(&self) -> &'static str {
        dtype_name(self.dtype, self.complex)
    }

    pub(crate) fn has_dtype(&self, fields: &Fields<'_>) -> bool {
        fields.numbers() == Some((self.dtype, self.complex))
    }

    /// The same order of elements in another dtype.
    pub(crate) fn in_dtype(&self, dtype: Dtype) -> Self {
        let (from, to) = (self.dtype.size() as isize, dtype.size() as isize);
        let strides = self.strides.iter().map(|stride| stride / from * to).collect();
        Self { dtype, complex: self.complex, len: self.len, shape: self.shape.clone(), strides }
    }

    /// Bytes of an element.
    pub(crate) fn itemsize(&self) -> usize {
        self.dtype.size() * if self.complex { 2 } else { 1 }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.len * self.dtype.size()
    }

    /// Whether an array of this shape and dtype has its elements in the same order, index by index.
    #[inline]
    pub(crate) fn has_strides(&self, strides: &[isize]) -> bool {
        same_order(&self.shape, &self.strides, strides)
    }

    /// The dtype and the order of a gradient of this shape, if the core can read it where it is.
    #[inline]
    pub(crate) fn order_of(&self, gradient: &Fields<'_>) -> Option<(GradDtype, Order)> {
        let (dtype, complex) = gradient.gradient()?;
        if !gradient.has(NPY_ARRAY_ALIGNED) || complex != self.complex {
            return None;
        }
        if dtype == self.dtype.into() && self.has_strides(gradient.strides) {
            return Some((dtype, Order::Same));
        }
        if complex {
            return None;
        }
        Some((dtype, self.order(gradient.strides, dtype.size() as isize)?))
    }

    /// The same of an array that holds the bits of bfloat16 as integers.
    pub(super) fn order_of_bits(&self, bits: &Fields<'_>) -> Option<(GradDtype, Order)> {
        if self.complex || !bits.holds(NPY_TYPES::NPY_USHORT) || !bits.has(NPY_ARRAY_ALIGNED) {
            return None;
        }
        let dtype = GradDtype::Bfloat16;
        Some((dtype, self.order(bits.strides, dtype.size() as isize)?))
    }

    /// The order of an array with these strides, if it has at most two axes when those that lie together are
    /// taken as one.
    fn order(&self, strides: &[isize], size: isize) -> Option<Order> {
        if self.len == 0 {
            return Some(Order::Same);
        }
        // From the innermost axis outwards: a number of elements, and how far apart they are.
        let mut merged: Vec<(usize, isize)> = Vec::new();
        for axis in outwards(&self.strides).into_iter().filter(|&axis| self.shape[axis] != 1) {
            let (n, stride) = (self.shape[axis], strides[axis]);
            if stride % size != 0 {
                return None;
            }
            match merged.last_mut() {
                Some((count, apart)) if *apart * *count as isize == stride / size => *count *= n as usize,
                _ => merged.push((n as usize, stride / size)),
            }
        }
        match merged[..] {
            [] | [(_, 1)] => Some(Order::Same),
            [(columns, column)] => Some(Order::Strided { columns, row: 0, column }),
            [(columns, column), (_, row)] => Some(Order::Strided { columns, row, column }),
            _ => None,
        }
    }
}

pub(super) fn dtype_name(dtype: Dtype, complex: bool) -> &'static str {
    match (dtype, complex) {
        (Dtype::F32, true) => "complex64",
        (Dtype::F64, true) => "complex128",
        (dtype, false) => dtype.name(),
    }
}

/// Whether two arrays of that shape with these strides have their elements in the same order.
#[inline]
pub(super) fn same_order(shape: &[isize], a: &[isize], b: &[isize]) -> bool {
    same(a, b) || shape.iter().zip(a.iter().zip(b)).all(|(&n, (a, b))| n == 1 || a == b) || shape.contains(&0)
}

/// Equality of shapes and strides, which are short: without a call.
#[inline]
pub(super) fn same(a: &[isize], b: &[isize]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// Whether the elements fill their stretch of memory without gaps, in whatever order of axes.
pub(super) fn is_dense(fields: &Fields<'_>, size: usize) -> bool {
    let mut next = size as isize;
    fields.len() == 0
        || outwards(fields.strides).into_iter().filter(|&axis| fields.shape[axis] != 1).all(|axis| {
            let fits = fields.strides[axis] == next;
            next *= fields.shape[axis];
            fits
        })
}

/// The axes with these strides, from the innermost to the outermost. Where strides are equal the last axis is the
/// innermost, as in C order.
pub(super) fn outwards(strides: &[isize]) -> Vec<usize> {
    let mut axes: Vec<_> = (0..strides.len()).rev().collect();
    axes.sort_by_key(|&axis| strides[axis]);
    axes
}
