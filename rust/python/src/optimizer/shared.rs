//! What a step, and those who come meanwhile, have in common.

use gradstep_core::ranges::Range;
use gradstep_core::schedules::LAST_STEP;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use try_lock::{Locked, TryLock};

use crate::errors::value_error;
use crate::numbers::real;
use crate::outcomes::{Last, Outcome};
use crate::ready::{Call, Ready};
use crate::settings::Settings;

#[pyclass(subclass, frozen, module = "gradstep._core")]
pub(crate) struct Optimizer {
    /// Nobody waits for it, so that letting go of it is a plain store.
    pub(super) ready: TryLock<Option<Ready>>,
    pub(super) told: Mutex<Option<Told>>,
    pub(super) t: AtomicU64,
    /// The bits of the last step's norms, or [`NO_NORM`]: of the gradients, of the update, of the parameters before it.
    pub(super) norms: [AtomicU64; 3],
    pub(super) skipped: AtomicU64,
    /// Whether the parameters hold something else for a while, and are not to be updated.
    pub(super) swapped: AtomicBool,
}

/// What the optimizer was told, and the size of what it updates.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) settings: Arc<Settings>,
    pub(super) arrays: usize,
    pub(super) elements: usize,
}

/// No bits of a norm: of the NaNs, none that arithmetic makes.
pub(super) const NO_NORM: u64 = u64::MAX;

impl Told {
    pub(super) fn of(ready: &Ready) -> Self {
        let (mut arrays, mut elements) = (0, 0);
        if let Some(body) = ready.known() {
            (arrays, elements) = (body.stepper.leaves.len(), body.stepper.elements());
        }
        Self { settings: Arc::clone(&ready.assembly.settings), arrays, elements }
    }
}

impl Optimizer {
    /// All that a step needs, unless somebody has it.
    pub(super) fn lock(&self) -> PyResult<Locked<'_, Option<Ready>>> {
        self.ready.try_lock().ok_or_else(|| {
            PyRuntimeError::new_err(
                "this optimizer is in the middle of a step, in another thread or in its own schedule",
            )
        })
    }

    /// Makes new arrays; see [`Ready::make`].
    pub(super) fn make<'py>(
        &self,
        grads: &Bound<'py, PyAny>,
        params: Option<&Bound<'py, PyAny>>,
        differences: bool,
        loss: Option<&Bound<'py, PyAny>>,
        scale: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let scale = scale_of(scale)?;
        let mut guard = self.lock()?;
        let ready = guard.as_mut().ok_or_else(not_ready)?;
        let (made, outcome) =
            ready.make(grads, params, differences, &Call { t: self.next()?, loss, scale })?;
        self.record(outcome, ready.last());
        self.tell(guard);
        Ok(made)
    }

    /// Ends what was done with all that a step needs: from here on others are told of it.
    pub(super) fn tell(&self, guard: Locked<'_, Option<Ready>>) {
        let old = guard.as_ref().and_then(|ready| self.told().replace(Told::of(ready)));
        // What is dropped may run code, and so only when the lock is gone.
        drop(guard);
        drop(old);
    }

    /// Refuses what is not to be done while the parameters hold their averages.
    pub(super) fn check_own(&self, refused: &str) -> PyResult<()> {
        if self.swapped.load(Ordering::Relaxed) {
            let message = format!("{refused} inside swap_averaged: the parameters are averages");
            return Err(PyRuntimeError::new_err(message));
        }
        Ok(())
    }

    /// The number of the next update, if there may be one.
    pub(super) fn next(&self) -> PyResult<u64> {
        self.check_own("no step is made")?;
        match self.t.load(Ordering::Relaxed) {
            LAST_STEP => Err(value_error("step_count is 2**63 - 1, after which no update can be counted")),
            t => Ok(t),
        }
    }

    /// Keeps what is known after a step. Returns whether any parameter was updated.
    #[inline]
    pub(super) fn record(&self, outcome: Outcome, last: Last) -> bool {
        match outcome {
            Outcome::Updated => {
                let bits = |norm: Option<f64>| norm.map_or(NO_NORM, f64::to_bits);
                self.norms[0].store(bits(last.norm), Ordering::Relaxed);
                for (i, place) in self.norms[1..].iter().enumerate() {
                    place.store(bits(last.measured.map(|norms| norms[i])), Ordering::Relaxed);
                }
                // Nobody else counts: the caller has the lock.
                self.t.store(self.step_count() + 1, Ordering::Relaxed);
                last.any
            }
            Outcome::Waiting => false,
            Outcome::Skipped => {
                self.skipped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    pub(super) fn norm(&self, i: usize) -> Option<f64> {
        let bits = self.norms[i].load(Ordering::Relaxed);
        (bits != NO_NORM).then_some(f64::from_bits(bits))
    }

    /// Held for a moment only, and never while Python code runs.
    pub(super) fn told(&self) -> MutexGuard<'_, Option<Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn snapshot(&self) -> PyResult<Told> {
        self.told().clone().ok_or_else(not_ready)
    }
}

pub(super) fn scale_of(given: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
    let Some(given) = given else { return Ok(1.0) };
    Range::Finite.check("scale", real("scale", given, "a float")?).map_err(value_error)
}

pub(super) fn not_ready() -> PyErr {
    PyRuntimeError::new_err("this optimizer's __init__ has not run")
}
