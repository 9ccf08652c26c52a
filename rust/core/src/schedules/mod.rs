//! Learning-rate schedules: pure functions from the number of updates done to a float.
//!
//! A schedule is a struct of its checked parameters with one `value(t)`. It has no state and no
//! "current" anything, so resuming at any `t` is exact. Every boundary is an integer compared with an
//! integer, and past its end a schedule holds its last value exactly.

mod blocks;
mod compositions;
mod curve;
mod decays;
mod evaluation;
mod joins;
mod milestones;
mod opaque;
mod phases;
mod raised_cosine;
mod waves;

pub use compositions::{Clip, Every, Power, Product, Repeat, Shift, Stride, Sum};
pub use curve::{Curve, Formula, LAST_STEP, Schedule};
pub use decays::{
    Constant, Exponential, ExponentialRate, InverseSqrt, InverseTime, Linear, Polynomial, StepDecay,
};
pub use evaluation::{CHUNK, Nested, fill_checked, fill_parallel};
pub use joins::{Cooldown, Join, Warmup};
pub use milestones::{Interpolated, MultiStep, Piecewise, Table};
pub use opaque::Opaque;
pub use phases::{OneCycle, WarmupStableDecay};
pub use waves::{Cosine, CosineRestarts, Cyclic};

#[cfg(test)]
mod tests;
