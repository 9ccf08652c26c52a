//! What the machine offers: instruction sets, threads, and the state of its floating-point unit.

pub mod control;
mod environment;
pub(crate) mod prefetch;
pub mod simd;
pub mod threads;
pub(crate) mod tiles;
