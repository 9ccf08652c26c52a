use gradstep_core::schedules::Schedule as Core;
use pyo3::prelude::*;
#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Schedule {
    curve: Core,
}
impl Schedule {
    pub(crate) fn evaluate(&self, _py: Python<'_>, t: u64) -> PyResult<f64> {
        Ok(self.curve.value(t))
    }
}
pub(crate) fn step(object: &Bound<'_, PyAny>, name: &str) -> PyResult<u64> {
    let _ = name;
    object.extract()
}
