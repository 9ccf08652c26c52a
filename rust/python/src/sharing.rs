//! Steps that several optimizers make together, each of which has a stretch of every array; the stretches begin at
//! multiples of [`CHUNK`], so that the chunks of all of them are those of the whole arrays.
//!
//! [`CHUNK`]: gradstep_core::plans::CHUNK

use gradstep_core::feedback::Feedback;
use gradstep_core::plans::Plan;
use gradstep_core::sums::Partials;
use numpy::{PyArray1, PyArrayMethods};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::arrays::{Leaves, reserved};
use crate::errors::{memory_error, value_error};
use crate::observers::Observers;
use crate::settings::Settings;
use crate::terms::StepTerms;
use crate::windows::Window;

/// What connects an optimizer with the others.
pub(crate) struct Sharing {
    /// The object that meets them.
    meeting: Py<PyAny>,
    /// The numbers of elements of whole arrays; none if the optimizer has whole arrays, as all others do.
    lengths: Option<Vec<usize>>,
    /// Of whole arrays, those that the step goes over.
    whole: Plan,
}

impl Sharing {
    /// For a step that goes over the leaves' items. Each array is as long as it says, or, if it says nothing, as ours.
    pub(crate) fn new(meeting: Py<PyAny>, lengths: Option<Vec<usize>>, leaves: &Leaves) -> PyResult<Self> {
        if let Some(lengths) = &lengths
            && lengths.len() != leaves.len()
        {
            let (given, own) = (lengths.len(), leaves.len());
            return Err(value_error(format!("there are {given} lengths, but {own} parameters")));
        }
        Ok(Self { meeting, lengths, whole: Plan::default() })
    }

    /// Gets ready for a step that goes over these items.
    pub(crate) fn arrange(&mut self, leaves: &Leaves) -> PyResult<()> {
        if let Some(lengths) = &self.lengths {
            let items = leaves.items().iter().map(|item| lengths[item.tensor]);
            self.whole = Plan::new(items).map_err(memory_error)?;
        }
        Ok(())
    }

    /// The plan that sums are of, where that of the own stretches is `own`.
    pub(crate) fn plan<'a>(&'a self, own: &'a Plan) -> &'a Plan {
        if self.lengths.is_some() { &self.whole } else { own }
    }

    /// Makes the sums of our chunks those of all, in the order of the whole arrays.
    pub(crate) fn gather<const M: usize>(
        &self,
        py: Python<'_>,
        what: &str,
        leaves: &Leaves,
        own: &Plan,
        partials: &mut Partials<M>,
    ) -> PyResult<()> {
        if self.lengths.is_none() {
            return Ok(());
        }
        let chunks = self.whole.chunks();
        partials.reserve(chunks).map_err(memory_error)?;
        let mut sums: Vec<f64> = reserved(own.chunks() * M)?;
        sums.extend(partials.sums(0..own.chunks()).flatten());
        let mut items = None;
        if !leaves.is_complete() {
            let mut numbers: Vec<usize> = reserved(leaves.items().len())?;
            numbers.extend(leaves.items().iter().map(|item| item.tensor));
            items = Some(numbers);
        }
        let meet = intern!(py, "gather");
        let given = self.meeting.bind(py).call_method1(meet, (what, PyArray1::from_vec(py, sums), items))?;
        let given = given.cast_into::<PyArray1<f64>>().map_err(PyErr::from)?.readonly();
        let (given, rest) = given.as_slice()?.as_chunks::<M>();
        if given.len() != chunks || !rest.is_empty() {
            let count = given.len();
            return Err(value_error(format!("there are sums of {count} chunks, but {chunks} chunks")));
        }
        given.iter().enumerate().for_each(|(chunk, &sums)| partials.set(chunk, sums));
        Ok(())
    }

    /// The last word before anything is written, or before it is clear that nothing is. An error if others are about to
    /// do something else, or by other numbers.
    pub(crate) fn agree(
        &self,
        py: Python<'_>,
        what: &str,
        numbers: impl Iterator<Item = f64>,
    ) -> PyResult<()> {
        self.meeting.call_method1(py, intern!(py, "agree"), (what, digest(numbers))).map(drop)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.meeting)
    }
}

/// What an update follows from besides the arrays.
pub(crate) struct Numbers<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) leaves: &'a Leaves,
    pub(crate) observers: &'a Observers,
    pub(crate) terms: &'a StepTerms,
    pub(crate) window: &'a Window,
}

impl<'a> Numbers<'a> {
    /// Of update number `t`, under these limits.
    pub(crate) fn at(self, t: u64, limits: [Option<f64>; 2]) -> impl Iterator<Item = f64> + 'a {
        let Self { settings, leaves, observers, terms, window } = self;
        let of_leaf = |leaf: usize| {
            let marks = u8::from(leaves.is_frozen(leaf)) + 2 * u8::from(leaves.is_waiting(leaf));
            [leaves.missed(leaf) as f64, f64::from(marks)]
        };
        let first = [t as f64, window.count as f64].into_iter();
        let given =
            limits.map(|limit| limit.unwrap_or(f64::NAN)).into_iter().chain(settings.policies.numbers());
        let of_leaves = (0..leaves.len()).flat_map(of_leaf);
        let observed = observers.iter().flat_map(Feedback::state);
        first.chain(given).chain(of_leaves).chain(observed).chain(terms.numbers())
    }
}

/// A number that is the same where these are the same bits.
pub(crate) fn digest(numbers: impl Iterator<Item = f64>) -> u64 {
    let mut hash = Xxh3::new();
    numbers.for_each(|number| hash.update(&number.to_bits().to_le_bytes()));
    hash.digest()
}
