//! Passes of the core over arrays of ours, with the memory that they need.

use gradstep_core::machine::simd::Tier;
use gradstep_core::memory::Gradient;
use gradstep_core::passes::Pass;
use gradstep_core::plans::Plan;
use gradstep_core::scratch::Scratches;
use gradstep_core::sums::Partials;
use pyo3::prelude::*;

use crate::arrays::{Leaves, Lone};
use crate::clipping::Clipping;
use crate::errors::memory_error;
use crate::groups::Group;

/// The plan of all parameters, and that of those that had gradients when last not all had.
pub(crate) struct Plans {
    pub(crate) whole: Plan,
    part: Plan,
    /// Whose gradients that is of, unless some had rows, which may be others at the next step.
    of_part: Option<Vec<usize>>,
}

impl Plans {
    pub(crate) fn new(leaves: &Leaves) -> PyResult<Self> {
        let whole = Plan::new(leaves.lengths()).map_err(memory_error)?;
        Ok(Self { whole, part: Plan::default(), of_part: None })
    }

    /// That of what the pass over the leaves goes over.
    pub(crate) fn of(&mut self, leaves: &Leaves) -> PyResult<&Plan> {
        if leaves.have_rows() {
            self.of_part = None;
            self.part.set(leaves.extents()).map_err(memory_error)?;
            return Ok(&self.part);
        }
        if leaves.is_complete() {
            return Ok(&self.whole);
        }
        let items = leaves.items();
        let leaf = |item: &Gradient| item.tensor;
        let is_known = |of_part: &Vec<usize>| of_part.iter().copied().eq(items.iter().map(leaf));
        if !self.of_part.as_ref().is_some_and(is_known) {
            let mut of_part = self.of_part.take().unwrap_or_default();
            of_part.clear();
            of_part.try_reserve(items.len()).map_err(memory_error)?;
            of_part.extend(items.iter().map(leaf));
            self.part.set(leaves.extents()).map_err(memory_error)?;
            self.of_part = Some(of_part);
        }
        Ok(&self.part)
    }
}

/// One update of one array.
///
/// `now` are the group's hyperparameters at update number `t` and what its rule remembers, also afterwards.
pub(crate) fn update(
    py: Python<'_>,
    lone: &Lone<'_>,
    group: &Group,
    now: &mut [f64],
    t: u64,
) -> PyResult<()> {
    let mut plan = Plan::default();
    plan.set(std::iter::once(lone.extent())).map_err(memory_error)?;
    let mut scratches = Scratches::default();
    let pass = pass(&plan, &mut scratches, lone.staged(), false)?;
    let (mut terms, mut tensors) = ([group.terms(0)], lone.lend());
    group.prepare(&mut terms[0], now, t, Clipping::NONE);
    if group.remembers() {
        let mut sums = Partials::default();
        if group.sums().is_some() {
            sums.reserve(plan.chunks()).map_err(memory_error)?;
            detached(py, plan.is_large(), || pass.measure(&mut tensors, &terms, &sums));
        }
        group.settle(now, t, sums.total(0..if group.sums().is_some() { plan.chunks() } else { 0 }));
        group.prepare(&mut terms[0], now, t, Clipping::NONE);
    }
    detached(py, plan.is_large(), || pass.write(&mut tensors, &terms, None));
    Ok(())
}

/// A pass over gradients, with scratch memory if any of them is in another dtype or order (`staged`), or is added to or
/// limited (`changed`); and with panels if any is in another order (`strided`).
#[inline(always)] // what it returns is not moved
pub(crate) fn pass<'a>(
    plan: &'a Plan,
    scratches: &'a mut Scratches,
    (staged, strided): (bool, bool),
    changed: bool,
) -> PyResult<Pass<'a>> {
    let workers = plan.workers();
    if staged || changed {
        scratches.reserve(workers, strided).map_err(memory_error)?;
    }
    Ok(Pass { tier: Tier::current(), workers, plan, scratches })
}

/// Runs `work` without the GIL if it is worth releasing.
pub(crate) fn detached<T: Send>(py: Python<'_>, large: bool, work: impl FnOnce() -> T + Send) -> T {
    if large { py.detach(work) } else { work() }
}
