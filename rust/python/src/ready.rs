//! What an optimizer holds once its `__init__` has run, and the three ways to make a step.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::sync::Arc;

use crate::arrays::{Made, Outputs, Parameter};
use crate::assembly::{Assembly, Source};
use crate::errors::value_error;
use crate::given::{GroupWithParams, given_groups};
use crate::groups::Group;
use crate::headroom;
use crate::outcomes::{Last, Outcome};
use crate::patterns::matching;
use crate::roots::Root;
use crate::settings::Settings;
use crate::steps::{Given, Stepper};
use crate::structures::Structure;

/// About what a new array takes besides its elements.
const BYTES_OF_AN_ARRAY: usize = 512;

pub(crate) struct Ready {
    pub(crate) assembly: Assembly,
    /// Nothing before it is known what the parameters are like.
    body: Option<Body>,
}

/// The arrays with their structure.
pub(crate) struct Body {
    pub(crate) stepper: Stepper,
    pub(crate) structure: Structure,
    /// Steps that were made since.
    made: u64,
    /// What `_state` has handed out.
    state: Option<Py<PyDict>>,
}

/// What a call gives beside the gradients.
pub(crate) struct Call<'a, 'py> {
    pub(crate) t: u64,
    pub(crate) loss: Option<&'a Bound<'py, PyAny>>,
    pub(crate) scale: f64,
}

