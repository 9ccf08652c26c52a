//! Schedules that react to training: a schedule, a small state, and a reaction to what was observed.
//!
//! As with the update rules, a reaction is pure: from state and observation to the new state, and from
//! state and scheduled value to the value. The state itself lives in one place, [`Adaptive`]. What remembers more than a
//! few numbers implements [`Feedback`] itself, as [`NormGuard`] does.

mod adaptive;
mod grad_norm;
mod loss;
mod mean;
mod norm_guard;
mod plateau;
mod reaction;
mod recent;

pub use adaptive::{Adaptive, Feedback};
pub use grad_norm::GradNorm;
pub use loss::Loss;
pub use mean::OfMeans;
pub use norm_guard::NormGuard;
pub use plateau::Plateau;
pub use reaction::{Reaction, Signal, Verdict};
