//! What happens to a parameter after its rule: shrinkage, bounds, and its average.

use crate::floats::Float;
use crate::machine::simd::{Tier, Vectorized};

/// p ← clamp(soft(shrink·p, threshold), low, high);  average ← β·average + (1−β)·p
///
/// where soft(x, τ) = sign(x)·max(|x| − τ, 0). Each is exact where it is neutral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct After {
    pub shrink: f64,
    pub threshold: f64,
    pub low: f64,
    pub high: f64,
    /// β, if there is an average.
    pub average: Option<f64>,
}

impl After {
    const NOTHING: Self =
        Self { shrink: 1.0, threshold: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY, average: None };

    pub(crate) fn run<F: Float>(&self, tier: Tier, p: &mut [F], average: Option<&mut [F]>) {
        let changes_nothing = Self { average: self.average, ..Self::NOTHING };
        if *self != changes_nothing {
            let [shrink, threshold, low, high] =
                [self.shrink, self.threshold, self.low, self.high].map(F::from_f64);
            tier.run(Finish { shrink, threshold, low, high, p });
        }
        if let (Some(beta), Some(average)) = (self.average, average) {
            let [beta, rest] = [beta, 1.0 - beta].map(F::from_f64);
            tier.run(Average { beta, rest, p, kept: average });
        }
    }
}

struct Finish<'a, F> {
    shrink: F,
    threshold: F,
    low: F,
    high: F,
    p: &'a mut [F],
}

impl<F: Float> Vectorized for Finish<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { shrink, threshold, low, high, p } = self;
        for p in p {
            let x = *p * shrink;
            let x = (x.abs() - threshold).at_least(F::ZERO).copysign(x);
            *p = x.at_least(low).at_most(high);
        }
    }
}

struct Average<'a, F> {
    beta: F,
    rest: F,
    p: &'a [F],
    kept: &'a mut [F],
}

impl<F: Float> Vectorized for Average<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (average, &p) in self.kept.iter_mut().zip(self.p) {
            *average = self.beta * *average + self.rest * p;
        }
    }
}
