//! Arrays that are given beside a parameter and have to be like it.

use numpy::npyffi::NPY_ARRAY_ALIGNED;
use pyo3::prelude::*;

use super::fields::{Fields, is_masked};
use super::layouts::{self, same_order};
use super::writable::{Writable, Written, masked, tuple};
use crate::errors::{a_type, type_error, value_error};

/// Refuses a state array that has not the layout of the parameter, which is called `p`.
pub(super) fn check_slot(slot: &Writable<'_>, p: &Writable<'_>, name: &str, own: &str) -> PyResult<()> {
    check_alike(&slot.fields, p, name, own)
}

/// Where a parameter lies that is only read; `out` takes the new one.
pub(super) fn readable(p: &Bound<'_, PyAny>, out: &Writable<'_>, written: &Written) -> PyResult<*const u8> {
    let Some(fields) = Fields::of(p) else {
        return Err(type_error(format!("p is {}, not an ndarray", a_type(p))));
    };
    if is_masked(p)? {
        return Err(masked("p"));
    }
    check_alike(&fields, out, "p", "out")?;
    if !fields.has(NPY_ARRAY_ALIGNED) {
        return Err(value_error("p is not aligned in memory for its dtype"));
    }
    let start = fields.data as usize;
    if written.gap((start, start + out.layout().bytes())).is_none() {
        return Err(value_error(
            "p and out, or the state, share memory; to update p in place leave out away",
        ));
    }
    Ok(fields.data)
}

/// Refuses an array that has not the shape, the dtype and the order of `p`.
fn check_alike(found: &Fields<'_>, p: &Writable<'_>, name: &str, own: &str) -> PyResult<()> {
    let wanted = &p.fields;
    if found.shape != wanted.shape {
        let (a, b) = (tuple(found.shape), tuple(wanted.shape));
        return Err(value_error(format!("{name} has shape {a}, but {own} has shape {b}")));
    }
    if found.numbers() != Some((p.dtype, p.complex)) {
        let a = found.numbers().map_or("another", |(dtype, complex)| layouts::dtype_name(dtype, complex));
        return Err(value_error(format!("{name} has dtype {a}, but {own} has dtype {}", p.dtype_name())));
    }
    if !same_order(wanted.shape, found.strides, wanted.strides) {
        let (a, b) = (tuple(found.strides), tuple(wanted.strides));
        return Err(value_error(format!("{name} has strides {a} bytes, but {own} has strides {b}")));
    }
    Ok(())
}
