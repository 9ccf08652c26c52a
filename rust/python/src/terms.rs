//! Under which terms each tensor is updated at a step: those of its group, or its own.

use gradstep_core::plans::Plan;
use gradstep_core::rule::Scope;
use gradstep_core::stages::Terms;
use gradstep_core::sums::Partials;
use pyo3::prelude::*;

use crate::arrays::Leaves;
use crate::clipping::Clipping;
use crate::errors::memory_error;
use crate::groups::Group;
use crate::settings::Settings;

/// The numbers of a step under way, and what the rules remember from one to the next.
#[derive(Default)]
pub(crate) struct StepTerms {
    /// Each group's hyperparameters, and then what its rule remembers.
    now: Vec<Vec<f64>>,
    /// Those of the groups, and then those of the leaves in `own`.
    terms: Vec<Terms>,
    /// The leaves that do not share their group's terms, because the rule wants sums over each.
    own: Vec<Own>,
    sums: Partials<2>,
}

struct Own {
    leaf: usize,
    group: usize,
}

impl StepTerms {
    /// `now` are each group's hyperparameters and memory before the first step.
    pub(crate) fn new(now: Vec<Vec<f64>>, settings: &Settings, leaves: &mut Leaves) -> PyResult<Self> {
        let mut own = Vec::new();
        for leaf in 0..leaves.len() {
            let group = leaves.group(leaf);
            if settings.groups[group].sums() == Some(Scope::Tensor) {
                own.try_reserve(1).map_err(memory_error)?;
                leaves.set_terms(leaf, settings.groups.len() + own.len());
                own.push(Own { leaf, group });
            }
        }
        let mut new = Self { now, own, ..Self::default() };
        new.terms.try_reserve_exact(settings.groups.len() + new.own.len()).map_err(memory_error)?;
        new.set(settings);
        Ok(new)
    }

    /// For other hyperparameters of the same groups.
    pub(crate) fn set(&mut self, settings: &Settings) {
        self.terms.clear();
        self.terms.extend(settings.groups.iter().map(Group::terms));
        self.terms.extend(self.own.iter().map(|own| settings.groups[own.group].terms()));
        for (group, now) in settings.groups.iter().zip(&mut self.now) {
            group.fill(now);
        }
    }

    /// Evaluates and checks what is scheduled. Returns whether Python code has run.
    pub(crate) fn evaluate(&mut self, py: Python<'_>, settings: &Settings, t: u64) -> PyResult<bool> {
        let mut disturbed = false;
        for (group, now) in settings.groups.iter().zip(&mut self.now) {
            disturbed |= group.evaluate(py, t, now)?;
        }
        Ok(disturbed)
    }

    /// Computes the terms of update number `t`.
    pub(crate) fn prepare(&mut self, settings: &Settings, t: u64, clipping: Clipping) {
        let (of_groups, of_leaves) = self.terms.split_at_mut(settings.groups.len());
        for ((group, now), terms) in settings.groups.iter().zip(&self.now).zip(&mut *of_groups) {
            group.prepare(terms, now, t, clipping);
        }
        for (own, terms) in self.own.iter().zip(of_leaves) {
            *terms = of_groups[own.group];
        }
    }

    /// What a dry run needs, if any rule wants sums: the terms, and where to put the sums.
    pub(crate) fn dry_run(
        &mut self,
        settings: &Settings,
        plan: &Plan,
    ) -> PyResult<Option<(&[Terms], &Partials<2>)>> {
        if settings.groups.iter().all(|group| group.sums().is_none()) {
            return Ok(None);
        }
        self.sums.reserve(plan.chunks()).map_err(memory_error)?;
        Ok(Some((&self.terms, &self.sums)))
    }

    /// Lets the rules that remember something know the sums, and computes their terms once more. From here on the step
    /// cannot fail.
    pub(crate) fn settle(&mut self, settings: &Settings, plan: &Plan, t: u64, clipping: Clipping) {
        let (of_groups, of_leaves) = self.terms.split_at_mut(settings.groups.len());
        for ((group, now), terms) in settings.groups.iter().zip(&mut self.now).zip(of_groups) {
            if group.remembers() && group.sums() != Some(Scope::Tensor) {
                let chunks = if group.sums().is_some() { plan.chunks() } else { 0 };
                group.settle(now, t, self.sums.total(0..chunks));
                group.prepare(terms, now, t, clipping);
            }
        }
        for (own, terms) in self.own.iter().zip(of_leaves) {
            let (group, mut now) = (&settings.groups[own.group], self.now[own.group].clone());
            group.settle(&mut now, t, self.sums.total(plan.chunks_of(own.leaf)));
            group.prepare(terms, &now, t, clipping);
        }
    }

    pub(crate) fn all(&self) -> &[Terms] {
        &self.terms
    }

    /// What each group's rule remembers.
    pub(crate) fn memory<'a>(&'a self, settings: &'a Settings) -> impl Iterator<Item = &'a [f64]> {
        settings.groups.iter().zip(&self.now).map(|(group, now)| &now[now.len() - group.memory().len()..])
    }

    /// `values` has as many numbers for each group as its rule remembers.
    pub(crate) fn set_memory(&mut self, values: &[Vec<f64>]) {
        for (now, values) in self.now.iter_mut().zip(values) {
            let own = now.len() - values.len();
            now[own..].copy_from_slice(values);
        }
    }
}
