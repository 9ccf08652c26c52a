//! The gradients of a step that do not look as their parameters do.

use gradstep_core::memory::{Gradient, Order};
use pyo3::prelude::*;

use super::exchange::Exchange;
use super::parameters::Parameter;
use super::picking::Tables;
use super::rows::Rows;
use super::writable::Written;

/// What they are checked with, and what was found out about all of them.
pub(super) struct Admission<'a> {
    written: &'a Written,
    tables: &'a mut Tables,
    exchange: Option<&'a Exchange>,
    /// Whether Python code may have run.
    pub(super) disturbed: bool,
    /// Whether one is in another dtype or order; and whether one is in another order.
    pub(super) staged: (bool, bool),
    /// Whether every parameter has one.
    pub(super) complete: bool,
}

impl<'a> Admission<'a> {
    pub(super) fn new(written: &'a Written, tables: &'a mut Tables, exchange: Option<&'a Exchange>) -> Self {
        Self { written, tables, exchange, disturbed: false, staged: (false, false), complete: true }
    }

    /// Checks one of them, if there is one, and finds out where the core reads it.
    #[inline(never)] // so that the loop over all of them, which nearly never needs it, has the registers
    pub(super) fn admit(
        &mut self,
        py: Python<'_>,
        parameter: &mut Parameter,
        held: &mut Py<PyAny>,
        gradient: &mut Gradient,
    ) -> PyResult<()> {
        if held.is_none(py) {
            gradient.data = std::ptr::null();
            self.complete = false;
            return Ok(());
        }
        if let Ok(rows) = held.bind(py).cast_exact::<Rows>() {
            let table = self.tables.next()?;
            let (values, copied) = parameter.admit_rows(rows, self.written, gradient, table)?;
            self.disturbed |= copied;
            *held = values.unbind();
            self.staged.0 = true;
            return Ok(());
        }
        let copied = match self.exchange {
            Some(exchange) if exchange.knows(held.bind(py)) => {
                parameter.admit_tensor(exchange, held.bind(py), self.written, gradient)?
            }
            _ => parameter.admit(held.bind(py), self.written, gradient)?,
        };
        if let Some(copied) = copied {
            self.disturbed = true;
            *held = copied.unbind();
        }
        let strided = gradient.order != Order::Same;
        self.staged.0 |= strided || gradient.dtype != parameter.layout.dtype.into();
        self.staged.1 |= strided;
        Ok(())
    }
}
