//! Update rules: one file each, and the list of them.
//!
//! A rule says what is subtracted from one element of a parameter, and how its state follows from one element
//! of the gradient. Loops, chunks, threads, SIMD, dtypes, clipping and weight decay are not its business.

mod adabelief;
mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adan;
mod ademamix;
mod adopt;
mod corrections;
mod dog;
mod lamb;
mod lion;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;
mod yogi;

use crate::spec::Spec;

/// Every rule. A new one is a file beside this one and a line here.
pub static RULES: &[Spec] = &[
    sgd::SPEC,
    adagrad::SPEC,
    rmsprop::SPEC,
    adam::SPEC,
    lamb::SPEC,
    dog::SPEC,
    lion::SPEC,
    adamax::SPEC,
    nadam::SPEC,
    radam::SPEC,
    adadelta::SPEC,
    rprop::SPEC,
    adabelief::SPEC,
    yogi::SPEC,
    adan::SPEC,
    adopt::SPEC,
    ademamix::SPEC,
];

pub fn named(name: &str) -> Option<&'static Spec> {
    RULES.iter().find(|spec| spec.name == name)
}
