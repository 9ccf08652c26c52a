//! Update rules: one file each, and the list of them.
//!
//! A rule says how one element of a parameter and of its state follows from one element of the
//! gradient. Loops, chunks, threads, SIMD, dtypes, clipping and weight decay are not its business.

mod adagrad;
mod adam;
mod rmsprop;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::Adam;
pub use rmsprop::Rmsprop;
pub use sgd::Sgd;

use crate::error::BadValue;
use crate::floats::Float;
use crate::groups::Group;
use crate::ranges::Range;

/// Every rule. A new one is a file beside this one and a line here.
pub static RULES: &[Spec] = &[sgd::SPEC, adagrad::SPEC, rmsprop::SPEC, adam::SPEC];

/// A rule with `N` state slots per parameter.
pub trait Rule<const N: usize>: Hypers + Copy + Send + Sync + 'static {
    /// The names of the slots, as torch has them.
    const STATE: [&'static str; N];

    /// The constants of one step: computed in f64, rounded once to `F`.
    type Step<F: Float>: Update<F, N>;

    /// The constants of update number `t`, the first one being 0.
    fn at<F: Float>(&self, lr: f64, t: u64) -> Self::Step<F>;

    /// What each slot holds before the first update.
    fn init(&self) -> [f64; N] {
        [0.0; N]
    }
}

/// One step on one element.
pub trait Update<F, const N: usize>: Copy + Send + Sync + 'static {
    /// From `p`, `g` and the state to the new `p` and state. Must be `#[inline(always)]`.
    fn update(&self, p: F, g: F, state: [F; N]) -> (F, [F; N]);
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

/// What every rule has besides its own.
pub static LR: Hyper = Hyper { name: "lr", range: Range::NonNegative };
pub static WEIGHT_DECAY: Hyper = Hyper { name: "weight_decay", range: Range::NonNegative };

/// A rule as the border finds it by name.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub name: &'static str,
    pub hypers: &'static [Hyper],
    /// Options that choose between variants of the rule: true or false, the same for a whole run.
    pub flags: &'static [&'static str],
    /// The variant that these options ask for.
    pub build: fn(&Options<'_>) -> Result<Box<dyn Group>, BadValue>,
}

impl Spec {
    pub fn named(name: &str) -> Option<&'static Self> {
        RULES.iter().find(|spec| spec.name == name)
    }
}

/// What a group was asked for, as far as it decides which variant of a rule runs.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    pub spec: &'a Spec,
    /// In the order of `spec.flags`.
    pub flags: &'a [bool],
    /// In the order of `spec.hypers`; None where the value changes from step to step.
    pub constants: &'a [Option<f64>],
}

impl Options<'_> {
    pub fn flag(&self, name: &str) -> bool {
        self.spec.flags.iter().position(|&flag| flag == name).is_some_and(|i| self.flags[i])
    }

    /// The value, if it is the same at every step.
    pub fn constant(&self, name: &str) -> Option<f64> {
        self.spec.hypers.iter().position(|hyper| hyper.name == name).and_then(|i| self.constants[i])
    }
}

/// Declares a rule's hyperparameters once: the struct, their names and their ranges.
macro_rules! hypers {
    ($(#[$meta:meta])* pub struct $rule:ident $(<$(const $flag:ident: bool),*>)? { $($name:ident: $range:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $rule $(<$(const $flag: bool),*>)? { $(pub $name: f64),* }

        impl $(<$(const $flag: bool),*>)? $crate::rules::Hypers for $rule $(<$($flag),*>)? {
            const HYPERS: &'static [$crate::rules::Hyper] = &[$($crate::rules::Hyper {
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
