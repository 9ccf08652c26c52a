//! Views of the state: what Python sees of it, and by which it is filled at the start.

use gradstep_core::codecs::Format;
use gradstep_core::rule::{Init, Narrowing, Slot};
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyDict, PyFloat};

use super::forms::{Element, Form};
use super::leaves::Leaves;
use super::made::copy;
use super::members::{ACCUMULATED, AVERAGE, Slots};
use super::packed::Packed;
use crate::headroom;

/// About what an array takes that is a view of a slot, with its place in a dict.
const BYTES_OF_A_SLOT: usize = 512;

impl Leaves {
    /// Writes what the state starts from.
    pub(super) fn fill(&self, py: Python<'_>, slots: &[Slots]) -> PyResult<()> {
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            let Slots { of_rule, values, .. } = &slots[self.group(leaf)];
            let tensor = &self.tensors[leaf];
            for (k, slot) in of_rule.iter().enumerate() {
                match slot.init {
                    Init::Hyper(_) if values[k] != 0.0 => {
                        self.slot(py, leaf, k, slot)?
                            .set_item(py.Ellipsis(), self.number(py, leaf, values[k]))?;
                    }
                    Init::Param => copy(&self.view(py, leaf, tensor.state[k])?, parameter.array.bind(py))?,
                    Init::Zero | Init::Hyper(_) => {}
                }
            }
            if !tensor.average.is_null() {
                copy(&self.view(py, leaf, tensor.average)?, parameter.array.bind(py))?;
            }
        }
        Ok(())
    }

    /// A number in both parts of a complex array.
    fn number<'py>(&self, py: Python<'py>, leaf: usize, value: f64) -> Bound<'py, PyAny> {
        if self.parameters[leaf].layout.complex {
            PyComplex::from_doubles(py, value, value).into_any()
        } else {
            PyFloat::new(py, value).into_any()
        }
    }

    /// A view of what is there of a parameter, in its own dtype.
    pub(super) fn view<'py>(
        &self,
        py: Python<'py>,
        leaf: usize,
        data: *mut u8,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.rooms.view(py, data, &Form::of(&self.parameters[leaf].layout))
    }

    /// A slot: a view of it, or a `Packed` of views.
    pub(super) fn slot<'py>(
        &self,
        py: Python<'py>,
        leaf: usize,
        k: usize,
        slot: &Slot,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (tensor, layout) = (&self.tensors[leaf], &self.parameters[leaf].layout);
        let view = |data, element| self.rooms.view(py, data, &Form::like(layout, element));
        let (words, exponents) = match (tensor.format, slot.narrowing) {
            (Format::Whole, _) | (_, Narrowing::Never) => return self.view(py, leaf, tensor.state[k]),
            (Format::Bfloat16, _) => (view(tensor.state[k], Element::Half)?, None),
            (Format::Float8, narrowing) => {
                let codes = Element::Code { signed: narrowing == Narrowing::Signed };
                let exponents = view(tensor.exponents[k], Element::Exponent)?;
                (view(tensor.state[k], codes)?, Some(exponents))
            }
        };
        let packed = Packed::of(py, tensor.format, slot.narrowing, &words, exponents.as_ref())?;
        Ok(packed.into_bound(py).into_any())
    }

    /// `{name: {slot: ndarray}}`, views of the state; `slots` are the groups' own.
    pub(crate) fn state<'py>(&self, py: Python<'py>, slots: &[&[Slot]]) -> PyResult<Bound<'py, PyDict>> {
        let most = slots.iter().map(|slots| slots.len()).max().unwrap_or(0);
        headroom::ensure(self.len(), BYTES_OF_A_SLOT * (most + 3))?;
        let state = PyDict::new(py);
        for (leaf, parameter) in self.parameters.iter().enumerate() {
            let of_one = PyDict::new(py);
            let tensor = &self.tensors[leaf];
            for (k, slot) in slots[self.group(leaf)].iter().enumerate() {
                of_one.set_item(slot.name, self.slot(py, leaf, k, slot)?)?;
            }
            for (name, data) in [(AVERAGE, tensor.average), (ACCUMULATED, tensor.accumulated)] {
                if !data.is_null() {
                    of_one.set_item(name, self.view(py, leaf, data)?)?;
                }
            }
            state.set_item(parameter.name(), of_one)?;
        }
        Ok(state)
    }
}
