//! What is done to one element.

use crate::codecs::narrow;
use crate::floats::Float;
use crate::numbers::Factors;
use crate::rule::Rule;

/// Gives the new parameter and state.
#[inline(always)]
pub(super) fn element<
    F: Float,
    R: Rule<K, N>,
    const K: usize,
    const N: usize,
    const FACTORS: bool,
    const DECAY: bool,
>(
    factors: Factors<F>,
    constants: [F; K],
    p: F,
    g: F,
    state: [F; N],
) -> (F, [F; N]) {
    let (element, gradient) = enter::<F, FACTORS, DECAY>(factors, p, g);
    let (step, state) = R::step(constants, element, gradient, state);
    (element - step, state)
}

/// Gives what the rule sees of the parameter and of the gradient.
#[inline(always)]
pub(super) fn enter<F: Float, const FACTORS: bool, const DECAY: bool>(
    Factors { scale, decay, shrink, .. }: Factors<F>,
    p: F,
    g: F,
) -> (F, F) {
    let gradient = if FACTORS { g * scale } else { g };
    let gradient = if DECAY { gradient + decay * p } else { gradient };
    (if FACTORS { p * shrink } else { p }, gradient)
}

/// Whether a slot is kept in fewer bits. To be asked at compile time, or LLVM learns too late which slices have been
/// checked, and takes the last elements of each block one by one.
pub(super) const fn is_narrow<R: Rule<K, N>, const K: usize, const N: usize>(slot: usize) -> bool {
    (const { narrow(&R::SLOTS) }) >> slot & 1 == 1
}

/// Whether a slot may be below 0.
pub(super) const fn is_signed<R: Rule<K, N>, const K: usize, const N: usize>(slot: usize) -> bool {
    slot < N && R::SLOTS[slot].is_signed()
}
