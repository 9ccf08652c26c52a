//! Slots that are kept in fewer bits, as arrays of their own: read and written by the core's codecs.

use gradstep_core::codecs::{Format, bfloat16, float8};
use gradstep_core::dtypes::Dtype;
use gradstep_core::machine::simd::Tier;
use gradstep_core::rule::Narrowing;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE};
use pyo3::prelude::*;
use std::slice;

use super::fields::{Fields, is_masked};
use super::forms::{Element, Form};
use super::layouts::{is_dense, same};
use super::made::empty_of;
use super::writable::{masked, tuple};
use crate::errors::{a_type, type_error, value_error};

/// The arrays of a slot: its bits or codes, and in blocks their exponents.
pub(crate) struct Narrow<'a, 'py> {
    pub(crate) format: Format,
    pub(crate) narrowing: Narrowing,
    pub(crate) words: &'a Bound<'py, PyAny>,
    pub(crate) exponents: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> Narrow<'_, 'py> {
    fn element(&self) -> Element {
        match self.format {
            Format::Bfloat16 | Format::Whole => Element::Half,
            Format::Float8 => Element::Code { signed: self.narrowing == Narrowing::Signed },
        }
    }

    /// Refuses arrays that are not what the slot is made of.
    pub(crate) fn check(&self) -> PyResult<()> {
        let name = if self.format == Format::Float8 { "codes" } else { "bits" };
        let fields = fields_of(self.words, name, self.element())?;
        check_dense(name, &fields, self.element())?;
        if let Some(exponents) = self.exponents {
            let of_blocks = fields_of(exponents, "exponents", Element::Exponent)?;
            let blocks = [fields.len().div_ceil(float8::BLOCK) as isize];
            if !same(of_blocks.shape, &blocks) {
                let (given, wanted) = (tuple(of_blocks.shape), tuple(&blocks));
                return Err(value_error(format!("exponents must have shape {wanted}, got {given}")));
            }
            check_dense("exponents", &of_blocks, Element::Exponent)?;
        }
        Ok(())
    }

    /// The numbers, in the memory order of the slot.
    pub(crate) fn decoded(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check()?;
        let fields = Fields::of(self.words).expect("just checked");
        let (size, len) = (self.element().size() as isize, fields.len());
        let form = Form {
            element: Element::Float(Dtype::F32),
            shape: fields.shape.into(),
            strides: fields.strides.iter().map(|stride| stride / size * 4).collect(),
            bytes: 4 * len,
        };
        let values = empty_of(py, form)?;
        let data = Fields::of(&values).expect("we made it").data;
        let tier = Tier::current();
        // SAFETY: the new array is dense, so it has `len` elements from its first one on, and nobody else knows it. The
        // slot's arrays are dense, of that many elements and blocks, and we are attached, so that no step writes there
        // that holds the interpreter's lock; one that does not is in the middle of a step, in which nobody reads.
        unsafe {
            let values = elements_mut(data, len);
            match self.exponents.map(|exponents| Fields::of(exponents).expect("just checked").data) {
                None => bfloat16::decode(tier, elements_mut(fields.data, len), values),
                Some(exponents) => {
                    let exponents = slice::from_raw_parts(exponents, len.div_ceil(float8::BLOCK));
                    let codes = slice::from_raw_parts(fields.data, len);
                    float8::decode(tier, self.narrowing, codes, exponents, values);
                }
            }
        }
        Ok(values)
    }

    /// Writes the numbers of an array that `decoded` gave and that only its caller has, rounded to nearest.
    pub(crate) fn encode(&self, values: &Bound<'py, PyAny>) -> PyResult<()> {
        self.check()?;
        let (fields, own) =
            (Fields::of(self.words).expect("just checked"), Fields::of(values).expect("an array"));
        if !own.holds(Element::Float(Dtype::F32).type_num())
            || !is_dense(&own, 4)
            || own.len() != fields.len()
        {
            return Err(value_error("the slot has changed meanwhile"));
        }
        let writable = |fields: &Fields<'_>| fields.has(NPY_ARRAY_WRITEABLE);
        let exponents = self.exponents.map(|exponents| Fields::of(exponents).expect("just checked"));
        if !writable(&fields) || exponents.as_ref().is_some_and(|fields| !writable(fields)) {
            return Err(value_error("the arrays of this slot are read-only"));
        }
        let (tier, len) = (Tier::current(), fields.len());
        // SAFETY: as above, and the arrays are writable.
        unsafe {
            let values: &[f32] = elements_mut(own.data, len);
            if self.narrowing == Narrowing::Unsigned
                && let Some(x) = values.iter().find(|&&x| x < 0.0)
            {
                return Err(value_error(format!("this slot is never below 0, but {x} is to be written")));
            }
            match exponents {
                None => {
                    bfloat16::encode(tier, values, elements_mut(fields.data, len));
                }
                Some(exponents) => {
                    let exponents = slice::from_raw_parts_mut(exponents.data, len.div_ceil(float8::BLOCK));
                    self.encode_blocks(tier, values, slice::from_raw_parts_mut(fields.data, len), exponents);
                }
            }
        }
        Ok(())
    }

    /// Writes the blocks whose numbers are not those that are there: one that is written anew may get another exponent,
    /// and so other numbers.
    fn encode_blocks(&self, tier: Tier, values: &[f32], codes: &mut [u8], exponents: &mut [u8]) {
        let mut held = [0.0; float8::BLOCK];
        let blocks = values.chunks(float8::BLOCK).zip(codes.chunks_mut(float8::BLOCK));
        for ((values, codes), exponent) in blocks.zip(exponents) {
            let held = &mut held[..values.len()];
            float8::decode(tier, self.narrowing, codes, &[*exponent], held);
            if values.iter().zip(&*held).any(|(new, old)| new.to_bits() != old.to_bits()) {
                *exponent = float8::encode(tier, self.narrowing, values, codes);
            }
        }
    }
}

/// All elements of a dense array.
///
/// # Safety
/// There are so many of them, aligned for `T`, and nobody else has them while the slice lives.
unsafe fn elements_mut<'a, T>(data: *mut u8, len: usize) -> &'a mut [T] {
    // SAFETY: what the caller vouches for.
    unsafe { slice::from_raw_parts_mut(data.cast::<T>(), len) }
}

fn fields_of<'a>(array: &'a Bound<'_, PyAny>, name: &str, element: Element) -> PyResult<Fields<'a>> {
    let Some(fields) = Fields::of(array) else {
        return Err(type_error(format!("{name} must be an ndarray, got {}", a_type(array))));
    };
    if is_masked(array)? {
        return Err(masked(name));
    }
    if !fields.holds(element.type_num()) {
        let wanted = element.name();
        return Err(type_error(format!("{name} must have dtype {wanted}, got {}", array.getattr("dtype")?)));
    }
    if !fields.has(NPY_ARRAY_ALIGNED) {
        return Err(value_error(format!("{name} is not aligned in memory for its dtype")));
    }
    Ok(fields)
}

fn check_dense(name: &str, fields: &Fields<'_>, element: Element) -> PyResult<()> {
    if is_dense(fields, element.size()) {
        return Ok(());
    }
    Err(value_error(format!("{name} must have no gaps, but has strides {}", tuple(fields.strides))))
}
