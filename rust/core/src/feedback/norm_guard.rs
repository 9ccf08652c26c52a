//! A limit on gradient norms that lie far above the recent ones.

use std::collections::TryReserveError;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::adaptive::Feedback;
use super::reaction::{Signal, Verdict};
use super::recent::Recent;
use crate::error::{BadValue, Number};
use crate::ranges::{Range, choose, count};
use crate::schedules::Curve;

/// The longest window.
const LONGEST: u64 = 1_000_000;

/// `factor` times a quantile of the last norms, for a norm above that; no limit for any other.
#[derive(Debug)]
pub struct NormGuard {
    window: usize,
    quantile: f64,
    factor: f64,
    skips: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    recent: Recent,
    /// Of the last norm: infinite if it was not limited.
    limit: f64,
    /// What the last norm has changed since the mark: the limit before, and the norm that it drove out.
    change: Option<(f64, Option<f64>)>,
}

impl NormGuard {
    pub fn new(window: i64, quantile: f64, factor: f64, action: &str) -> Result<Self, BadValue> {
        let length = count("window", window, 1)?;
        if length > LONGEST {
            return Err(BadValue::new("window", &format!("at most {LONGEST}"), window));
        }
        let (window, quantile) = (length as usize, Range::UnitClosed.check("quantile", quantile)?);
        Ok(Self {
            window,
            quantile,
            factor: Range::AtLeastOne.check("factor", factor)?,
            skips: choose("action", action, &[("clip", false), ("skip", true)])?,
            state: Mutex::new(State {
                recent: Recent::new(window, quantile),
                limit: f64::INFINITY,
                change: None,
            }),
        })
    }

    /// Takes the memory for the norms of a window.
    pub fn reserve(&self) -> Result<(), TryReserveError> {
        self.lock().recent.reserve()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Curve for NormGuard {
    fn value(&self, _: u64) -> f64 {
        self.lock().limit
    }
}

impl Feedback for NormGuard {
    fn signal(&self) -> Signal {
        Signal::Guard
    }

    /// The norm is compared with those before it, and then counts as it is, limited or not: so a lasting new level
    /// is no longer above the quantile before the window is over.
    fn observe(&self, norm: f64) -> Result<Verdict, BadValue> {
        if !norm.is_finite() {
            return Err(BadValue::new("grad_norm", "finite", Number(norm)));
        }
        let mut state = self.lock();
        // A quantile of 0 says nothing of how large a norm may be.
        let quantile = state.recent.quantile().filter(|&quantile| quantile > 0.0);
        let highest = quantile.map_or(f64::INFINITY, |quantile| self.factor * quantile);
        let is_above = norm > highest;
        let oldest = state.recent.push(norm);
        state.change = Some((state.limit, oldest));
        state.limit = if is_above && !self.skips { highest } else { f64::INFINITY };
        Ok(if is_above && self.skips { Verdict::Skip } else { Verdict::Go })
    }

    fn mark(&self) {
        self.lock().change = None;
    }

    fn rewind(&self) {
        let mut state = self.lock();
        if let Some((limit, oldest)) = state.change.take() {
            state.recent.pop(oldest);
            state.limit = limit;
        }
    }

    fn names(&self) -> &'static [&'static str] {
        &["limit"]
    }

    fn list(&self) -> Option<&'static str> {
        Some("norms")
    }

    fn state(&self) -> Vec<f64> {
        let state = self.lock();
        std::iter::once(state.limit).chain(state.recent.numbers()).collect()
    }

    fn start(&self) -> Vec<f64> {
        vec![f64::INFINITY]
    }

    fn check(&self, state: &[f64]) -> Result<(), BadValue> {
        let norms = &state[1..];
        Range::Limit.check("limit", state[0])?;
        if norms.len() > self.window {
            let wants = format!("at most as long as the window ({} norms)", self.window);
            return Err(BadValue::new("norms", &wants, norms.len()));
        }
        Range::NonNegative.check_each("norms", norms)
    }

    fn restore(&self, state: &[f64]) {
        let mut own = self.lock();
        let mut recent = Recent::new(self.window, self.quantile);
        for &norm in &state[1..] {
            recent.push(norm.abs()); // without the sign that a zero may have
        }
        *own = State { recent, limit: state[0], change: None };
    }
}
