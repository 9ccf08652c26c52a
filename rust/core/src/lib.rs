//! The numeric core of gradstep. No Python in it.

pub mod error;
pub mod schedules;
pub mod simd;
pub mod threads;
