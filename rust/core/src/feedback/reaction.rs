//! What a reaction is.

use crate::error::BadValue;

/// What can be observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A loss or another metric, told by the user.
    Loss,
    /// The global norm of a step's gradients, told by the optimizer before the update.
    GradNorm,
    /// The same, before anything else is observed of a step: what sees it may have the step skipped.
    Guard,
}

/// What is to become of a step after an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Go,
    Skip,
}

/// How a schedule reacts to a signal, with `N` numbers of state.
pub trait Reaction<const N: usize>: Send + Sync {
    const STATE: [&'static str; N];
    const SIGNAL: Signal;

    /// The state before the first observation, which leaves the schedule as it is. What no observation has
    /// given yet is infinite.
    fn start(&self) -> [f64; N];

    /// Checks a state that comes from outside.
    fn check(&self, state: [f64; N]) -> Result<(), BadValue>;

    /// The state after a finite observation.
    fn observe(&self, state: [f64; N], seen: f64) -> Result<[f64; N], BadValue>;

    /// The value, where the schedule alone would have `scheduled`.
    fn value(&self, scheduled: f64, state: [f64; N]) -> f64;
}
