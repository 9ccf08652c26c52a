//! Parameters as they were found, and what each of a group remembers.

use gradstep_core::rule::Slot;
use pyo3::prelude::*;

use super::parameters::Parameter;
use crate::errors::memory_error;

/// A parameter as it was found, and the number of its group.
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) parameter: Parameter,
    pub(crate) data: *mut u8,
}

/// How the state calls what is not the rule's.
pub(super) const AVERAGE: &str = "ema";
pub(super) const ACCUMULATED: &str = "accumulated";

/// What each parameter of a group remembers.
pub(crate) struct Slots {
    pub(crate) of_rule: &'static [Slot],
    /// What a slot holds at first if that is a number.
    pub(crate) values: Vec<f64>,
    /// Whether an average of the parameter is kept beside them.
    pub(crate) averages: bool,
}

impl Slots {
    pub(super) fn streams(&self) -> usize {
        self.of_rule.len() + usize::from(self.averages)
    }

    /// How the state calls them, and what is behind them.
    pub(super) fn name(&self, slot: usize) -> &'static str {
        let behind = if slot < self.streams() { AVERAGE } else { ACCUMULATED };
        self.of_rule.get(slot).map_or(behind, |slot| slot.name)
    }
}

pub(super) fn reserved<T>(len: usize) -> PyResult<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(len).map_err(memory_error)?;
    Ok(items)
}
