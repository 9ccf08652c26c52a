//! The raised cosine (1 + cos πx)/2, the shape of every cosine schedule.
//!
//! # Rationale
//! std's `cos` is a call, so it does not vectorise; and 1 + cos πx loses all its digits where the wave
//! comes down to 0. With u = min(x, 1−x) and v = πu/2 the rise is sin²v, one polynomial on 0 ≤ v ≤ π/4;
//! the wave is 1 − sin²v in its first half and sin²v in its second. No branch, no table, no division.
//!
//! v is computed to twice the precision, by Dekker's products of split numbers (1971,
//! doi:10.1007/BF01397083), for sin²v would double its rounding errors. What is left is the last rounding
//! and that of the small terms: below 2 ulp everywhere.

use std::f64::consts::FRAC_PI_2;

/// π/2 − [`FRAC_PI_2`].
const FRAC_PI_2_TAIL: f64 = 6.123_233_995_736_766e-17;

/// sin²v = v² + v⁴·Σ `TERMS[k]`·v^2k on 0 ≤ v ≤ π/4, fitted by `mpmath.chebyfit`; the relative error of
/// sin²v is below 2e-17.
const TERMS: [f64; 8] = [
    -0.333_333_333_333_333_3,
    0.044_444_444_444_444_42,
    -0.003_174_603_174_602_221,
    0.000_141_093_474_414_436_16,
    -4.275_559_752_268_895e-06,
    9.396_807_493_836_363e-08,
    -1.565_615_038_544_558_6e-09,
    1.994_737_368_333_493_7e-11,
];

/// A half wave of a given length.
#[derive(Clone, Copy, Debug)]
pub(super) struct RaisedCosine {
    steps: f64,
    /// π/2 / steps: its first 26 bits, and the rest.
    rate: f64,
    rate_rest: f64,
}

impl RaisedCosine {
    /// `steps` must be above 0, or the wave is never asked for a value.
    #[inline(always)]
    pub(super) fn new(steps: f64) -> Self {
        let quotient = FRAC_PI_2 / steps;
        let ((q, q_rest), (s, s_rest)) = (split(quotient), split(steps));
        let remainder = ((FRAC_PI_2 - q * s) - q * s_rest - q_rest * s) - q_rest * s_rest;
        Self { steps, rate: q, rate_rest: q_rest + (remainder + FRAC_PI_2_TAIL) / steps }
    }

    /// (1 + cos πx)/2 at x = `done`/steps, from 0 to 1: exactly 1 at 0 and exactly 0 at 1.
    #[inline(always)]
    pub(super) fn at(self, done: f64) -> f64 {
        let left = self.steps - done;
        let first_half = done <= left;
        let d = if first_half { done } else { left };
        let (d_head, d_rest) = split(d);
        let head = d_head * self.rate;
        let tail = d_rest * self.rate + d * self.rate_rest;
        let v = head + tail;
        let (v_head, _) = split(v);
        let v_rest = (head - v_head) + tail;
        let square = v * v;
        let [terms @ .., last] = &TERMS;
        let mut sum = *last;
        for term in terms.iter().rev() {
            sum = sum * square + term;
        }
        let rise = v_head * v_head + (v_rest * (v_head + v) + square * square * sum);
        if first_half { 1.0 - rise } else { rise }
    }
}

/// A number as a sum of its first 26 bits and the rest, so that the product of two first parts is exact.
#[inline(always)]
fn split(x: f64) -> (f64, f64) {
    let head = f64::from_bits(x.to_bits() & (u64::MAX << 27));
    (head, x - head)
}

#[cfg(test)]
mod tests {
    use super::{FRAC_PI_2, RaisedCosine};

    /// (done, steps, (1 + cos(π·done/steps))/2 to 50 digits, rounded), from mpmath 1.4.
    #[allow(clippy::unreadable_literal, reason = "a table of Python's numbers")]
    const TABLE: &[(u64, u64, f64)] = &[
        (1, 2, 0.5),
        (151861506667, 225616376570, 0.24130529378450394),
        (1, 3, 0.75),
        (2, 3, 0.25),
        (1, 7, 0.9504844339512095),
        (2, 7, 0.8117449009293668),
        (3, 7, 0.6112604669781572),
        (4, 7, 0.3887395330218428),
        (6, 7, 0.049515566048790434),
        (1, 10, 0.9755282581475768),
        (2, 10, 0.9045084971874737),
        (3, 10, 0.7938926261462366),
        (5, 10, 0.5),
        (6, 10, 0.3454915028125263),
        (9, 10, 0.024471741852423214),
        (1, 1000, 0.999997532600929),
        (250, 1000, 0.8535533905932737),
        (333, 1000, 0.750453312680355),
        (500, 1000, 0.5),
        (501, 1000, 0.4984292062570602),
        (508, 1000, 0.4874349522783313),
        (666, 1000, 0.2509074473302546),
        (999, 1000, 2.467399070916944e-06),
        (1, 999983, 0.9999999999975325),
        (249995, 999983, 0.8535542236470052),
        (333327, 999983, 0.7500009069145513),
        (499991, 999983, 0.5000007854115154),
        (499992, 999983, 0.4999992145884846),
        (666655, 999983, 0.2500004534576869),
        (797927, 999983, 0.09740141345152041),
        (999982, 999983, 2.467484994047005e-12),
        (1, 1000000, 0.9999999999975326),
        (250000, 1000000, 0.8535533905932737),
        (333333, 1000000, 0.750000453449704),
        (471326, 1000000, 0.544980122328188),
        (500000, 1000000, 0.5),
        (500001, 1000000, 0.4999984292036732),
        (666666, 1000000, 0.2500009069002304),
        (999999, 1000000, 2.4674011002703103e-12),
        (1, 2147483647, 1.0),
        (536870911, 2147483647, 0.8535533909811885),
        (715827882, 2147483647, 0.750000000211154),
        (1014138929, 2147483647, 0.5435418535325919),
        (1073741823, 2147483647, 0.5000000003657296),
        (1073741824, 2147483647, 0.4999999996342705),
        (1431655764, 2147483647, 0.2500000004223081),
        (2147483646, 2147483647, 5.350323271599667e-19),
    ];

    fn ulps(got: f64, want: f64) -> u64 {
        got.to_bits().abs_diff(want.to_bits())
    }

    #[test]
    fn the_ends_are_exact() {
        for steps in [1.0, 2.0, 3.0, 1e6, 1e15] {
            let wave = RaisedCosine::new(steps);
            assert_eq!(wave.at(0.0), 1.0);
            assert_eq!(wave.at(steps), 0.0);
            assert!(ulps(wave.at(steps / 2.0), 0.5) <= 1);
        }
    }

    #[test]
    fn equals_the_table_within_2_ulp() {
        for &(done, steps, want) in TABLE {
            let got = RaisedCosine::new(steps as f64).at(done as f64);
            assert!(ulps(got, want) <= 2, "{done}/{steps}: {got:e} is not {want:e}");
        }
    }

    #[test]
    fn equals_the_squared_sine_of_std() {
        let steps = 100_003;
        let wave = RaisedCosine::new(f64::from(steps));
        for done in 0..=steps {
            let sine = (FRAC_PI_2 * (f64::from(steps - done) / f64::from(steps))).sin();
            let (got, want) = (wave.at(f64::from(done)), sine * sine);
            assert!((got - want).abs() <= 8.0 * f64::EPSILON * want, "{done}: {got:e} is not {want:e}");
        }
    }
}
