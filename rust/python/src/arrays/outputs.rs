//! Arrays that a step makes instead of updating the parameters in place.

use gradstep_core::memory::Output;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_OWNDATA, NPY_ARRAY_WRITEABLE};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ptr;

use super::fields::{Fields, is_masked, references};
use super::layouts::{Layout, outwards, same};
use super::made::{copy, empty};
use super::parameters::Parameter;
use super::rooms::Rooms;
use super::writable::{dtype_name, masked, tuple};
use crate::errors::{a_type, memory_error, type_error, value_error};

/// What becomes of the parameters: one entry for each.
pub(crate) struct Outputs<'py> {
    /// The new arrays.
    arrays: Vec<Bound<'py, PyAny>>,
    /// What they are made from, if that is known.
    origins: Vec<Option<Bound<'py, PyAny>>>,
    made: Made,
}

/// What the new arrays hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The updated parameters.
    Params,
    /// What is to be added to them.
    Differences,
    /// The same, where it does not depend on them: −step, so that the sum is exactly what a step in place gives.
    Steps,
}

impl<'py> Outputs<'py> {
    /// The updated parameters, or what is to be added to them. `given` are the parameters, if they are known. `rooms` are
    /// what a step writes besides.
    pub(super) fn new(
        py: Python<'py>,
        parameters: &[Parameter],
        given: Option<&[Py<PyAny>]>,
        rooms: &Rooms,
        spares: &mut Spares,
        made: Made,
    ) -> PyResult<Self> {
        let mut new = Self { arrays: Vec::new(), origins: Vec::new(), made };
        for (leaf, parameter) in parameters.iter().enumerate() {
            let given = given.map(|given| given[leaf].bind(py));
            new.arrays.push(fresh(py, parameter, given, || spares.take(py, leaf, &parameter.layout))?);
            new.origins.push(given.map(|given| origin(parameter, given, rooms)).transpose()?);
        }
        Ok(new)
    }

    /// Where the update of a parameter goes.
    pub(super) fn of(&self, leaf: usize) -> Output {
        let data = |array: &Bound<'_, PyAny>| Fields::of(array).expect("an array stays an array").data;
        let (from, to) = (self.origins[leaf].as_ref().map(data), data(&self.arrays[leaf]));
        let from = from.map_or(ptr::null(), <*mut u8>::cast_const);
        match self.made {
            Made::Params => Output::Copy { from, to },
            Made::Differences => Output::Difference { from, to },
            Made::Steps => Output::Difference { from: ptr::null(), to },
        }
    }

    /// Refuses arrays that Python code has changed since.
    pub(super) fn verify(&self, parameters: &[Parameter]) -> PyResult<()> {
        for (leaf, parameter) in parameters.iter().enumerate() {
            let intact = |array: &Bound<'_, PyAny>| is_like(array, &parameter.layout);
            if !intact(&self.arrays[leaf]) || !self.origins[leaf].as_ref().is_none_or(intact) {
                return Err(value_error(format!("{} has changed during the step", parameter.own())));
            }
        }
        Ok(())
    }

    /// Makes a new array what it is without an update.
    pub(crate) fn leave(&self, leaf: usize) -> PyResult<()> {
        match &self.origins[leaf] {
            Some(origin) if self.made == Made::Params => copy(&self.arrays[leaf], origin),
            _ => self.arrays[leaf].call_method1("fill", (0.0,)).map(drop),
        }
    }

    pub(crate) fn array(&self, leaf: usize) -> Bound<'py, PyAny> {
        self.arrays[leaf].clone()
    }
}

