//! From `params` and options to the groups with their hyperparameters and arrays.

use gradstep_core::codecs::{Format, narrow};
use gradstep_core::dtypes::Dtype;
use gradstep_core::rule::Init;
use gradstep_core::rules;
use gradstep_core::spec::{AROUND, STATE_DTYPE, Spec};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet};
use std::sync::Arc;

use crate::arrays::{Leaves, Member, Parameter, dense, name, writable};
use crate::clipping::{Clip, LIMITS};
use crate::errors::{label, type_error, value_error};
use crate::files::Files;
use crate::given::{GroupWithParams, check_keys, given_groups};
use crate::groups::Group;
use crate::headroom;
use crate::patterns::Patterns;
use crate::policies::{POLICIES, Policies};
use crate::roots::Root;
use crate::settings::{BYTES_OF_A_GROUP, Settings};
use crate::steps::Stepper;
use crate::structures::Structure;
use crate::trees::{BYTES_OF_AN_ENTRY, Kind, Leaf, Tree};
use crate::values::Value;

/// What errors call the parameters and their gradients.
const ROOTS: [&str; 2] = ["params", "grads"];

/// What the arrays are that show what the parameters are like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The parameters, to be updated in place.
    Own,
    /// Parameters that are only read.
    Params,
    /// Gradients.
    Grads,
}

impl Source {
    fn root(self) -> &'static str {
        ROOTS[usize::from(self == Self::Grads)]
    }
}

/// The option that makes groups by name.
const GROUPS: &str = "groups";

/// The one that tells where copies go.
const COPY_TO: &str = "copy_to";

/// What a class does not know of: where each parameter begins in an array that others have the rest of, and the number of
/// that array's elements, as `(first, whole)`.
const STRETCHES: &str = "_stretches";

/// The one that the Python class takes for itself.
const STATE_DIR: &str = "state_dir";

pub(crate) fn spec(rule: &str) -> PyResult<&'static Spec> {
    rules::named(rule).ok_or_else(|| value_error(format!("there is no rule named '{rule}'")))
}

/// What an optimizer was told, without its arrays.
pub(crate) struct Assembly {
    pub(crate) settings: Arc<Settings>,
    pub(crate) patterns: Patterns,
    /// Where the state goes if not into memory.
    pub(crate) files: Option<Arc<Files>>,
    /// Where copies of the parameters go, in their structure.
    copy_to: Option<Py<PyAny>>,
    stretches: Option<Vec<(usize, usize)>>,
}

impl Assembly {
    /// Checks the options for an optimizer of that class, whose parameters are `given` in groups or are none.
    pub(crate) fn new(
        class: &str,
        spec: &'static Spec,
        decoupled: bool,
        given: &[GroupWithParams<'_>],
        options: &Bound<'_, PyDict>,
        files: Option<Arc<Files>>,
    ) -> PyResult<Self> {
        check_options(class, spec, options)?;
        let patterns = Patterns::new(options.get_item(GROUPS)?)?;
        headroom::ensure(given.len(), BYTES_OF_A_GROUP)?;
        let mut groups = Vec::new();
        for (i, (group, _)) in given.iter().enumerate() {
            check_keys(spec, group, &format!("params[{i}]"), Some("params"))?;
            groups.push(Group::new(spec, decoupled, &[group, options], format!(" of params[{i}]"))?);
        }
        if !given.is_empty() && !patterns.is_empty() {
            return Err(value_error("groups is for params without groups of their own"));
        }
        for (place, group) in patterns.options(options.py()) {
            check_keys(spec, &group, &place, None)?;
            groups.push(Group::new(spec, decoupled, &[&group, options], format!(" of {place}"))?);
        }
        if given.is_empty() {
            groups.push(Group::new(spec, decoupled, &[options], String::new())?);
        }
        let mut limits = LIMITS.map(|_| None);
        for (limit, name) in limits.iter_mut().zip(LIMITS) {
            *limit = match options.get_item(name)? {
                Some(given) if !given.is_none() => Some(Value::new(&given, name)?),
                _ => None,
            };
        }
        let policies = Policies::new(options)?;
        let settings = Settings { groups, clip: Clip::new(limits)?, policies }.settled();
        let copy_to = options.get_item(COPY_TO)?.filter(|given| !given.is_none()).map(Bound::unbind);
        let stretches = options.get_item(STRETCHES)?.map(|given| given.extract()).transpose()?;
        Ok(Self { settings: Arc::new(settings), patterns, files, copy_to, stretches })
    }

    /// Takes `params` apart.
    fn members<'py>(
        &self,
        params: &Bound<'py, PyAny>,
        given: Vec<GroupWithParams<'py>>,
        source: Source,
    ) -> PyResult<(Structure, Vec<Member>)> {
        let py = params.py();
        let (mut leaves, mut owners) = (Vec::new(), Vec::new());
        let own = if self.patterns.is_empty() { self.settings.groups.len() } else { 1 };
        if given.len().max(1) != own {
            return Err(value_error(format!(
                "params has {} groups, but the optimizer has {own}",
                given.len().max(1)
            )));
        }
        let tree = if given.is_empty() {
            Tree::new(params, source.root(), "", &mut leaves)?
        } else {
            let mut items = Vec::with_capacity(given.len());
            for (i, (_, params)) in given.iter().enumerate() {
                items.push(Tree::new(params, source.root(), &i.to_string(), &mut leaves)?);
                owners.resize(leaves.len(), i);
            }
            Tree::Sequence { path: String::new(), items, kind: Kind::List }
        };
        if leaves.is_empty() {
            return Err(value_error(format!("{} holds no array", source.root())));
        }
        if given.is_empty() {
            owners = self.patterns.owners(py, &leaves.iter().map(|leaf| name(&leaf.path)))?;
        }
        let structure = Structure {
            tree,
            params: params.clone().unbind(),
            groups: given.into_iter().map(|(group, _)| group.unbind()).collect(),
            known: false,
        };
        if source != Source::Own {
            for leaf in &mut leaves {
                leaf.array = dense(leaf.array.bind(py))?.unbind();
            }
        }
        let mut members = members(py, leaves, &owners, source.root())?;
        if let Some(stretches) = &self.stretches {
            if stretches.len() != members.len() {
                let (given, own) = (stretches.len(), members.len());
                return Err(value_error(format!("there are {given} stretches, but {own} parameters")));
            }
            for (member, &(first, whole)) in members.iter_mut().zip(stretches) {
                (member.first, member.whole) = (first, whole);
            }
        }
        Ok((structure, members))
    }

