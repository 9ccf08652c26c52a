//! The part of a step that writes, and what it finds out first.

use pyo3::prelude::*;

use super::stepper::{Decided, Given, Stepper};
use crate::clipping::Clipping;
use crate::errors::memory_error;
use crate::outcomes::{Last, Outcome};
use crate::passes::{detached, pass};
use crate::sharing::Numbers;
use crate::terms::Step;
use crate::windows::Window;

impl Stepper {
    /// The rest of a step, when the hyperparameters are evaluated.
    #[inline(always)]
    pub(super) fn write(
        &mut self,
        py: Python<'_>,
        t: u64,
        given: &Given<'_, '_>,
        Decided { scale, norm, limit, max_norm }: Decided,
    ) -> PyResult<Outcome> {
        let Self { settings, terms, plans, scratches, leaves, squares, changes, files, .. } = self;
        let (sharing, observers, window) = (&self.sharing, &self.observers, &self.window);
        let plan = plans.of(leaves)?;
        let whole = sharing.as_ref().map_or(plan, |sharing| sharing.plan(plan));
        let step = Step { settings, leaves, plan: whole, t };
        let of_item = |item: usize| squares.total(whole.chunks_of(item))[0].sqrt() * scale.abs();
        let mut clipping = Clipping { scale, limit };
        if self.wants_norm {
            let after_each = terms.clip_each(step, of_item);
            if let (Some(max_norm), Some(norm)) = (max_norm, after_each.or(norm)) {
                clipping = clipping.to(max_norm, norm, settings.policies.clip_eps);
            }
        }
        terms.prepare(step, clipping);
        let pass = pass(
            plan,
            scratches,
            leaves.staged(),
            limit < f64::INFINITY || settings.policies.accumulate > 1,
        )?;
        let measured = settings.policies.measure;
        if measured {
            changes.reserve(whole.chunks()).map_err(memory_error)?;
        }
        if let Some((known, sums)) = terms.dry_run(plan)? {
            let mut tensors = leaves.lend();
            detached(py, plan.is_large(), || pass.measure(&mut tensors, known, sums));
            if let Some(sharing) = sharing {
                sharing.gather(py, "sums", leaves, plan, terms.sums_mut())?;
            }
        }
        if let Some(files) = files {
            files.unseal()?;
        }
        if let Some(sharing) = sharing {
            let numbers = Numbers { settings, leaves, observers, terms, window };
            sharing.agree(py, "update", numbers.at(t, [Some(limit), max_norm]))?;
            leaves.verify(py, given.outputs)?;
        }
        terms.settle(step, clipping);
        let (mut tensors, all) = (leaves.lend(), terms.all());
        let changes = measured.then_some(&*changes);
        detached(py, plan.is_large(), || pass.write(&mut tensors, all, changes));
        let measured = if measured { Some(self.measured(py)?) } else { None };
        self.last = Last { norm, measured, any: !self.leaves.items().is_empty() };
        self.window = Window::default();
        self.disarranged = self.leaves.count();
        Ok(Outcome::Updated)
    }
}
