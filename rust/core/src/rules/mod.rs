//! Update rules: one file each, and the list of them.
//!
//! A rule says what is subtracted from one element of a parameter, and how its state follows from one element
//! of the gradient. Loops, chunks, threads, SIMD, dtypes, clipping and weight decay are not its business.

mod adagrad;
mod adam;
mod dog;
mod lamb;
mod lars;
mod prodigy;
mod rmsprop;
mod schedule_free;
mod sgd;

use crate::spec::Spec;

/// Every rule. A new one is a file beside this one and a line here.
pub static RULES: &[Spec] = &[
    sgd::SPEC,
    adagrad::SPEC,
    rmsprop::SPEC,
    adam::SPEC,
    lamb::SPEC,
    lars::SPEC,
    schedule_free::SGD,
    schedule_free::ADAMW,
    dog::SPEC,
    prodigy::SPEC,
];

pub fn named(name: &str) -> Option<&'static Spec> {
    RULES.iter().find(|spec| spec.name == name)
}
