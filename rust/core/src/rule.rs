//! What an update rule is: numbers in, numbers out. It knows nothing of memory, tiers or other rules.

use crate::floats::Float;
use crate::ranges::Range;

/// The most state slots that a rule may have.
pub const MAX_STATE: usize = 6;

/// The most hyperparameters that a rule may have of its own.
pub const MAX_HYPERS: usize = 12;

/// A rule with `K` constants a step and `N` state slots.
pub trait Rule<const K: usize, const N: usize>: Hypers + 'static {
    /// As torch names them.
    const SLOTS: [Slot; N];

    /// The constants of a parameter's update number `t`, the first one being 0. The mechanism rounds each
    /// once to the parameter's dtype.
    fn constants(&self, lr: f64, t: u64) -> [f64; K];

    /// What is subtracted from the element `p`, and its new state. Mark it `#[inline(always)]`.
    fn step<F: Float>(constants: [F; K], p: F, g: F, state: [F; N]) -> (F, [F; N]);
}

/// One number that a rule remembers of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: &'static str,
    pub init: Init,
}

/// What a slot holds before the first update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    Zero,
    /// The value that the hyperparameter of this name has at the start.
    Hyper(&'static str),
    /// The parameter itself.
    Param,
}

impl Slot {
    pub const fn zero(name: &'static str) -> Self {
        Self { name, init: Init::Zero }
    }

    pub const fn filled(name: &'static str, hyper: &'static str) -> Self {
        Self { name, init: Init::Hyper(hyper) }
    }

    /// Those of `slots` that a variant of a rule has, in order.
    pub const fn chosen<const N: usize>(slots: &[(Self, bool)]) -> [Self; N] {
        let mut chosen = [Self::zero(""); N];
        let (mut next, mut i) = (0, 0);
        while i < slots.len() {
            if slots[i].1 {
                chosen[next] = slots[i].0;
                next += 1;
            }
            i += 1;
        }
        assert!(next == N, "as many slots as the variant says");
        chosen
    }
}

/// A rule's own float hyperparameters, in a fixed order (`lr` and `weight_decay` belong to every rule).
pub trait Hypers {
    const HYPERS: &'static [Hyper];
    /// `values` has the order and length of `HYPERS`.
    fn from_values(values: &[f64]) -> Self;
}

/// The name of a hyperparameter and the range of its values.
#[derive(Clone, Copy, Debug)]
pub struct Hyper {
    pub name: &'static str,
    pub range: Range,
}

/// Declares a rule's hyperparameters once: the struct, their names and their ranges.
macro_rules! hypers {
    ($(#[$meta:meta])* struct $rule:ident $(<$(const $flag:ident: bool),*>)? { $($name:ident: $range:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) struct $rule $(<$(const $flag: bool),*>)? { $($name: f64),* }

        impl $(<$(const $flag: bool),*>)? $crate::rule::Hypers for $rule $(<$($flag),*>)? {
            const HYPERS: &'static [$crate::rule::Hyper] = &[$($crate::rule::Hyper {
                name: stringify!($name),
                range: $crate::ranges::Range::$range,
            }),*];

            fn from_values(values: &[f64]) -> Self {
                let &[$($name),*] = values else {
                    unreachable!("{} values for {} hyperparameters", values.len(), Self::HYPERS.len())
                };
                Self { $($name),* }
            }
        }
    };
}
pub(crate) use hypers;
