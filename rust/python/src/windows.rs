//! What has been seen since the last update, where several gradients make one.

use pyo3::prelude::*;

use crate::errors::value_error;

#[derive(Clone, Copy, Default)]
pub(crate) struct Window {
    /// How many gradients have been given.
    pub(crate) count: u64,
    /// What all of them are multiplied by.
    scale: f64,
    /// The sum of the losses, and how many there were.
    losses: (f64, u64),
}

impl Window {
    /// With another gradient.
    pub(crate) fn with(self, scale: f64, loss: Option<f64>) -> PyResult<Self> {
        if self.count > 0 && scale != self.scale {
            let before = self.scale;
            return Err(value_error(format!(
                "scale must stay {before} until the gradients that were added up make an update, got {scale}"
            )));
        }
        let (sum, count) = self.losses;
        let losses = loss.map_or((sum, count), |loss| (sum + loss, count + 1));
        Ok(Self { count: self.count + 1, scale, losses })
    }

    /// The mean of the losses.
    pub(crate) fn loss(&self) -> Option<f64> {
        let (sum, count) = self.losses;
        (count > 0).then(|| sum / count as f64)
    }
}
