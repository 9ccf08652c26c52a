//! A schedule with a reaction, and its state.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reaction::{Reaction, Signal, Verdict};
use crate::error::{BadValue, Number};
use crate::machine::simd::Tier;
use crate::ranges::choose;
use crate::schedules::{Curve, Schedule};

/// A feedback schedule whose type has been forgotten.
pub trait Feedback: Curve {
    fn signal(&self) -> Signal;

    /// Takes in an observation, or leaves the state as it was.
    fn observe(&self, seen: f64) -> Result<Verdict, BadValue>;

    /// Remembers where the state is.
    fn mark(&self);

    /// Takes the last observation since the mark back.
    fn rewind(&self);

    /// The names of the state's numbers.
    fn names(&self) -> &'static [&'static str];

    /// How the list of all further numbers is called, if there is one.
    fn list(&self) -> Option<&'static str> {
        None
    }

    /// The numbers of the state, in the order of the names, and then those of the list.
    fn state(&self) -> Vec<f64>;

    /// The state before the first observation, when the list is empty. What no observation has given yet is infinite.
    fn start(&self) -> Vec<f64>;

    /// Checks a state of a number for each name, and those of the list, before it is restored.
    fn check(&self, state: &[f64]) -> Result<(), BadValue>;

    /// Takes over a checked state.
    fn restore(&self, state: &[f64]);
}

/// A schedule with a reaction and its state.
#[derive(Debug)]
pub struct Adaptive<R, const N: usize> {
    schedule: Schedule,
    reaction: R,
    skip_nonfinite: bool,
    state: Mutex<State<N>>,
}

#[derive(Debug)]
struct State<const N: usize> {
    now: [f64; N],
    marked: [f64; N],
}

impl<R: Reaction<N>, const N: usize> Adaptive<R, N> {
    /// `on_nonfinite` says what to do with a NaN or infinite observation: "raise" or "ignore".
    pub fn new(schedule: Schedule, reaction: R, on_nonfinite: &str) -> Result<Self, BadValue> {
        let skip_nonfinite = choose("on_nonfinite", on_nonfinite, &[("raise", false), ("ignore", true)])?;
        let state = State { now: reaction.start(), marked: reaction.start() };
        Ok(Self { schedule, state: Mutex::new(state), reaction, skip_nonfinite })
    }

    fn lock(&self) -> MutexGuard<'_, State<N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many numbers as the state has, which the callers see to.
fn all<const N: usize>(state: &[f64]) -> [f64; N] {
    state.try_into().expect("a number for each name")
}

impl<R: Reaction<N>, const N: usize> Curve for Adaptive<R, N> {
    fn value(&self, t: u64) -> f64 {
        self.reaction.value(self.schedule.value(t), self.lock().now)
    }

    fn horizon(&self) -> Option<f64> {
        self.schedule.horizon()
    }

    fn fill(&self, tier: Tier, steps: &[u64], out: &mut [f64]) {
        self.schedule.fill(tier, steps, out);
        let state = self.lock().now;
        for value in out {
            *value = self.reaction.value(*value, state);
        }
    }
}

impl<R: Reaction<N>, const N: usize> Feedback for Adaptive<R, N> {
    fn signal(&self) -> Signal {
        R::SIGNAL
    }

    fn observe(&self, seen: f64) -> Result<Verdict, BadValue> {
        if !seen.is_finite() {
            let name = if R::SIGNAL == Signal::Loss { "loss" } else { "grad_norm" };
            let bad = BadValue::new(name, "finite", Number(seen));
            return if self.skip_nonfinite { Ok(Verdict::Go) } else { Err(bad) };
        }
        let mut state = self.lock();
        state.now = self.reaction.observe(state.now, seen)?;
        Ok(Verdict::Go)
    }

    fn mark(&self) {
        let mut state = self.lock();
        state.marked = state.now;
    }

    fn rewind(&self) {
        let mut state = self.lock();
        state.now = state.marked;
    }

    fn names(&self) -> &'static [&'static str] {
        const { &R::STATE }
    }

    fn state(&self) -> Vec<f64> {
        self.lock().now.to_vec()
    }

    fn start(&self) -> Vec<f64> {
        self.reaction.start().to_vec()
    }

    fn check(&self, state: &[f64]) -> Result<(), BadValue> {
        self.reaction.check(all(state))
    }

    fn restore(&self, state: &[f64]) {
        self.lock().now = all(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::{GradNorm, Loss, Plateau};
    use crate::schedules::Constant;
    use std::sync::Arc;

    fn schedule() -> Schedule {
        Arc::new(Constant::new(0.5).unwrap())
    }

    #[test]
    fn nothing_observed_leaves_the_schedule() {
        let plateau = Plateau::new(0.1, 2, 0.0, "abs", 0, 0.0, "min").unwrap();
        let curves: [Box<dyn Feedback>; 3] = [
            Box::new(Adaptive::new(schedule(), plateau, "raise").unwrap()),
            Box::new(Adaptive::new(schedule(), Loss::new(2.0).unwrap(), "raise").unwrap()),
            Box::new(Adaptive::new(schedule(), GradNorm::new(2.0, true).unwrap(), "raise").unwrap()),
        ];
        for curve in curves {
            assert_eq!(curve.value(7), 0.5, "{:?}", curve.signal());
            let before = curve.state();
            assert!(curve.observe(f64::NAN).is_err());
            assert_eq!(curve.state(), before);
        }
    }

    #[test]
    fn a_restored_state_gives_the_same_values() {
        let make = || Adaptive::new(schedule(), GradNorm::new(0.5, false).unwrap(), "ignore").unwrap();
        let (a, b) = (make(), make());
        for norm in [1.0, 3.0, f64::INFINITY] {
            a.observe(norm).unwrap();
        }
        b.check(&a.state()).unwrap();
        b.restore(&a.state());
        assert_eq!(a.value(0), b.value(0));
        assert_eq!(a.value(0), 0.5 / 6f64.sqrt());
    }
}
