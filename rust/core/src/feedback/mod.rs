//! Schedules that react to training: a schedule, a small state, and a reaction to what was observed.
//!
//! As with the update rules, a reaction is pure: from state and observation to the new state, and from
//! state and scheduled value to the value. The state itself lives in one place, [`Adaptive`].

mod adaptive;
mod grad_norm;
mod loss;
mod plateau;
mod reaction;

pub use adaptive::{Adaptive, Feedback};
pub use grad_norm::GradNorm;
pub use loss::Loss;
pub use plateau::Plateau;
pub use reaction::{Reaction, Signal};
