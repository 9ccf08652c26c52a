//! The numeric core of gradstep: update rules, schedules, and the passes over memory. No Python in it.
//!
//! Data flow of one step: [`plans`] cuts all tensors into chunks, which [`machine::threads`] shares out; for
//! each chunk [`memory`] lends the slices, [`intake`] brings the gradient into shape for the [`stages`], and
//! [`kernel`] is the one loop that reads `p, g, state` and writes `p, state` by a [`rule`], compiled for each
//! tier of [`machine::simd`].

pub mod after;
mod aligned;
pub mod codecs;
pub mod dtypes;
pub mod error;
pub mod feedback;
pub mod floats;
pub mod floor;
mod gather;
mod intake;
pub mod kernel;
mod loops;
pub mod machine;
pub mod memory;
pub mod numbers;
pub mod passes;
pub mod plans;
pub mod ranges;
pub mod rows;
pub mod rule;
pub mod rules;
pub mod schedules;
pub mod scratch;
pub mod spec;
mod staged;
pub mod stages;
mod stores;
pub mod sums;
