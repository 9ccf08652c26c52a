//! Memory for what cannot be refused.
//!
//! # Rationale
//! Where memory is short, small allocations of Rust and of PyO3 end the process or panic; a MemoryError is what a
//! user of Python can live with. Before work that makes many small things, so much memory is asked for at once
//! in a way that can be refused, and given back.

use pyo3::prelude::*;

use crate::errors::memory_error;

/// From so many things on it is worth asking.
const MANY: usize = 1000;

/// What the allocators take from the system at once.
const GRAIN: usize = 4 << 20;

/// Called for each thing, with how many there were before it: asks for room for the next ones now and then.
pub(crate) fn ensure_next(before: usize, bytes: usize) -> PyResult<()> {
    if before % MANY == MANY - 1 { ensure(MANY, bytes) } else { Ok(()) }
}

/// MemoryError unless there is room for `count` things of about so many bytes each.
pub(crate) fn ensure(count: usize, bytes: usize) -> PyResult<()> {
    if count < MANY {
        return Ok(());
    }
    Vec::<u8>::new()
        .try_reserve_exact(count.saturating_mul(bytes).saturating_add(GRAIN))
        .map_err(memory_error)
}
