//! The numeric core of gradstep: update rules, schedules, and the sweep over memory. No Python in it.
//!
//! Data flow of one step: [`plans`] cuts all tensors into chunks; for each chunk, [`groups`] picks the
//! rule and the dtype; [`elements`] is the one loop that reads `p, g, state` and writes `p, state`,
//! compiled for each tier of [`simd`]; [`threads`] shares the chunks out.

pub mod elements;
pub mod error;
pub mod feedback;
pub mod floats;
pub mod groups;
pub mod limits;
pub mod norms;
pub mod plans;
pub mod ranges;
pub mod rules;
pub mod schedules;
pub mod simd;
pub mod threads;