/// A new array in the layout of the parameter, and of the kind of what was given.
fn fresh<'py>(
    py: Python<'py>,
    parameter: &Parameter,
    given: Option<&Bound<'py, PyAny>>,
    plain: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = &parameter.layout;
    match given {
        Some(given) if Fields::of(given).is_some_and(|fields| !fields.plain) && !is_masked(given)? => {
            let new = py.import("numpy")?.call_method1("empty_like", (given,))?;
            if is_like(&new, layout) && Fields::of(&new).is_some_and(|fields| fields.has(NPY_ARRAY_WRITEABLE))
            {
                return Ok(new);
            }
            // Of another order than the state: a new one in C order when its axes stand as they lie in memory.
            let axes: Vec<_> = outwards(&layout.strides).into_iter().rev().collect();
            let mut places = vec![0; axes.len()];
            axes.iter().enumerate().for_each(|(place, &axis)| places[axis] = place);
            let turned = given.call_method1("transpose", axes_of(py, &axes)?)?;
            let new = py.import("numpy")?.call_method1("empty_like", (turned, py.None(), "C"))?;
            let new = new.call_method1("transpose", axes_of(py, &places)?)?;
            if is_like(&new, layout) {
                return Ok(new);
            }
            // Not what it seems.
            Ok(empty(py, layout)?.call_method1("view", (given.get_type(),))?)
        }
        _ => plain(),
    }
}

/// Large arrays that were handed out before, two for each parameter, to be used again once nobody else refers to them.
///
/// # Rationale
/// A step that makes new arrays is followed by another one, while the arrays before the last are dropped. To give their
/// memory back to the system and to ask for it anew takes as long as the step: each page is cleared before it is written.
#[derive(Default)]
pub(super) struct Spares(Vec<[Option<Py<PyAny>>; 2]>);

/// Smaller arrays than this are had for little.
const SPARED_FROM: usize = 64 * 1024;

impl Spares {
    fn take<'py>(&mut self, py: Python<'py>, leaf: usize, layout: &Layout) -> PyResult<Bound<'py, PyAny>> {
        // Without the interpreter's lock, who refers to an array is not known from its count.
        if layout.bytes() < SPARED_FROM || cfg!(Py_GIL_DISABLED) {
            return empty(py, layout);
        }
        if self.0.len() <= leaf {
            self.0.try_reserve(leaf + 1 - self.0.len()).map_err(memory_error)?;
            self.0.resize_with(leaf + 1, Default::default);
        }
        let [older, newer] = &mut self.0[leaf];
        let is_free = |array: &Bound<'_, PyAny>| {
            let fields = Fields::of(array);
            references(array) == 1
                && fields
                    .is_some_and(|fields| fields.has(NPY_ARRAY_WRITEABLE) && fields.has(NPY_ARRAY_OWNDATA))
                && is_like(array, layout)
        };
        if !older.as_ref().is_some_and(|array| is_free(array.bind(py))) {
            *older = Some(empty(py, layout)?.unbind());
        }
        std::mem::swap(older, newer);
        Ok(newer.as_ref().expect("just made").bind(py).clone())
    }
}

fn axes_of<'py>(py: Python<'py>, axes: &[usize]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, [PyTuple::new(py, axes)?])
}

/// The array that the core reads a parameter from: what was given, or a copy in the layout of the state.
fn origin<'py>(
    parameter: &Parameter,
    given: &Bound<'py, PyAny>,
    rooms: &Rooms,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, own, layout) = (given.py(), parameter.own(), &parameter.layout);
    let Some(fields) = Fields::of(given) else {
        return Err(type_error(format!("{own} is {}, not an ndarray", a_type(given))));
    };
    if is_masked(given)? {
        return Err(masked(&own));
    }
    if !same(fields.shape, &layout.shape) {
        let (a, b) = (tuple(fields.shape), tuple(&layout.shape));
        return Err(value_error(format!("{own} has shape {a}, but had {b} at first")));
    }
    if !layout.has_dtype(&fields) {
        let (a, b) = (dtype_name(given)?, layout.dtype_name());
        return Err(type_error(format!("{own} has dtype {a}, but had {b} at first")));
    }
    let (start, end) = (fields.data as usize, fields.data as usize + layout.bytes());
    if layout.has_strides(fields.strides) && fields.has(NPY_ARRAY_ALIGNED) && rooms.is_outside((start, end)) {
        return Ok(given.clone());
    }
    let copied = empty(py, layout)?;
    copy(&copied, given)?;
    Ok(copied)
}

/// Whether an array has that layout, and the core can work with it.
fn is_like(array: &Bound<'_, PyAny>, layout: &Layout) -> bool {
    Fields::of(array).is_some_and(|fields| {
        same(fields.shape, &layout.shape)
            && layout.has_dtype(&fields)
            && layout.has_strides(fields.strides)
            && fields.has(NPY_ARRAY_ALIGNED)
    })
}
