//! One parameter with its state: checked when the optimizer is made, looked at once more at each step, and
//! paired with its gradient.

use gradstep_core::dtypes::Dtype;
use gradstep_core::memory::{Gradient, Order, Tensor};
use numpy::npyffi::{NPY_ARRAY_OWNDATA, NPY_ARRAY_WRITEABLE};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyComplex, PyFloat, PyList, PyType};

use super::exchange::Exchange;
use super::fields::{Fields, is_masked, references};
use super::forms::Form;
use super::layouts::{Layout, same};
use super::looks::Look;
use super::made::{Room, copy};
use super::writable::{Written, dtype_name, masked, tuple};
use crate::errors::{a_type, label, type_error, value_error};

/// What errors call all parameters, and all gradients.
pub(crate) type Roots = [&'static str; 2];

/// What errors call an array that is given to a function, and its gradient.
pub(super) const LONE: Roots = ["p", "g"];

/// A parameter, and the layout that its state and its gradient must have.
pub(crate) struct Parameter {
    /// The path name: `fc1.w`; nothing for a lone array.
    pub(crate) path: String,
    pub(crate) array: Py<PyAny>,
    /// What was given in its place, if that is an array of another library; the two share their memory.
    pub(crate) foreign: Option<Py<PyAny>>,
    pub(crate) layout: Layout,
    look: Option<Look>,
    roots: Roots,
    /// Holds the gradient when the core cannot read it where it is.
    scratch: Option<Room>,
    /// The gap between what a step writes that the gradient was last seen in.
    pub(super) clear: (usize, usize),
}

/// The name of what has that path; a lone array is the first of one.
pub(crate) fn name(path: &str) -> &str {
    if path.is_empty() { "0" } else { path }
}

impl Parameter {
    pub(crate) fn new(array: Py<PyAny>, path: String, layout: Layout, roots: Roots) -> Self {
        Self { path, array, foreign: None, layout, look: None, roots, scratch: None, clear: (1, 0) }
    }

    /// The same, to be looked at often.
    pub(crate) fn watched(mut self, py: Python<'_>) -> Self {
        self.look = Look::of(self.array.bind(py));
        self
    }

    /// `params['fc1.w']`.
    pub(crate) fn own(&self) -> String {
        label(self.roots[0], &self.path)
    }

    /// `grads['fc1.w']`.
    pub(crate) fn grads(&self) -> String {
        label(self.roots[1], &self.path)
    }

    /// Whether it is an argument of a function.
    pub(super) fn is_lone(&self) -> bool {
        self.roots == LONE
    }

    /// How `state` calls it.
    pub(crate) fn name(&self) -> &str {
        name(&self.path)
    }

    /// Where the parameter lies, without state as yet.
    pub(crate) fn tensor(&self, data: *mut u8) -> Tensor {
        Tensor::new(self.layout.dtype, self.layout.len, data)
    }

    /// Refuses an array that is no longer what was checked: moved, resized, retyped or made read-only.
    #[inline(always)]
    pub(super) fn verify(&self, py: Python<'_>, tensor: &Tensor) -> PyResult<()> {
        let seen = self.look.as_ref().and_then(|look| look.find(self.array.bind(py)));
        if seen.is_some_and(|seen| seen.data == tensor.params && seen.is_writeable()) {
            return Ok(());
        }
        self.verify_slowly(py, tensor)
    }

    #[cold]
    fn verify_slowly(&self, py: Python<'_>, tensor: &Tensor) -> PyResult<()> {
        let array = self.array.bind(py);
        let fields = Fields::of(array).expect("an array stays an array");
        let same = fields.data == tensor.params
            && same(fields.shape, &self.layout.shape)
            && self.layout.has_dtype(&fields)
            && self.layout.has_strides(fields.strides)
            && fields.has(NPY_ARRAY_WRITEABLE);
        if same { Ok(()) } else { Err(self.changed(array, &fields, tensor.params)) }
    }

    fn changed(&self, array: &Bound<'_, PyAny>, fields: &Fields<'_>, data: *mut u8) -> PyErr {
        let own = self.own();
        let changed = |what: &str, now: String, then: String| {
            value_error(format!("{own} has changed: it has {what} {now}, but had {then} at first"))
        };
        let Layout { shape, strides, .. } = &self.layout;
        if fields.shape != &**shape {
            changed("shape", tuple(fields.shape), tuple(shape))
        } else if !self.layout.has_dtype(fields) {
            let now = dtype_name(array).unwrap_or_default();
            changed("dtype", now, self.layout.dtype_name().to_owned())
        } else if !self.layout.has_strides(fields.strides) {
            changed("strides", tuple(fields.strides), tuple(strides))
        } else if fields.data != data {
            changed("its memory at", format!("{:p}", fields.data), format!("{data:p}"))
        } else {
            value_error(format!("{own} is read-only, so it cannot be updated in place"))
        }
    }

    /// Refuses a gradient that Python code has changed since it was admitted.
    pub(super) fn verify_gradient(
        &self,
        given: &Bound<'_, PyAny>,
        admitted: &Gradient,
        exchange: Option<&Exchange>,
    ) -> PyResult<()> {
        let Some(fields) = Fields::of(given) else { return self.verify_tensor(given, admitted, exchange) };
        let read = Some((admitted.dtype, admitted.order));
        let same = fields.data.cast_const() == admitted.data
            && same(fields.shape, &self.layout.shape)
            && (self.layout.order_of(&fields) == read || self.layout.order_of_bits(&fields) == read);
        if same { Ok(()) } else { Err(self.changed_meanwhile()) }
    }

    /// Refuses another array that cannot take the place of this one.
    pub(super) fn check_like(&self, new: &Self) -> PyResult<()> {
        let own = new.own();
        if self.path != new.path {
            return Err(value_error(format!("{own} is where the optimizer has {}", self.own())));
        }
        let (old, new) = (&self.layout, &new.layout);
        if old.shape != new.shape {
            let (a, b) = (tuple(&new.shape), tuple(&old.shape));
            return Err(value_error(format!("{own} has shape {a}, but had {b} at first")));
        }
        if (old.dtype, old.complex) != (new.dtype, new.complex) {
            let (a, b) = (new.dtype_name(), old.dtype_name());
            return Err(type_error(format!("{own} has dtype {a}, but had {b} at first")));
        }
        Ok(())
    }

    /// Whether the array owns its memory, and there are just so many references to it.
    pub(crate) fn is_held_by(&self, py: Python<'_>, count: isize) -> bool {
        let array = self.array.bind(py);
        references(array) == count && Fields::of(array).is_some_and(|fields| fields.has(NPY_ARRAY_OWNDATA))
    }

    /// Whether the gradient is as it nearly always is: like its parameter, and somewhere near its last one.
    #[inline(always)]
    pub(super) fn admit_quickly(&self, given: &Bound<'_, PyAny>, gradient: &mut Gradient) -> bool {
        if let Some(seen) = self.look.as_ref().and_then(|look| look.find(given))
            && seen.is_aligned()
            && seen.data as usize >= self.clear.0
            && seen.data as usize + self.layout.bytes() <= self.clear.1
        {
            gradient.data = seen.data;
            gradient.dtype = self.layout.dtype.into();
            gradient.order = Order::Same;
            return true;
        }
        false
    }

    /// Finds out where the core reads the gradient: in the array itself, or in a copy, which is returned.
    #[cold]
    pub(super) fn admit<'py>(
        &mut self,
        given: &Bound<'py, PyAny>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(fields) = Fields::of(given) else { return self.admit_foreign(given, written, gradient) };
        if is_masked(given)? {
            return Err(masked(&self.grads()));
        }
        if !same(fields.shape, &self.layout.shape) {
            return Err(self.other_shape(fields.shape));
        }
        let order = self.layout.order_of(&fields);
        if self.admit_where_it_is(&fields, order, written, gradient) {
            Ok(None)
        } else {
            self.convert(given, gradient)
        }
    }

    /// Whether a stretch of memory is in none that a step writes.
    pub(super) fn is_clear(&mut self, written: &Written, (start, end): (usize, usize)) -> bool {
        if start >= self.clear.0 && end <= self.clear.1 {
            return true;
        }
        written.gap((start, end)).inspect(|&gap| self.clear = gap).is_some()
    }

    /// A Python float or NumPy scalar as the gradient of a 0-d parameter: what NumPy makes of 0-d results.
    #[cold]
    pub(super) fn convert_scalar<'py>(
        &mut self,
        given: &Bound<'py, PyAny>,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        static INEXACT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = given.py();
        let is_number = given.is_instance_of::<PyFloat>()
            || given.is_instance_of::<PyComplex>()
            || given.is_instance(INEXACT.import(py, "numpy", "inexact")?)?;
        if self.layout.shape.is_empty() && is_number {
            let array = py.import("numpy")?.call_method1("asarray", (given,))?;
            return self.convert(&array, gradient);
        }
        let hint = match given.cast::<PyList>() {
            Ok(list) if list.iter().any(|item| Fields::of(&item).is_some()) => {
                "; the parameter is one array, and so is its gradient"
            }
            Ok(_) => "; np.array(...) makes one of it",
            Err(_) => "",
        };
        Err(type_error(format!("{} is {}, not an ndarray{hint}", self.grads(), a_type(given))))
    }

    /// Copies the gradient into an array of the parameter's order, kept for the next time. It keeps its dtype if
    /// the core can convert that in the pass, so that a value too large for the parameter's dtype becomes
    /// infinite in the same way, whatever its order.
    #[cold]
    fn convert<'py>(
        &mut self,
        given: &Bound<'py, PyAny>,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let dtype = self.dtype_of_copy(given)?;
        let copied = self.copied(given, &self.layout.in_dtype(dtype))?;
        gradient.data = Fields::of(&copied).expect("we made it").data;
        gradient.dtype = dtype.into();
        gradient.order = Order::Same;
        Ok(Some(copied))
    }

    /// The dtype that a gradient is copied in: its own if the core can convert that.
    pub(super) fn dtype_of_copy(&self, given: &Bound<'_, PyAny>) -> PyResult<Dtype> {
        if !(is_float(given)? || self.layout.complex && kind_of(given)? == 'c') {
            let dtype = dtype_name(given)?;
            let wanted = if self.layout.complex { "a complex or float dtype" } else { "a float dtype" };
            return Err(type_error(format!("{} has dtype {dtype}, not {wanted}", self.grads())));
        }
        let fields = Fields::of(given).expect("an array stays an array");
        if given.getattr("dtype")?.getattr("name")?.eq("bfloat16")? {
            fields.know_bfloat16();
        }
        Ok(fields.dtype().filter(|_| !self.layout.complex).unwrap_or(self.layout.dtype))
    }

    /// A copy in that layout, in memory that is kept for the next time.
    pub(super) fn copied<'py>(
        &mut self,
        given: &Bound<'py, PyAny>,
        layout: &Layout,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (start, end) = self.scratch.as_ref().map_or((0, 0), Room::stretch);
        if self.scratch.is_none() || end - start < layout.bytes() {
            self.scratch = Some(Room::new(given.py(), layout.bytes())?);
        }
        let scratch = self.scratch.as_ref().expect("just made");
        let copied = scratch.view(given.py(), scratch.start(), &Form::of(layout))?;
        copy(&copied, given)?;
        Ok(copied)
    }
}

/// NumPy's own floats, and those of `ml_dtypes`: bfloat16, float8_e4m3fn and their kin.
fn is_float(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    if kind_of(array)? == 'f' {
        return Ok(true);
    }
    let dtype = array.getattr("dtype")?;
    let name: String = dtype.getattr("name")?.extract()?;
    let module: String = dtype.getattr("type")?.getattr("__module__")?.extract()?;
    Ok(module == "ml_dtypes" && (name.starts_with("bfloat") || name.starts_with("float")))
}

/// NumPy's letter for the kind of a dtype.
fn kind_of(array: &Bound<'_, PyAny>) -> PyResult<char> {
    array.getattr("dtype")?.getattr("kind")?.extract()
}
