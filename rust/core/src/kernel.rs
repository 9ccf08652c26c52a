//! One rule behind one dynamic call a block: the one element loop, which every rule, dtype and tier runs
//! through.

use crate::floats::Float;
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Block, Streams};
use crate::rule::{MAX_STATE, Rule, Slot};
use std::fmt;
use std::marker::PhantomData;

/// The most constants that a rule may have.
pub const MAX_CONSTANTS: usize = 12;

/// What the loop does around the rule. Each is exact where it is neutral:
///   g ← scale·g + decay·p;  p ← shrink·p;  p ← p − gain·step
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors<F> {
    pub scale: F,
    pub decay: F,
    pub shrink: F,
    pub gain: F,
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
    single: Numbers<f32>,
    double: Numbers<f64>,
}

impl<F: Float> Numbers<F> {
    const NEUTRAL: Self = Self {
        factors: Factors { scale: F::ONE, decay: F::ZERO, shrink: F::ONE, gain: F::ONE },
        constants: [F::ZERO; MAX_CONSTANTS],
    };
}

impl Rounded {
    /// A loop that does nothing of its own, for a rule without constants.
    pub const NEUTRAL: Self = Self { single: Numbers::NEUTRAL, double: Numbers::NEUTRAL };

    pub fn set_factors(&mut self, factors: Factors<f64>) {
        let Factors { scale, decay, shrink, gain } = factors;
        let (scale, decay, shrink, gain) = (scale as f32, decay as f32, shrink as f32, gain as f32);
        self.single.factors = Factors { scale, decay, shrink, gain };
        self.double.factors = factors;
    }

    /// Each as it comes, since they may still be in registers.
    #[inline(always)]
    fn set_constants<const K: usize>(&mut self, constants: [f64; K]) {
        for (k, constant) in constants.into_iter().enumerate() {
            self.single.constants[k] = constant as f32;
            self.double.constants[k] = constant;
        }
    }
}

/// A rule whose type has been forgotten. It has no data: numbers and memory come with each call.
pub trait Kernel: Sync {
    fn slots(&self) -> &'static [Slot];

    /// Computes the rule's constants of update number `t`; `hypers` are its own, in its order.
    fn prepare(&self, hypers: &[f64], lr: f64, t: u64, numbers: &mut Rounded);

    /// Updates a block.
    fn apply(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>);
}

impl fmt::Debug for dyn Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(&self.slots()).finish()
    }
}

/// The kernel of the rule `R`.
pub(crate) const fn kernel<R: Rule<K, N>, const K: usize, const N: usize>() -> &'static dyn Kernel {
    const {
        assert!(K <= MAX_CONSTANTS, "raise MAX_CONSTANTS");
        assert!(N <= MAX_STATE, "raise MAX_STATE, and write one more stream in `streams!`");
    }
    &Typed::<R, K, N>(PhantomData)
}

struct Typed<R, const K: usize, const N: usize>(PhantomData<fn() -> R>);

impl<R: Rule<K, N>, const K: usize, const N: usize> Kernel for Typed<R, K, N> {
    fn slots(&self) -> &'static [Slot] {
        const { &R::SLOTS }
    }

    fn prepare(&self, hypers: &[f64], lr: f64, t: u64, numbers: &mut Rounded) {
        numbers.set_constants(R::from_values(hypers).constants(lr, t));
    }

    fn apply(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>) {
        match block {
            Block::Single(streams) => apply::<f32, R, K, N>(tier, &numbers.single, streams),
            Block::Double(streams) => apply::<f64, R, K, N>(tier, &numbers.double, streams),
        }
    }
}

#[inline(always)]
fn apply<F: Float, R: Rule<K, N>, const K: usize, const N: usize>(
    tier: Tier,
    numbers: &Numbers<F>,
    streams: &mut Streams<'_, F>,
) {
    let rule = PhantomData::<R>;
    let Factors { scale, decay, shrink, gain } = numbers.factors;
    let one = F::ONE;
    if decay != F::ZERO {
        // Without decay nothing may be added: 0·p is NaN where p is infinite, and −0 + 0 loses its sign.
        tier.run(Loop::<F, R, K, N, true, true> { numbers, streams, rule });
    } else if tier == Tier::BASELINE && [scale, shrink, gain] == [one; 3] {
        // Narrow registers make three idle multiplications felt: without them SGD is 1.7 times as fast in
        // cache on SSE2. Wider ones hide them.
        Tier::BASELINE.run(Loop::<F, R, K, N, false, false> { numbers, streams, rule });
    } else {
        tier.run(Loop::<F, R, K, N, true, false> { numbers, streams, rule });
    }
}

/// `FACTORS`: whether they are multiplied by; `DECAY`: whether decay enters the gradient.
struct Loop<'a, 'b, F, R, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool> {
    numbers: &'a Numbers<F>,
    streams: &'a mut Streams<'b, F>,
    rule: PhantomData<R>,
}

/// The loop over the elements, with a parameter for each state slot that a rule may have: so LLVM knows
/// that no slice aliases another.
macro_rules! streams { ($($k:literal $slot:ident),*) => {
    const _: () = assert!([$($k),*].len() == MAX_STATE);

    impl<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>
        Vectorized for Loop<'_, '_, F, R, K, N, FACTORS, DECAY>
    {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            #[expect(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn each<F: Float, R: Rule<K, N>, const K: usize, const N: usize, const FACTORS: bool, const DECAY: bool>(
                Factors { scale, decay, shrink, gain }: Factors<F>,
                constants: [F; K],
                p: &mut [F],
                g: &[F],
                $($slot: &mut [F]),*
            ) {
                let n = p.len();
                // One check for each slice here, none in the loop.
                assert!(g.len() == n);
                $(assert!(N <= $k || $slot.len() == n);)*
                for i in 0..n {
                    let mut state = [F::ZERO; N];
                    $(if N > $k { state[$k] = $slot[i]; })*
                    let gradient = if FACTORS { g[i] * scale } else { g[i] };
                    let gradient = if DECAY { gradient + decay * p[i] } else { gradient };
                    let element = if FACTORS { p[i] * shrink } else { p[i] };
                    let (step, state) = R::step(constants, element, gradient, state);
                    p[i] = if FACTORS { element - gain * step } else { element - step };
                    $(if N > $k { $slot[i] = state[$k]; })*
                }
            }
            let (p, g, state) = self.streams.split::<N>();
            let mut state = state.into_iter();
            $(let $slot = if N > $k { state.next().unwrap_or_default() } else { &mut [] };)*
            let constants = std::array::from_fn(|k| self.numbers.constants[k]);
            each::<F, R, K, N, FACTORS, DECAY>(self.numbers.factors, constants, p, g, $($slot),*);
        }
    }
} }
streams!(0 s0, 1 s1, 2 s2, 3 s3, 4 s4, 5 s5);
