//! Parameters as they were found, and what each of a group remembers.

use gradstep_core::codecs::Format;
use gradstep_core::rule::{Narrowing, Slot};
use pyo3::prelude::*;

use super::forms::{Element, Form};
use super::layouts::Layout;
use super::parameters::Parameter;
use crate::errors::memory_error;

/// A parameter as it was found, and the number of its group.
pub(crate) struct Member {
    pub(crate) group: usize,
    pub(crate) parameter: Parameter,
    pub(crate) data: *mut u8,
    /// Where it begins in the array that it is a stretch of, and how many elements that has.
    pub(crate) first: usize,
    pub(crate) whole: usize,
}

/// How the state calls what is not the rule's.
pub(super) const AVERAGE: &str = "ema";
pub(super) const ACCUMULATED: &str = "accumulated";

/// What each parameter of a group remembers.
pub(crate) struct Slots {
    pub(crate) of_rule: &'static [Slot],
    /// What a slot holds at first if that is a number.
    pub(crate) values: Vec<f64>,
    /// Whether an average of the parameter is kept beside them.
    pub(crate) averages: bool,
    /// How the rule's own are kept, of parameters that are large enough for it.
    pub(crate) format: Format,
}

/// What an array of the state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Slot(usize),
    /// Of the blocks of a slot.
    Exponents(usize),
    Average,
    Accumulated,
}

/// An array of the state of one parameter.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) purpose: Purpose,
    /// None where the elements are the parameter's.
    element: Option<Element>,
    /// What it is called where it stands for itself: `exp_avg`, or `exp_avg` and `.bits`.
    pub(super) name: [&'static str; 2],
}

impl Part {
    /// As it is beside a parameter with that layout.
    pub(super) fn form(self, layout: &Layout) -> Form {
        self.element.map_or_else(|| Form::of(layout), |element| Form::like(layout, element))
    }

    pub(super) fn bytes(self, layout: &Layout) -> usize {
        self.element.map_or_else(|| layout.bytes(), |element| element.bytes_beside(layout))
    }
}

impl Slots {
    /// All arrays of the state of a parameter, which is a stretch of an array with so many elements.
    pub(super) fn parts(&self, whole: usize, accumulates: bool) -> impl Iterator<Item = Part> {
        let format = self.format.of(whole);
        let of_rule = self.of_rule.iter().enumerate().flat_map(move |(k, slot)| {
            let part = |purpose, element, suffix| Some(Part { purpose, element, name: [slot.name, suffix] });
            let of_slot = |element, suffix| part(Purpose::Slot(k), element, suffix);
            let exponents = || part(Purpose::Exponents(k), Some(Element::Exponent), ".exponents");
            let signed = slot.narrowing == Narrowing::Signed;
            let parts = match (format, slot.narrowing) {
                (Format::Whole, _) | (_, Narrowing::Never) => [of_slot(None, ""), None],
                (Format::Bfloat16, _) => [of_slot(Some(Element::Half), ".bits"), None],
                (Format::Float8, _) => [of_slot(Some(Element::Code { signed }), ".codes"), exponents()],
            };
            parts.into_iter().flatten()
        });
        let besides =
            [(self.averages, Purpose::Average, AVERAGE), (accumulates, Purpose::Accumulated, ACCUMULATED)];
        let besides = besides.into_iter().filter(|&(is_there, ..)| is_there);
        of_rule.chain(besides.map(|(_, purpose, name)| Part { purpose, element: None, name: [name, ""] }))
    }
}

pub(crate) fn reserved<T>(len: usize) -> PyResult<Vec<T>> {
    let mut items = Vec::new();
    items.try_reserve_exact(len).map_err(memory_error)?;
    Ok(items)
}
