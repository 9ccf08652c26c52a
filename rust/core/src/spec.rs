//! A rule by its name: what the border knows of it, and which variant its options ask for.

use crate::error::BadValue;
use crate::kernel::Kernel;
use crate::ranges::Range;
use crate::rule::{Hyper, MAX_HYPERS};

/// What a rule has before its own; those that decay by themselves have the first only.
static COMMON: [Hyper; 2] = [
    Hyper { name: "lr", range: Range::NonNegative },
    Hyper { name: "weight_decay", range: Range::NonNegative },
];
/// Where they stand in it.
pub const LR: usize = 0;
pub const WEIGHT_DECAY: usize = 1;
/// The most numbers that a step of any rule needs to know.
pub const MAX_NUMBERS: usize = COMMON.len() + MAX_HYPERS;

/// A rule as the border finds it by name.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub name: &'static str,
    pub hypers: &'static [Hyper],
    /// Options that choose between variants of the rule: true or false, the same for a whole run.
    pub flags: &'static [&'static str],
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
