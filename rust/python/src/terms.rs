//! Under which terms each tensor is updated at a step: those of its group, or its own.

use gradstep_core::plans::Plan;
use gradstep_core::rule::Scope;
use gradstep_core::spec::CLIP_NORM_EACH;
use gradstep_core::stages::Terms;
use gradstep_core::sums::Partials;
use pyo3::prelude::*;

use crate::arrays::Leaves;
use crate::clipping::{Clipping, factor};
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
    /// The leaves that do not share their group's terms.
    own: Vec<Own>,
    sums: Partials<2>,
    wants: Wants,
}

/// What any of the groups needs, so that a step that needs nothing of it finds that out at once.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
struct Wants {
    evaluation: bool,
    sums: bool,
    memory: bool,
    limits_of_each: bool,
}

/// A leaf whose rule wants sums over it, whose norm is limited, or which has had fewer updates than others.
struct Own {
    leaf: usize,
    group: usize,
    /// What its gradient is multiplied by to keep its norm within its limit.
    factor: f64,
}

/// The gradients of a step as a whole.
#[derive(Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) leaves: &'a Leaves,
    pub(crate) plan: &'a Plan,
    /// The number of the update.
    pub(crate) t: u64,
}

impl StepTerms {
    /// `now` are each group's hyperparameters and memory before the first step.
    pub(crate) fn new(now: Vec<Vec<f64>>, settings: &Settings, leaves: &mut Leaves) -> PyResult<Self> {
        let mut new = Self { now, ..Self::default() };
        new.set(settings, leaves)?;
        Ok(new)
    }

    /// For other hyperparameters of the same groups.
    pub(crate) fn set(&mut self, settings: &Settings, leaves: &mut Leaves) -> PyResult<()> {
        for (group, now) in settings.groups.iter().zip(&mut self.now) {
            group.fill(now);
        }
        let groups = &settings.groups;
        self.wants = Wants {
            evaluation: groups.iter().any(Group::is_scheduled),
            sums: groups.iter().any(|group| group.sums().is_some()),
            memory: groups.iter().any(Group::remembers),
            limits_of_each: groups.iter().any(Group::clips_each),
        };
        self.arrange(settings, leaves)
    }

    /// Finds out which leaves have terms of their own.
    pub(crate) fn arrange(&mut self, settings: &Settings, leaves: &mut Leaves) -> PyResult<()> {
        let (groups, mut own) = (&settings.groups, Vec::new());
        for leaf in 0..leaves.len() {
            let group = leaves.group(leaf);
            let has_own = groups[group].sums() == Some(Scope::Tensor)
                || groups[group].clips_each()
                || leaves.missed(leaf) > 0;
            if has_own {
                own.try_reserve(1).map_err(memory_error)?;
                leaves.set_terms(leaf, groups.len() + own.len());
                own.push(Own { leaf, group, factor: 1.0 });
            } else {
                leaves.set_terms(leaf, group);
            }
        }
        self.own = own;
        self.terms.clear();
        self.terms.try_reserve_exact(groups.len() + self.own.len()).map_err(memory_error)?;
        let seed = settings.policies.seed;
        self.terms.extend(groups.iter().map(|group| group.terms(seed)));
        self.terms.extend(self.own.iter().map(|own| groups[own.group].terms(seed)));
        Ok(())
    }

    /// Evaluates and checks what is scheduled. Returns whether Python code has run.
    #[inline]
    pub(crate) fn evaluate(&mut self, py: Python<'_>, settings: &Settings, t: u64) -> PyResult<bool> {
        if self.wants.evaluation { self.evaluate_all(py, settings, t) } else { Ok(false) }
    }

    #[inline(never)] // so that who has none sees a flag and no more
    fn evaluate_all(&mut self, py: Python<'_>, settings: &Settings, t: u64) -> PyResult<bool> {
        let mut disturbed = false;
        for (group, now) in settings.groups.iter().zip(&mut self.now) {
            disturbed |= group.evaluate(py, t, now)?;
        }
        Ok(disturbed)
    }

