//! One step, whole.

mod norms;
mod stepper;
mod waiting;

pub(crate) use stepper::{Given, Stepper};