    /// Gives every array fresh state.
    pub(crate) fn attach<'py>(
        &self,
        params: &Bound<'py, PyAny>,
        given: Vec<GroupWithParams<'py>>,
        source: Source,
    ) -> PyResult<(Structure, Stepper)> {
        let py = params.py();
        let (mut structure, members) = self.members(params, given, source)?;
        members.iter().try_for_each(|member| self.check_format(member))?;
        let (mut slots, mut now) = (Vec::new(), Vec::new());
        for group in &self.settings.groups {
            let (slots_of_one, now_of_one) = group.start(py)?;
            slots.push(slots_of_one);
            now.push(now_of_one);
        }
        let accumulates = self.settings.policies.accumulate > 1;
        let files = self.files.as_deref();
        let mut leaves = Leaves::new(py, members, &slots, accumulates, source == Source::Own, files)?;
        if let Some(copy_to) = &self.copy_to {
            let copies = structure.listed(copy_to.bind(py), Root::Copies, &leaves)?;
            leaves.copy_to(py, copies)?;
        }
        if source != Source::Own {
            structure.params = py.None();
            structure.groups = Vec::new();
            structure.known = true;
        }
        Ok((structure, Stepper::new(leaves, Arc::clone(&self.settings), now, self.files.clone())?))
    }

    /// Refuses a parameter whose state cannot be kept as its group says.
    fn check_format(&self, member: &Member) -> PyResult<()> {
        let group = &self.settings.groups[member.group];
        if group.format() == Format::Whole {
            return Ok(());
        }
        let (parameter, name) = (&member.parameter, AROUND[STATE_DTYPE].name);
        if parameter.layout.dtype != Dtype::F32 || parameter.layout.complex {
            let dtype = parameter.layout.dtype_name();
            return Err(value_error(format!(
                "{name} is for float32 parameters, but {} has dtype {dtype}",
                parameter.own()
            )));
        }
        if narrow(group.slots()) == 0 {
            return Err(value_error(format!(
                "{name}{} has no effect: {} has no state that can have fewer bits",
                group.place, group.spec.name
            )));
        }
        Ok(())
    }

    /// Takes over the state of `stepper` for other arrays that are like its own.
    pub(crate) fn attach_again(
        &self,
        params: &Bound<'_, PyAny>,
        stepper: &mut Stepper,
    ) -> PyResult<Structure> {
        let (structure, members) = self.members(params, given_groups(params)?, Source::Own)?;
        let slots: Vec<_> = self.settings.groups.iter().map(Group::all_slots).collect();
        stepper.leaves.replace(params.py(), members, &slots, self.files.as_deref())?;
        stepper.rearrange();
        Ok(structure)
    }

    /// Whether the state starts from the values of the parameters.
    pub(crate) fn starts_from_params(&self) -> bool {
        let from_params = |group: &Group| group.slots().iter().any(|slot| slot.init == Init::Param);
        self.settings.groups.iter().any(|group| group.averages() || from_params(group))
    }
}

fn members(py: Python<'_>, leaves: Vec<Leaf>, owners: &[usize], root: &str) -> PyResult<Vec<Member>> {
    headroom::ensure(leaves.len(), BYTES_OF_AN_ENTRY)?;
    let names = PySet::empty(py)?;
    let mut members = Vec::with_capacity(leaves.len());
    for (leaf, &group) in leaves.into_iter().zip(owners) {
        let found = writable(leaf.array.bind(py), &|| label(root, &leaf.path))?;
        let (data, layout) = (found.data(), found.layout());
        let mut parameter = Parameter::new(leaf.array, leaf.path, layout, ROOTS).watched(py);
        parameter.foreign = leaf.foreign;
        if names.contains(parameter.name())? {
            let label = label(root, parameter.name());
            return Err(value_error(format!(
                "two arrays are named {label}: a key holds a dot or nothing, or an int and a string are alike"
            )));
        }
        names.add(parameter.name())?;
        let whole = parameter.layout.len;
        members.push(Member { group, parameter, data, first: 0, whole });
    }
    Ok(members)
}

fn check_options(class: &str, spec: &'static Spec, options: &Bound<'_, PyDict>) -> PyResult<()> {
    let names = || Group::names(spec).chain(LIMITS).chain(POLICIES).chain([GROUPS, COPY_TO]);
    for key in options.keys() {
        let key: String = key.extract()?;
        if names().chain([STRETCHES]).any(|name| name == key) {
            continue;
        }
        let hint = if key == "betas" { "; betas=(a, b) is written beta1=a, beta2=b" } else { "" };
        let names = names().chain([STATE_DIR]).collect::<Vec<_>>().join(", ");
        return Err(type_error(format!(
            "{class}() got an unexpected keyword argument '{key}'{hint}; it takes params, {names}"
        )));
    }
    Ok(())
}