    /// Limits the norms of single arrays. `norm` gives that of each item. Returns the norm of all of them together
    /// after it, if any is limited.
    pub(crate) fn clip_each(&mut self, step: Step<'_>, norm: impl Fn(usize) -> f64) -> Option<f64> {
        let Step { settings, leaves, .. } = step;
        if !self.wants.limits_of_each {
            return None;
        }
        let (mut own, mut squares) = (self.own.iter_mut().peekable(), 0.0);
        for (item, gradient) in leaves.items().iter().enumerate() {
            let mut norm = norm(item);
            while own.next_if(|own| own.leaf < gradient.tensor).is_some() {}
            if let Some(own) = own.next_if(|own| own.leaf == gradient.tensor) {
                let limit = self.now[own.group][CLIP_NORM_EACH];
                own.factor =
                    if limit.is_nan() { 1.0 } else { factor(limit, norm, settings.policies.clip_eps) };
                norm *= own.factor;
            }
            squares += norm * norm;
        }
        Some(squares.sqrt())
    }

    /// Computes the terms of an update.
    pub(crate) fn prepare(&mut self, step: Step<'_>, clipping: Clipping) {
        let Step { settings, leaves, t, .. } = step;
        let (of_groups, of_leaves) = self.terms.split_at_mut(settings.groups.len());
        for ((group, now), terms) in settings.groups.iter().zip(&self.now).zip(of_groups) {
            group.prepare(terms, now, t, clipping);
        }
        for (own, terms) in self.own.iter().zip(of_leaves) {
            let (group, now) = (&settings.groups[own.group], &self.now[own.group]);
            group.prepare(terms, now, t - leaves.missed(own.leaf), clipping.times(own.factor));
        }
    }

    /// What a dry run needs, if any rule wants sums: the terms, and where to put the sums.
    #[inline]
    pub(crate) fn dry_run(&mut self, plan: &Plan) -> PyResult<Option<(&[Terms], &Partials<2>)>> {
        if !self.wants.sums {
            return Ok(None);
        }
        self.sums.reserve(plan.chunks()).map_err(memory_error)?;
        Ok(Some((&self.terms, &self.sums)))
    }

    /// Where the sums of the dry run are.
    pub(crate) fn sums_mut(&mut self) -> &mut Partials<2> {
        &mut self.sums
    }

    /// Each group's hyperparameters and what its rule remembers, as of the step under way.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.now.iter().flatten().copied()
    }

    /// Lets the rules that remember something know the sums, and computes their terms once more. From here on the step
    /// cannot fail.
    #[inline]
    pub(crate) fn settle(&mut self, step: Step<'_>, clipping: Clipping) {
        if self.wants.memory && !step.leaves.items().is_empty() {
            self.remember(step, clipping);
        }
    }

    #[inline(never)] // so that who has none sees a flag and no more
    fn remember(&mut self, step: Step<'_>, clipping: Clipping) {
        let Step { settings, leaves, plan, t } = step;
        let (of_groups, of_leaves) = self.terms.split_at_mut(settings.groups.len());
        for ((group, now), terms) in settings.groups.iter().zip(&mut self.now).zip(of_groups) {
            if group.remembers() && group.sums() != Some(Scope::Tensor) {
                let chunks = if group.sums().is_some() { plan.chunks() } else { 0 };
                group.settle(now, t, self.sums.total(0..chunks));
                group.prepare(terms, now, t, clipping);
            }
        }
        for (own, terms) in self.own.iter().zip(of_leaves) {
            let (group, t) = (&settings.groups[own.group], t - leaves.missed(own.leaf));
            let clipping = clipping.times(own.factor);
            if group.sums() == Some(Scope::Tensor) {
                let Some(item) = leaves.item_of(own.leaf) else { continue };
                let mut now = self.now[own.group].clone();
                group.settle(&mut now, t, self.sums.total(plan.chunks_of(item)));
                group.prepare(terms, &now, t, clipping);
            } else if group.remembers() {
                group.prepare(terms, &self.now[own.group], t, clipping);
            }
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
