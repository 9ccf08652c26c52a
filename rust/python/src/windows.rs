//! What has been seen since the last update, where several gradients make one.

use pyo3::prelude::*;

use crate::errors::value_error;

#[derive(Clone, Copy, Default, IntoPyObject, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Window {
    /// How many gradients have been given.
    pub(crate) count: u64,
    /// What all of them are multiplied by.
    scale: f64,
    /// The sum of the losses, and how many there were.
    loss_sum: f64,
    losses: u64,
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
        let (loss_sum, losses) =
            loss.map_or((self.loss_sum, self.losses), |loss| (self.loss_sum + loss, self.losses + 1));
        Ok(Self { count: self.count + 1, scale, loss_sum, losses })
    }

    /// The mean of the losses.
    pub(crate) fn loss(&self) -> Option<f64> {
        (self.losses > 0).then(|| self.loss_sum / self.losses as f64)
    }
}
