//! A rule by its name: what the border knows of it, and which variant its options ask for.

use crate::error::BadValue;
use crate::kernel::Kernel;
use crate::ranges::Range;
use crate::rule::{Hyper, Kind, MAX_HYPERS};

/// What happens around every rule, and what it is if nobody says otherwise: see [`crate::stages`].
pub static AROUND: [Hyper; 6] = [
    around("decoupled", Kind::Choice(&["False", "True", "after"]), COUPLED),
    around("l1", Kind::Number(Range::NonNegative), 0.0),
    around("maximize", Kind::FLAG, 0.0),
    around("ema", Kind::Optional(Range::UnitClosed), f64::NAN),
    around("clip_norm_each", Kind::Optional(Range::Limit), f64::NAN),
    around("state_dtype", Kind::Choice(&["None", "bfloat16", "8bit"]), 0.0),
];

const fn around(name: &'static str, kind: Kind, default: f64) -> Hyper {
    Hyper { name, kind, default: Some(default) }
}

/// Where they stand in it.
pub const DECOUPLED: usize = 0;
pub const L1: usize = 1;
pub const MAXIMIZE: usize = 2;
pub const EMA: usize = 3;
pub const CLIP_NORM_EACH: usize = 4;
pub const STATE_DTYPE: usize = 5;

/// Values of [`DECOUPLED`]: decay enters the gradient, or shrinks the parameter before the rule, or after it.
pub const COUPLED: f64 = 0.0;
pub const AFTER: f64 = 2.0;

/// What a rule has before its own; those that decay by themselves have the first only.
static COMMON: [Hyper; 2] = [
    Hyper { name: "lr", kind: Kind::Number(Range::NonNegative), default: None },
    Hyper { name: "weight_decay", kind: Kind::Number(Range::NonNegative), default: None },
];
/// Where they stand in it.
pub const LR: usize = 0;
pub const WEIGHT_DECAY: usize = 1;
/// The most numbers that a step of any rule needs to know.
pub const MAX_NUMBERS: usize = AROUND.len() + COMMON.len() + MAX_HYPERS;

/// A rule as the border finds it by name.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub name: &'static str,
    pub hypers: &'static [Hyper],
    /// The variant that these options ask for.
    pub build: fn(&Options<'_>) -> Result<&'static dyn Kernel, BadValue>,
}

impl Spec {
    /// Whether weight decay is the rule's own business: then it is one of its hyperparameters.
    pub fn decays(&self) -> bool {
        self.hypers.iter().any(|hyper| hyper.name == COMMON[WEIGHT_DECAY].name)
    }

    /// The hyperparameters before the rule's own.
    pub fn common(&self) -> &'static [Hyper] {
        if self.decays() { &COMMON[..WEIGHT_DECAY] } else { &COMMON }
    }
}

/// What was asked for, as far as it decides which variant of a rule runs.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    pub spec: &'a Spec,
    /// In the order of `spec.hypers`; None where the value changes from step to step.
    pub constants: &'a [Option<f64>],
}

impl Options<'_> {
    pub fn flag(&self, name: &str) -> bool {
        self.constant(name) == Some(1.0)
    }

    /// The value, if it is the same at every step.
    pub fn constant(&self, name: &str) -> Option<f64> {
        self.spec.hypers.iter().position(|hyper| hyper.name == name).and_then(|i| self.constants[i])
    }
}
