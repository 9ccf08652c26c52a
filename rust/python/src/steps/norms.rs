//! The norms that a step takes: of the gradients before it, of the update and the parameters after it.

use pyo3::prelude::*;

use super::stepper::Stepper;
use crate::arrays::Outputs;
use crate::clipping::Clip;
use crate::errors::memory_error;
use crate::nonfinite::{norm_refused, refused};
use crate::passes::{detached, pass};
use crate::policies::NonFinite;

impl Stepper {
    /// The global norm of the gradients after scaling; nothing if they are not finite, and the step is to be skipped for
    /// it.
    pub(super) fn norm(
        &mut self,
        py: Python<'_>,
        scale: f64,
        outputs: Option<&Outputs<'_>>,
        disturbed: &mut bool,
    ) -> PyResult<Option<f64>> {
        let policies = self.settings.policies;
        let clips = self.settings.limits_norms();
        if std::mem::take(disturbed) {
            self.leaves.verify(py, outputs)?;
        }
        let plan = self.plans.of(&self.leaves)?;
        let pass = pass(plan, &mut self.scratches, self.leaves.staged(), policies.accumulate > 1)?;
        self.squares.reserve(plan.chunks()).map_err(memory_error)?;
        if policies.nonfinite.is_looked_for() {
            // Now, when a step that fails is no step of anybody's.
            self.nonfinite.reserve(plan.chunks()).map_err(memory_error)?;
        }
        let (mut tensors, squares) = (self.leaves.lend_gradients(), &self.squares);
        detached(py, plan.is_large(), || pass.squares(&mut tensors, squares));
        let whole = match &self.sharing {
            None => plan,
            Some(sharing) => {
                sharing.gather(py, "squares", &self.leaves, plan, &mut self.squares)?;
                self.leaves.verify(py, outputs)?;
                sharing.plan(plan)
            }
        };
        let [sum] = self.squares.total(0..whole.chunks());
        let norm = sum.sqrt() * scale.abs();
        // A sum of squares may be infinite where no element is.
        if !sum.is_finite()
            && policies.nonfinite.is_looked_for()
            && !self.are_finite(py, outputs, disturbed)?
        {
            return Ok(None);
        }
        if clips && !norm.is_finite() && policies.nonfinite != NonFinite::Propagate {
            let by_clip = self.settings.clip.as_ref().is_some_and(Clip::wants_norm);
            let limit = if by_clip { "clip_norm" } else { "clip_norm_each" };
            let plan = self.plans.of(&self.leaves)?;
            let whole = self.sharing.as_ref().map_or(plan, |sharing| sharing.plan(plan));
            return Err(norm_refused(limit, &self.leaves, whole, &self.squares, norm));
        }
        Ok(Some(norm))
    }

    /// Whether all elements of the gradients are; false where they are to be skipped if not, else an error that names them.
    pub(super) fn are_finite(
        &mut self,
        py: Python<'_>,
        outputs: Option<&Outputs<'_>>,
        disturbed: &mut bool,
    ) -> PyResult<bool> {
        let policies = self.settings.policies;
        if std::mem::take(disturbed) {
            self.leaves.verify(py, outputs)?;
        }
        let plan = self.plans.of(&self.leaves)?;
        let pass = pass(plan, &mut self.scratches, self.leaves.staged(), policies.accumulate > 1)?;
        let counts = &mut self.nonfinite;
        counts.reserve(plan.chunks()).map_err(memory_error)?;
        let mut tensors = self.leaves.lend_gradients();
        detached(py, plan.is_large(), || pass.count_nonfinite(&mut tensors, counts));
        let mut whole = plan;
        if let Some(sharing) = &self.sharing {
            sharing.gather(py, "nonfinite", &self.leaves, plan, counts)?;
            *disturbed = true;
            whole = sharing.plan(plan);
        }
        if counts.total(0..whole.chunks()) == [0.0] {
            return Ok(true);
        }
        match policies.nonfinite {
            NonFinite::Skip => Ok(false),
            _ => Err(refused(&self.leaves, whole, counts)),
        }
    }

    /// The norms of the last update and of the parameters before it.
    pub(super) fn measured(&mut self, py: Python<'_>) -> PyResult<[f64; 2]> {
        let plan = self.plans.of(&self.leaves)?;
        let mut whole = plan;
        if let Some(sharing) = &self.sharing {
            sharing.gather(py, "changes", &self.leaves, plan, &mut self.changes)?;
            whole = sharing.plan(plan);
        }
        Ok(self.changes.total(0..whole.chunks()).map(f64::sqrt))
    }
}
