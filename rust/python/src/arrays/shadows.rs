//! Copies of the parameters in bfloat16, in the user's own arrays, which a step keeps up to date.

use gradstep_core::codecs::Format;
use gradstep_core::dtypes::Dtype;
use gradstep_core::rule::Narrowing;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::fields::{Fields, is_masked};
use super::forms::{Element, Form};
use super::layouts::{same, same_order};
use super::narrow::Narrow;
use super::parameters::Parameter;
use super::writable::{dtype_name, masked, tuple};
use crate::errors::{a_type, label, type_error, value_error};

/// The copy of one parameter.
pub(crate) struct Shadow {
    /// As it was given.
    pub(super) given: Py<PyAny>,
    /// A view of its words that nobody else has, and that nobody can take the memory from.
    words: Py<PyAny>,
    stretch: (usize, usize),
}

impl Shadow {
    /// From its first byte to that after its last.
    pub(super) fn stretch(&self) -> (usize, usize) {
        self.stretch
    }

    /// Refuses an array that is no longer what was checked: its memory may be that of something else.
    pub(super) fn verify(&self, parameter: &Parameter, py: Python<'_>) -> PyResult<()> {
        let given = self.given.bind(py);
        let (now, own) = (Fields::of(given).expect("an array stays an array"), self.words.bind(py));
        let own = Fields::of(own).expect("a view");
        let same = now.data == own.data
            && same(now.shape, own.shape)
            && same(now.strides, own.strides)
            && now.has(NPY_ARRAY_WRITEABLE);
        if same { Ok(()) } else { Err(changed(parameter, given, own.data)) }
    }

    /// What may be part of a cycle.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.given)
    }

    /// Writes what it is a copy of.
    pub(super) fn refresh(&self, parameter: &Bound<'_, PyAny>) -> PyResult<()> {
        let words = self.words.bind(parameter.py());
        let narrow =
            Narrow { format: Format::Bfloat16, narrowing: Narrowing::Signed, words, exponents: None };
        narrow.encode(parameter)
    }

    /// Where the words are.
    pub(super) fn data(&self, py: Python<'_>) -> *mut u8 {
        Fields::of(self.words.bind(py)).expect("a view").data
    }
}

/// Where copies of a parameter are put; ValueError or TypeError if they cannot be.
pub(super) fn shadow(parameter: &Parameter, given: &Bound<'_, PyAny>) -> PyResult<Shadow> {
    check(parameter, given)?;
    let py = given.py();
    let plain = py.import("numpy")?.call_method1("asarray", (given,))?;
    let view = plain.call_method1(intern!(py, "view"), ("uint16",))?;
    let start = Fields::of(&view).expect("a view").data as usize;
    let bytes = Form::like(&parameter.layout, Element::Half).bytes;
    Ok(Shadow { given: given.clone().unbind(), words: view.unbind(), stretch: (start, start + bytes) })
}

#[cold]
fn changed(parameter: &Parameter, given: &Bound<'_, PyAny>, data: *mut u8) -> PyErr {
    check(parameter, given).err().unwrap_or_else(|| {
        let (name, now) = (label("copy_to", &parameter.path), Fields::of(given).map(|fields| fields.data));
        value_error(format!("{name} has changed: it has its memory at {now:?}, but had {data:?} at first"))
    })
}

/// Refuses what cannot hold a copy of a parameter.
fn check(parameter: &Parameter, given: &Bound<'_, PyAny>) -> PyResult<()> {
    let (name, own, layout) = (label("copy_to", &parameter.path), parameter.own(), &parameter.layout);
    let Some(fields) = Fields::of(given) else {
        return Err(type_error(format!("{name} is {}, not an ndarray", a_type(given))));
    };
    if is_masked(given)? {
        return Err(masked(&name));
    }
    let wanted = Form::of(layout);
    if wanted.element != Element::Float(Dtype::F32) {
        let dtype = layout.dtype_name();
        return Err(value_error(format!("copy_to is for float32 parameters, but {own} has dtype {dtype}")));
    }
    let is_brain = given.getattr("dtype")?.getattr("name")?.eq("bfloat16")?;
    if !is_brain && !fields.holds(Element::Half.type_num()) {
        let dtype = dtype_name(given)?;
        return Err(type_error(format!("{name} has dtype {dtype}, not bfloat16 or uint16")));
    }
    if fields.shape != &*layout.shape {
        let (a, b) = (tuple(fields.shape), tuple(&layout.shape));
        return Err(value_error(format!("{name} has shape {a}, but {own} has shape {b}")));
    }
    let words = Form::like(layout, Element::Half);
    if !same_order(fields.shape, fields.strides, &words.strides) {
        let (a, b) = (tuple(fields.strides), tuple(&words.strides));
        return Err(value_error(format!(
            "{name} has strides {a} bytes, but {b} are wanted: the memory order of {own}, without gaps"
        )));
    }
    if !fields.has(NPY_ARRAY_WRITEABLE) {
        return Err(value_error(format!("{name} is read-only, so no copy can be put there")));
    }
    if !fields.has(NPY_ARRAY_ALIGNED) {
        return Err(value_error(format!("{name} is not aligned in memory for its dtype")));
    }
    Ok(())
}
