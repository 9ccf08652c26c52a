//! Gradients that wait for the update that they are a part of.

use pyo3::prelude::*;

use super::stepper::Stepper;
use crate::arrays::Outputs;
use crate::outcomes::Outcome;
use crate::passes::{detached, pass};
use crate::policies::NonFinite;
use crate::sharing::Numbers;
use crate::windows::Window;

impl Stepper {
    /// Adds the gradients to those that wait.
    pub(super) fn wait(
        &mut self,
        py: Python<'_>,
        t: u64,
        window: Window,
        outputs: Option<&Outputs<'_>>,
        mut disturbed: bool,
    ) -> PyResult<Outcome> {
        let policies = self.settings.policies;
        if let Some(sharing) = &mut self.sharing {
            sharing.arrange(&self.leaves)?;
        }
        let goes_on = if self.settings.limits_norms() && policies.nonfinite != NonFinite::Propagate {
            self.norm(py, 1.0, outputs, &mut disturbed)?.is_some()
        } else if policies.nonfinite.is_looked_for() {
            self.are_finite(py, outputs, &mut disturbed)?
        } else {
            true
        };
        if !goes_on {
            return self.skip(py, t);
        }
        if disturbed {
            self.leaves.verify(py, outputs)?;
        }
        self.leaves.add_up()?;
        let plan = self.plans.of(&self.leaves)?;
        let pass = pass(plan, &mut self.scratches, self.leaves.staged(), true)?;
        if let Some(sharing) = &self.sharing {
            let Self { settings, leaves, observers, terms, window, .. } = self;
            let numbers = Numbers { settings, leaves, observers, terms, window };
            sharing.agree(py, "wait", numbers.at(t, [None; 2]))?;
            leaves.verify(py, outputs)?;
        }
        if let Some(files) = &self.files {
            files.unseal()?;
        }
        let mut tensors = self.leaves.lend_gradients();
        detached(py, plan.is_large(), || pass.accumulate(&mut tensors));
        self.leaves.wait();
        self.window = window;
        Ok(Outcome::Waiting)
    }
}
