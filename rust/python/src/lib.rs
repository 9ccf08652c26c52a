//! The border between Python and the core: array checks, error mapping, classes. Nothing numeric.
//!
//! # Threads
//! Nothing here counts on the interpreter's lock (`gil_used = false`): large steps let go of it, and a
//! free-threaded interpreter has none. What makes concurrent use safe instead:
//! - An optimizer is borrowed for the length of a call, by PyO3's atomic flag. A second step at the same
//!   time, be it from another thread or from a schedule inside the first, is a RuntimeError.
//! - Schedules are frozen. The state of a feedback schedule is behind a mutex, which is held for arithmetic
//!   only, never while Python code runs.
//! - What the process has one of (number of threads, pool, defaults) is atomic; see `gradstep_core::machine::threads`.
//! - `functional` and evaluation keep nothing. A dict that is taken apart is copied first.
//!
//! What stays the caller's part is what NumPy asks for too: while a step runs, no other thread writes to
//! its arrays, or gives them another shape, dtype or memory. And of two optimizers that share a feedback
//! schedule and step at the same time, one whose step fails may take back what the other has observed.

mod around;
mod arrays;
mod assembly;
mod checksums;
mod clipping;
mod errors;
mod files;
mod floor;
mod functional;
mod given;
mod groups;
mod headroom;
mod nonfinite;
mod numbers;
mod observers;
mod optimizer;
mod options;
mod outcomes;
mod passes;
mod patterns;
mod policies;
mod ready;
mod records;
mod roots;
mod schedules;
mod settings;
mod sharing;
mod sparse;
mod steps;
mod structures;
mod terms;
mod trees;
mod values;
mod windows;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    use super::errors::value_error;
    use super::numbers::integer;
    use gradstep_core::machine::simd::Tier;
    use gradstep_core::machine::threads;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::arrays::{_packed, Exchange, Packed, Rows};
    #[pymodule_export]
    use super::checksums::Checksum;
    #[pymodule_export]
    use super::floor::floor;
    #[pymodule_export]
    use super::functional::Update;
    #[pymodule_export]
    use super::nonfinite::NonFiniteError;
    #[pymodule_export]
    use super::numbers::measured;
    #[pymodule_export]
    use super::optimizer::Optimizer;
    #[pymodule_export]
    use super::schedules::Schedule;
    #[pymodule_export]
    use super::structures::DetachedParameterWarning;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // Without NumPy its C interface would panic at first use; here it is an ImportError.
        module.py().import("numpy")?;
        // Environment variables that make no sense are reported now, not at some later step.
        Tier::from_environment().map_err(value_error)?;
        threads::default_threads().clone().map_err(value_error)?;
        module.add("CHUNK", gradstep_core::plans::CHUNK)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// The SIMD tier in force.
    #[pyfunction]
    fn simd_tier() -> &'static str {
        Tier::current().name()
    }

    /// Puts another tier into force, for tests.
    #[pyfunction]
    fn set_simd_tier(name: &str) -> PyResult<()> {
        Tier::named(name).map(Tier::put_into_force).map_err(value_error)
    }

    /// The SIMD tiers that this machine can run, slowest first.
    #[pyfunction]
    fn simd_tiers() -> Vec<&'static str> {
        Tier::supported().into_iter().map(Tier::name).collect()
    }

    #[pyfunction]
    fn get_num_threads() -> usize {
        threads::num_threads()
    }

    /// The number of threads as long as nobody sets another one.
    #[pyfunction]
    fn default_num_threads() -> usize {
        threads::default_threads().clone().unwrap_or(1)
    }

    #[pyfunction]
    fn set_num_threads(n: &Bound<'_, PyAny>) -> PyResult<()> {
        threads::set_num_threads(integer("num_threads", n, "an integer")?).map_err(value_error)
    }
}
