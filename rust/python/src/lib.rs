//! The border between Python and the core.

mod errors;
mod schedules;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::schedules::Schedule;
}
