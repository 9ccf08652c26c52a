//! Curves that fall and rise: cosine, warm restarts, cyclic.

use super::curve::{Formula, blend};
use super::raised_cosine::RaisedCosine;
use crate::error::BadValue;
use crate::ranges::{Range, choose, count, not_below};

/// end + (start−end)·(1 + cos πt/T)/2, and `end` from t = T on unless `periodic`.
#[derive(Clone, Copy, Debug)]
pub struct Cosine {
    start: f64,
    steps: u64,
    wave: RaisedCosine,
    end: f64,
    periodic: bool,
}

impl Cosine {
    pub fn new(start: f64, steps: i64, end: f64, periodic: bool) -> Result<Self, BadValue> {
        let start = Range::Finite.check("start", start)?;
        let steps = count("steps", steps, 1)?;
        let wave = RaisedCosine::new(steps as f64);
        Ok(Self { start, steps, wave, end: Range::Finite.check("end", end)?, periodic })
    }
}

impl Formula for Cosine {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        // The wave is folded back in integers, so that it is as exact at t = 10¹² as at t = 1.
        let done = if self.periodic {
            let phase = t % (2 * self.steps);
            phase.min(2 * self.steps - phase)
        } else {
            t.min(self.steps)
        };
        blend(self.start, self.end, self.wave.at(done as f64))
    }

    fn horizon(self) -> Option<f64> {
        Some(self.steps as f64 * if self.periodic { 6.0 } else { 1.0 })
    }
}

/// Warm restarts: cycle i begins at period·Σ_{k<i} mult^k, or at the integer nearest to that if `rounded`, falls
/// as a half cosine from `start·peak_mult^i` towards `end`, and is over before it reaches it.
#[derive(Clone, Copy, Debug)]
pub struct CosineRestarts {
    start: f64,
    period: u64,
    period_mult: f64,
    peak_mult: f64,
    end: f64,
    rounded: bool,
}

impl CosineRestarts {
    pub fn new(
        start: f64,
        period: i64,
        period_mult: f64,
        peak_mult: f64,
        end: f64,
        rounded: bool,
    ) -> Result<Self, BadValue> {
        let start = Range::Finite.check("start", start)?;
        let period = count("period", period, 1)?;
        let period_mult = Range::AtLeastOne.check("period_mult", period_mult)?;
        let peak_mult = Range::NonNegative.check("peak_mult", peak_mult)?;
        let end = Range::Finite.check("end", end)?;
        Ok(Self { start, period, period_mult, peak_mult, end, rounded })
    }

    /// Where a cycle begins: exact below 2⁵³ for every whole `period_mult`. It is computed here and nowhere
    /// else, so that cycles have no gap and no overlap. Infinite where no float is as large.
    fn begin(&self, cycle: u64) -> f64 {
        let growth = self.period_mult - 1.0;
        // Σ_{k<i} mult^k = (mult^i − 1)/(mult − 1); the second form does not cancel near mult = 1.
        let periods = if growth > 1e-4 {
            (self.period_mult.powf(cycle as f64) - 1.0) / growth
        } else {
            (cycle as f64 * growth.ln_1p()).exp_m1() / growth
        };
        let begin = self.period as f64 * periods;
        if self.rounded { begin.round() } else { begin }
    }

    /// The cycle that t is in, how far it has come and its length.
    fn cycle(&self, t: u64) -> (u64, f64, f64) {
        if self.period_mult == 1.0 {
            let cycle = t / self.period;
            return (cycle, (t - cycle * self.period) as f64, self.period as f64);
        }
        let growth = self.period_mult - 1.0;
        let estimate = (t as f64 * growth / self.period as f64).ln_1p() / growth.ln_1p();
        // The cycle begins at `low` or between the two, since none is shorter than the first (but for rounding).
        // The estimate is next to it; where it is not, as where it overflows, halving ends the search.
        let (mut low, mut high) = (0, t / self.period + 2);
        let (mut begin, mut next) = (0.0, f64::INFINITY);
        let (mut look, mut tries) = (estimate as u64, 4);
        while high - low > 1 {
            look = if tries > 0 { look.clamp(low + 1, high - 1) } else { low.midpoint(high) };
            tries -= i32::from(tries > 0);
            let there = self.begin(look);
            let first = if self.rounded { there } else { there.ceil() };
            if first as u64 <= t {
                (low, begin) = (look, there);
                look += 1;
            } else {
                (high, next) = (look, there);
                look -= 1;
            }
        }
        // The difference of the integers is exact, as that of floats beyond 2⁵³ is not.
        let done = if self.rounded { (t - begin as u64) as f64 } else { t as f64 - begin };
        (low, done, (next - begin).min(f64::MAX))
    }
}

impl Formula for CosineRestarts {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let (cycle, done, length) = self.cycle(t);
        let peak = self.start * self.peak_mult.powf(cycle as f64);
        blend(peak, self.end, RaisedCosine::new(length).at(done))
    }

    fn horizon(self) -> Option<f64> {
        Some(self.period as f64 * (1.0 + self.period_mult * (1.0 + self.period_mult)))
    }
}

/// How the height of the triangles changes.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Triangular,
    Triangular2,
    ExpRange,
}

/// low + (high−low)·x·h: x goes from 0 to 1 in `up` steps and back in `down`; h is 1, 2^−cycle
/// (`triangular2`) or gamma^t (`exp_range`). Inverted, it is high − (high−low)·x·h.
#[derive(Clone, Copy, Debug)]
pub struct Cyclic {
    /// Where each triangle has its foot, and where the first one has its top.
    foot: f64,
    top: f64,
    up: u64,
    down: u64,
    mode: Mode,
    gamma: f64,
}

impl Cyclic {
    pub fn new(
        low: f64,
        high: f64,
        up: i64,
        down: i64,
        mode: &str,
        gamma: f64,
        invert: bool,
    ) -> Result<Self, BadValue> {
        let modes = [
            ("triangular", Mode::Triangular),
            ("triangular2", Mode::Triangular2),
            ("exp_range", Mode::ExpRange),
        ];
        let low = Range::Finite.check("low", low)?;
        let high = not_below("high", high, "low", low)?;
        let (foot, top) = if invert { (high, low) } else { (low, high) };
        Ok(Self {
            foot,
            top,
            up: count("up", up, 1)?,
            down: count("down", down, 1)?,
            mode: choose("mode", mode, &modes)?,
            gamma: Range::UnitClosed.check("gamma", gamma)?,
        })
    }
}

impl Formula for Cyclic {
    #[inline(always)]
    fn at(self, t: u64) -> f64 {
        let period = self.up + self.down;
        let (cycle, phase) = (t / period, t % period);
        let x = if phase <= self.up {
            phase as f64 / self.up as f64
        } else {
            (period - phase) as f64 / self.down as f64
        };
        let height = match self.mode {
            Mode::Triangular => 1.0,
            Mode::Triangular2 => 0.5_f64.powf(cycle as f64),
            Mode::ExpRange => self.gamma.powf(t as f64),
        };
        blend(self.top, self.foot, x * height)
    }

    fn horizon(self) -> Option<f64> {
        Some(3.0 * (self.up + self.down) as f64)
    }
}
