//! One step, whole.

mod norms;
mod stepper;
mod waiting;
mod writing;

pub(crate) use stepper::{Given, Stepper};
