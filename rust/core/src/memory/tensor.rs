//! What a tensor is: where its arrays lie.

use crate::codecs::Format;
use crate::dtypes::Dtype;
use crate::rule::MAX_STATE;
use std::slice;

/// Where a parameter and its state lie, and what they are.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    pub dtype: Dtype,
    /// The number of elements of each of the arrays.
    pub len: usize,
    /// Which element of an array that others have the rest of is the first one here.
    pub first: usize,
    pub params: *mut u8,
    /// The first `slots` of them.
    pub state: [*mut u8; MAX_STATE],
    pub slots: usize,
    /// How the slots are kept that are not in the dtype of the parameter: a bit of `narrow` for each.
    pub format: Format,
    pub narrow: u8,
    /// Of each slot in blocks, their exponents.
    pub exponents: [*mut u8; MAX_STATE],
    /// The average of the parameter, or null.
    pub average: *mut u8,
    /// The sum of gradients that wait for their update, or null.
    pub accumulated: *mut u8,
    /// A copy of the parameter, of float32 in bfloat16, or null.
    pub copy: *mut u8,
}

// SAFETY: the pointers are only followed through `Tensors`, whose contract covers it.
unsafe impl Send for Tensor {}
// SAFETY: as above.
unsafe impl Sync for Tensor {}

impl Tensor {
    /// Without state as yet.
    pub fn new(dtype: Dtype, len: usize, params: *mut u8) -> Self {
        let null = std::ptr::null_mut();
        Self {
            dtype,
            len,
            first: 0,
            params,
            state: [null; MAX_STATE],
            slots: 0,
            format: Format::Whole,
            narrow: 0,
            exponents: [null; MAX_STATE],
            average: null,
            accumulated: null,
            copy: null,
        }
    }
}

/// Elements `at` to `at + len` of an array that begins there.
///
/// # Safety
/// They are there, aligned for `T`, and nobody else has them while the slice lives.
#[inline(always)]
pub(super) unsafe fn stretch<'a, T>(array: *mut u8, at: usize, len: usize) -> &'a mut [T] {
    // SAFETY: what the caller vouches for.
    unsafe { slice::from_raw_parts_mut(array.cast::<T>().add(at), len) }
}
