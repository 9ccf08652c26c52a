//! The numbers of a step: computed in f64, and rounded once to the dtype of each parameter.

use crate::floats::Float;

/// The most constants that a rule may have.
pub const MAX_CONSTANTS: usize = 12;

/// What the loop does around the rule. Each is exact where it is neutral:
///   g ← scale·g + decay·p;  p ← shrink·p
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors<F> {
    pub scale: F,
    pub decay: F,
    pub shrink: F,
}

impl<F: Float> Factors<F> {
    /// Whether they change nothing.
    #[inline(always)]
    pub(crate) fn are_idle(self) -> bool {
        self.decay == F::ZERO && [self.scale, self.shrink] == [F::ONE; 2]
    }
}

impl Factors<f64> {
    /// Whether all bits are the same: zeros of either sign differ.
    fn is(self, other: Self) -> bool {
        let differ = |a: f64, b: f64| a.to_bits() ^ b.to_bits();
        let (scale, decay) = (differ(self.scale, other.scale), differ(self.decay, other.decay));
        scale | decay | differ(self.shrink, other.shrink) == 0
    }
}

/// All numbers of a step that the loop uses: the factors and the constants of the rule.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<F> {
    pub factors: Factors<F>,
    /// The rule's, and zeros after them.
    pub constants: [F; MAX_CONSTANTS],
}

/// The same numbers in both dtypes: computed in f64 and rounded once.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    pub(crate) single: Numbers<f32>,
    pub(crate) double: Numbers<f64>,
}

impl<F: Float> Numbers<F> {
    const NEUTRAL: Self = Self {
        factors: Factors { scale: F::ONE, decay: F::ZERO, shrink: F::ONE },
        constants: [F::ZERO; MAX_CONSTANTS],
    };
}

impl Rounded {
    /// A loop that does nothing of its own, for a rule without constants.
    pub const NEUTRAL: Self = Self { single: Numbers::NEUTRAL, double: Numbers::NEUTRAL };

    pub fn set_factors(&mut self, factors: Factors<f64>) {
        if factors.is(self.double.factors) {
            return;
        }
        let Factors { scale, decay, shrink } = factors;
        let (scale, decay, shrink) = (scale as f32, decay as f32, shrink as f32);
        self.single.factors = Factors { scale, decay, shrink };
        self.double.factors = factors;
    }

    /// Each as it comes, since they may still be in registers.
    #[inline(always)]
    pub(crate) fn set_constants<const K: usize>(&mut self, constants: [f64; K]) {
        for (k, constant) in constants.into_iter().enumerate() {
            self.single.constants[k] = constant as f32;
            self.double.constants[k] = constant;
        }
    }
}