impl Ready {
    pub(crate) fn new<'py>(
        assembly: Assembly,
        params: Option<&Bound<'py, PyAny>>,
        given: Vec<GroupWithParams<'py>>,
    ) -> PyResult<Self> {
        let body =
            params.map(|params| assembly.attach(params, given, Source::Own).map(Body::new)).transpose()?;
        Ok(Self { assembly, body })
    }

    pub(crate) fn body(&self) -> PyResult<&Body> {
        self.body.as_ref().ok_or_else(without_params)
    }

    pub(crate) fn body_mut(&mut self) -> PyResult<&mut Body> {
        self.body.as_mut().ok_or_else(without_params)
    }

    /// What is known of the last update.
    pub(crate) fn last(&self) -> Last {
        self.body.as_ref().map_or_else(Last::default, |body| body.stepper.last)
    }

    /// Where there are arrays that are updated in place.
    pub(crate) fn bound(&mut self) -> PyResult<&mut Body> {
        self.body.as_mut().filter(|body| body.stepper.leaves.is_bound()).ok_or_else(without_params)
    }

    pub(crate) fn known(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// Other hyperparameters, for the same groups. Returns those before.
    pub(crate) fn set(&mut self, settings: &Arc<Settings>) -> PyResult<Arc<Settings>> {
        if let Some(body) = &mut self.body {
            body.stepper.set(Arc::clone(settings))?;
        }
        Ok(std::mem::replace(&mut self.assembly.settings, Arc::clone(settings)))
    }

    /// Takes arrays to update in place: the first ones, or others that are like those before.
    pub(crate) fn bind(&mut self, params: &Bound<'_, PyAny>) -> PyResult<()> {
        match &mut self.body {
            None => {
                let given = given_groups(params)?;
                if !given.is_empty() {
                    return Err(value_error(
                        "params has groups of its own, but this optimizer was made without parameters: give the class \
                         their options, groups={pattern: options}",
                    ));
                }
                self.body = Some(Body::new(self.assembly.attach(params, given, Source::Own)?));
            }
            Some(body) => {
                body.structure = self.assembly.attach_again(params, &mut body.stepper)?;
                (body.made, body.state) = (0, None);
            }
        }
        Ok(())
    }

    /// Learns from arrays what the parameters are like that calls will give.
    pub(crate) fn resemble(&mut self, params: &Bound<'_, PyAny>) -> PyResult<()> {
        self.body = Some(Body::new(self.assembly.attach(params, Vec::new(), Source::Params)?));
        Ok(())
    }

    /// Updates the parameters in place.
    pub(crate) fn step(&mut self, grads: &Bound<'_, PyAny>, call: &Call<'_, '_>) -> PyResult<Outcome> {
        let py = grads.py();
        let Body { stepper, structure, made, .. } = self.bound()?;
        let mut disturbed = structure.check_attached(py, &stepper.leaves)?;
        structure.warn_detached(py, &stepper.leaves, *made)?;
        disturbed |= structure.give(grads, &mut stepper.leaves)?;
        let &Call { t, loss, scale } = call;
        let outcome = stepper.step(py, t, &Given { loss, scale, outputs: None, disturbed });
        stepper.leaves.release(py);
        if outcome.is_ok() {
            *made += 1;
        }
        outcome
    }

    /// Updates the tensors that are watched in place, by the gradients that they have. None if they, or these groups, are
    /// not as they were.
    pub(crate) fn step_watched(
        &mut self,
        groups: &Bound<'_, PyList>,
        said: &Bound<'_, PyList>,
        call: &Call<'_, '_>,
    ) -> PyResult<Option<Outcome>> {
        let py = groups.py();
        let Body { stepper, made, .. } = self.bound()?;
        let &Call { t, loss, scale } = call;
        if !stepper.leaves.is_as_said(groups, said)? {
            return Ok(None);
        }
        stepper.leaves.take_gradients(py)?;
        // Only now, since the gradients are asked for in Python.
        let outcome = if stepper.leaves.are_in_place(py, t) {
            stepper.step(py, t, &Given { loss, scale, outputs: None, disturbed: false }).map(Some)
        } else {
            Ok(None)
        };
        stepper.leaves.release(py);
        *made += u64::from(matches!(outcome, Ok(Some(_))));
        outcome
    }

    /// Makes new arrays: the updated parameters, or with `differences` what is to be added to them.
    pub(crate) fn make<'py>(
        &mut self,
        grads: &Bound<'py, PyAny>,
        params: Option<&Bound<'py, PyAny>>,
        differences: bool,
        call: &Call<'_, 'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Outcome)> {
        let first = self.body.is_none();
        if first {
            if params.is_none() && self.assembly.starts_from_params() {
                return Err(value_error("updates needs params, because the state starts from them"));
            }
            let (like, source) = params.map_or((grads, Source::Grads), |params| (params, Source::Params));
            self.body = Some(Body::new(self.assembly.attach(like, Vec::new(), source)?));
        }
        let made = self.make_again(grads, params, differences, call);
        if first && made.is_err() {
            self.body = None;
        }
        made
    }

    /// The same where it is known what the parameters are like.
    fn make_again<'py>(
        &mut self,
        grads: &Bound<'py, PyAny>,
        params: Option<&Bound<'py, PyAny>>,
        differences: bool,
        call: &Call<'_, 'py>,
    ) -> PyResult<(Bound<'py, PyAny>, Outcome)> {
        let py = grads.py();
        let Body { stepper, structure, .. } = self.body_mut()?;
        let settings = stepper.settings();
        let depends = settings.policies.measure || settings.groups.iter().any(Group::reads_params);
        if depends && params.is_none() && !stepper.leaves.is_bound() {
            return Err(value_error(
                "updates needs params: the rule, weight_decay, l1, bounds, ema or measure depends on their values",
            ));
        }
        if differences && stepper.leaves.are_copied() {
            return Err(value_error(
                "updates makes no new parameters that could be put into copy_to: apply_gradients does",
            ));
        }
        headroom::ensure(stepper.leaves.len(), BYTES_OF_AN_ARRAY)?;
        let given =
            params.map(|params| structure.listed(params, Root::Given, &stepper.leaves)).transpose()?;
        // What no update depends on is not read, and then the sum with the updates is exactly what a step gives.
        let made = match (differences, depends) {
            (false, _) => Made::Params,
            (true, true) => Made::Differences,
            (true, false) => Made::Steps,
        };
        let outputs = stepper.leaves.outputs(py, given, made)?;
        structure.give(grads, &mut stepper.leaves)?;
        let &Call { t, loss, scale } = call;
        let outcome = stepper.step(py, t, &Given { loss, scale, outputs: Some(&outputs), disturbed: true });
        let updated: Vec<_> = match outcome {
            Ok(Outcome::Updated) => stepper.leaves.items().iter().map(|item| item.tensor).collect(),
            _ => Vec::new(),
        };
        stepper.leaves.release(py);
        let outcome = outcome?;
        for leaf in 0..stepper.leaves.len() {
            if updated.binary_search(&leaf).is_err() {
                outputs.leave(leaf)?;
            }
        }
        Ok((structure.tree.build(py, &mut |leaf| Outputs::array(&outputs, leaf))?, outcome))
    }

    /// Lets parameters that a pattern matches be, or updates them again.
    pub(crate) fn freeze(&mut self, py: Python<'_>, pattern: &str, frozen: bool) -> PyResult<()> {
        let leaves = &mut self.body_mut()?.stepper.leaves;
        let names = leaves.parameters().iter().map(Parameter::name);
        let label = format!("{}('{pattern}')", if frozen { "freeze" } else { "unfreeze" });
        for leaf in matching(py, &label, pattern, &names)? {
            leaves.freeze(leaf, frozen);
        }
        Ok(())
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(Body { stepper, structure, .. }) = &self.body else { return Ok(()) };
        stepper.traverse(visit)?;
        structure.traverse(visit)
    }
}

impl Body {
    fn new((structure, stepper): (Structure, Stepper)) -> Self {
        Self { stepper, structure, made: 0, state: None }
    }

    /// `{name: {slot: ndarray}}`, the optimizer's own memory; the same arrays at each call.
    pub(crate) fn state(&mut self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        if self.state.is_none() {
            let slots: Vec<_> = self.stepper.settings().groups.iter().map(Group::slots).collect();
            self.state = Some(self.stepper.leaves.state(py, &slots)?.unbind());
        }
        Ok(self.state.as_ref().expect("just made").clone_ref(py))
    }
}

fn without_params() -> PyErr {
    value_error(
        "this optimizer has no parameters of its own as yet: give it some with bind(params), or update others with \
         apply_gradients(grads, params)",
    )
}
