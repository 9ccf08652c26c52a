//! The number of threads for those who find the compiled library by its symbols, as threadpoolctl does.

use std::ffi::c_int;

use super::counts::{num_threads, set_num_threads};

/// How many threads a step may use.
#[unsafe(no_mangle)]
pub(super) extern "C" fn gradstep_get_num_threads() -> c_int {
    num_threads() as c_int
}

/// Sets it, and returns 0; anything else if it is out of range, and nothing was changed.
#[unsafe(no_mangle)]
pub(super) extern "C" fn gradstep_set_num_threads(n: c_int) -> c_int {
    c_int::from(set_num_threads(i64::from(n)).is_err())
}
