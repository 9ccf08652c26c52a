//! What an update rule is: numbers in, numbers out. It knows nothing of memory, tiers or other rules.

use crate::floats::Float;
use crate::ranges::Range;

/// The most state slots that a rule may have.
pub const MAX_STATE: usize = 6;

/// The most hyperparameters that a rule may have of its own, with the numbers that it remembers.
pub const MAX_HYPERS: usize = 20;

/// A rule with `K` constants a step and `N` state slots.
pub trait Rule<const K: usize, const N: usize>: Hypers + 'static {
    /// As torch names them.
    const SLOTS: [Slot; N];

    /// Whether the step, or what is summed, depends on the parameter.
    const READS_PARAMS: bool = false;

    /// The sums of a dry run that the rule wants to know before it updates, if it does.
    const SUMS: Option<Sums> = None;

    /// The constants of a parameter's update number `t`, the first one being 0. The mechanism rounds each
    /// once to the parameter's dtype.
    fn constants(&self, lr: f64, t: u64) -> [f64; K];

    /// What is subtracted from the element `p`, and its new state. Mark it `#[inline(always)]`.
    fn step<F: Float>(constants: [F; K], p: F, g: F, state: [F; N]) -> (F, [F; N]);

    /// What is summed of an element: `step` is what the update would subtract, `state` is as it was. Nothing is written.
    /// Mark it `#[inline(always)]`.
    fn summed<F: Float>(_constants: [F; K], _p: F, _g: F, _step: F, _state: [F; N]) -> [F; 2] {
        [F::ZERO; 2]
    }

    /// What the rule remembers before the first update, if that is not 0.
    fn start(&mut self) {}

    /// Changes what the rule remembers, once before each update: the constants of the dry run are taken before, those
    /// of the update after it.
    fn settle(&mut self, _lr: f64, _t: u64, _sums: [f64; 2]) {}
}

/// The sums of a dry run, in float64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// Of the squares of what is summed.
    OfSquares(Scope),
    /// Of what is summed itself.
    Plain(Scope),
}

impl Sums {
    pub fn scope(self) -> Scope {
        let (Self::OfSquares(scope) | Self::Plain(scope)) = self;
        scope
    }
}

/// What a dry run sums over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each tensor by itself. What the rule remembers is that tensor's, from the dry run to the update.
    Tensor,
    /// All tensors of the optimizer. What the rule remembers lasts from step to step.
    All,
}

/// One number that a rule remembers of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub name: &'static str,
    pub init: Init,
    pub narrowing: Narrowing,
}

/// How a slot may be kept in fewer bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// Not at all.
    Never,
    Signed,
    /// As what is never below 0.
    Unsigned,
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
        Self { name, init: Init::Zero, narrowing: Narrowing::Signed }
    }

    /// It is a point, which is never narrow.
    pub const fn params(name: &'static str) -> Self {
        Self { name, init: Init::Param, narrowing: Narrowing::Never }
    }

    pub const fn filled(name: &'static str, hyper: &'static str) -> Self {
        Self { name, init: Init::Hyper(hyper), narrowing: Narrowing::Signed }
    }

    /// The same for what is never below 0.
    pub const fn unsigned(self) -> Self {
        Self { narrowing: Narrowing::Unsigned, ..self }
    }

    /// The same for what has to be exact.
    pub const fn exact(self) -> Self {
        Self { narrowing: Narrowing::Never, ..self }
    }

    /// Whether it may be below 0.
    pub const fn is_signed(self) -> bool {
        !matches!(self.narrowing, Narrowing::Unsigned)
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

/// A rule's own float hyperparameters, in a fixed order (`lr` and `weight_decay` belong to every rule), and the numbers
/// that it remembers.
pub trait Hypers: Sized {
    const HYPERS: &'static [Hyper];
    const MEMORY: &'static [&'static str];
    /// `values` has the order and length of `HYPERS`, with those of `MEMORY` after them.
    fn from_values(values: &[f64]) -> Self;
    /// Writes what is remembered into such values.
    fn remember(self, values: &mut [f64]);
}

/// A hyperparameter: its name, and what it may be.
#[derive(Clone, Copy, Debug)]
pub struct Hyper {
    pub name: &'static str,
    pub kind: Kind,
    /// What it is if nobody says otherwise, where that goes without saying.
    pub default: Option<f64>,
}

/// What a hyperparameter may be. To a rule each is a number.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A number in a range, the same at every step or from a schedule.
    Number(Range),
    /// The same, or none: NaN.
    Optional(Range),
    /// One of these, for a whole run: its place among them.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// Off or on.
    pub const FLAG: Self = Self::Choice(&["False", "True"]);
}

/// Declares a rule's hyperparameters once: the struct, their names and what they may be; and after `remembers` what
/// the rule remembers.
macro_rules! hypers {
    ($(#[$meta:meta])* struct $rule:ident $(<$(const $flag:ident: bool),*>)?
     { $($name:ident: $kind:ident $($range:ident)? $(= $default:literal)?),* $(,)? }
     $(remembers { $($memory:ident),* $(,)? })?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) struct $rule $(<$(const $flag: bool),*>)? { $($name: f64,)* $($($memory: f64),*)? }

        impl $(<$(const $flag: bool),*>)? $crate::rule::Hypers for $rule $(<$($flag),*>)? {
            const HYPERS: &'static [$crate::rule::Hyper] = &[$($crate::rule::Hyper {
                name: stringify!($name),
                kind: $crate::rule::kind!($kind $($range)?),
                default: $crate::rule::default!($($default)?),
            }),*];
            const MEMORY: &'static [&'static str] = &[$($(stringify!($memory)),*)?];

            fn from_values(values: &[f64]) -> Self {
                let &[$($name,)* $($($memory),*)?] = values else {
                    unreachable!("{} values for {} hyperparameters", values.len(), Self::HYPERS.len())
                };
                Self { $($name,)* $($($memory),*)? }
            }

            fn remember(self, values: &mut [f64]) {
                let remembered: &[f64] = &[$($(self.$memory),*)?];
                let own = values.len() - remembered.len();
                values[own..].copy_from_slice(remembered);
            }
        }
    };
}
pub(crate) use hypers;

/// `Unit`: a number in that range; `Optional Unit`: or none; `Flag`; `Choice FORMS`: one of these names. With `= 0.0`
/// after it, that is what it is where nobody says otherwise.
macro_rules! kind {
    (Flag) => {
        $crate::rule::Kind::FLAG
    };
    (Choice $names:ident) => {
        $crate::rule::Kind::Choice($names)
    };
    (Optional $range:ident) => {
        $crate::rule::Kind::Optional($crate::ranges::Range::$range)
    };
    ($range:ident) => {
        $crate::rule::Kind::Number($crate::ranges::Range::$range)
    };
}
pub(crate) use kind;

macro_rules! default {
    () => {
        None
    };
    ($default:literal) => {
        Some($default)
    };
}
pub(crate) use default;

/// Whether a flag is on.
pub fn on(flag: f64) -> bool {
    flag != 0.0
}
