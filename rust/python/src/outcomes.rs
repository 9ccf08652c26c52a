//! What a step came to, and what is known of it afterwards.

/// What is known of the last update.
#[derive(Clone, Copy, Default)]
pub(crate) struct Last {
    /// The global norm of the gradients, if it was taken.
    pub(crate) norm: Option<f64>,
    /// The norms of the update and of the parameters before it, if they were taken.
    pub(crate) measured: Option<[f64; 2]>,
    /// Whether any parameter had a gradient.
    pub(crate) any: bool,
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Updated,
    /// The gradients wait for others.
    Waiting,
    /// They were not finite, or far larger than others.
    Skipped,
}
