//! One parameter with its state: checked when the optimizer is made, verified at each step, and paired
//! with its gradient.

use gradstep_core::elements::MAX_STATE;
use gradstep_core::floats::Dtype;
use gradstep_core::plans::Tensor;
use numpy::npyffi::{NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE};
use pyo3::prelude::*;

use crate::arrays::{
    self, Fields, Writable, a_type, dtype_name, is_float_scalar, is_masked, tuple, writable,
};
use crate::errors::{type_error, value_error};
use crate::trees::label;

/// A parameter, its state slots, and the layout that all of them and the gradient must have.
pub(crate) struct Parameter {
    /// The path name: `fc1.w`; nothing for a lone array.
    pub(crate) path: String,
    /// How errors call it, and its gradient: `params['fc1.w']`, `grads['fc1.w']`.
    pub(crate) own: String,
    pub(crate) grads: String,
    pub(crate) array: Py<PyAny>,
    /// In the order of the rule's slots.
    pub(crate) state: Vec<Py<PyAny>>,
    /// The names of the slots.
    slots: &'static [&'static str],
    shape: Box<[isize]>,
    strides: Box<[isize]>,
    /// Holds the gradient when that has another order or dtype than the core can read.
    scratch: Option<Py<PyAny>>,
    /// The stretch of memory that was last seen not to overlap what a step writes.
    cleared: (usize, usize),
}

/// The stretches of memory that a step writes, sorted.
pub(crate) struct Written(Vec<(usize, usize)>);

impl Parameter {
    /// Checks the parameter and its state; `roots` is what errors call all parameters and all gradients.
    /// Returns what a step will write, the parameter first.
    pub(crate) fn new(
        array: &Bound<'_, PyAny>,
        path: &str,
        roots: [&str; 2],
        slots: &'static [&'static str],
        state: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<(Self, Vec<Writable>)> {
        let [own, grads] = roots.map(|root| label(root, path));
        let mut writes = vec![writable(array, &|| own.clone())?];
        let fields = Fields::of(array).expect("a writable array is an array");
        for (slot, &name) in state.iter().zip(slots) {
            let write = writable(slot, &|| name.to_owned())?;
            let found = Fields::of(slot).expect("a writable array is an array");
            if found.shape != fields.shape {
                let (a, b) = (tuple(found.shape), tuple(fields.shape));
                return Err(value_error(format!("{name} has shape {a}, but {own} has shape {b}")));
            }
            if write.dtype != writes[0].dtype {
                let (a, b) = (dtype_name(slot)?, dtype_name(array)?);
                return Err(value_error(format!("{name} has dtype {a}, but {own} has dtype {b}")));
            }
            if !found.same_order(write.dtype, fields.strides, write.dtype) {
                let (a, b) = (tuple(found.strides), tuple(fields.strides));
                return Err(value_error(format!("{name} has strides {a} bytes, but {own} has strides {b}")));
            }
            writes.push(write);
        }
        let parameter = Self {
            path: path.to_owned(),
            own,
            grads,
            array: array.clone().unbind(),
            state: state.into_iter().map(Bound::unbind).collect(),
            slots,
            shape: fields.shape.into(),
            strides: fields.strides.into(),
            scratch: None,
            cleared: (0, 0),
        };
        Ok((parameter, writes))
    }

    pub(crate) fn tensor(group: usize, writes: &[Writable]) -> Tensor {
        let Writable { dtype, len, data } = writes[0];
        let state = std::array::from_fn(|k| writes.get(k + 1).map_or(std::ptr::null_mut(), |slot| slot.data));
        debug_assert!(writes.len() <= MAX_STATE + 1);
        Tensor { group, dtype, len, params: data, state, grads: std::ptr::null(), grads_dtype: dtype }
    }

    /// Refuses arrays that are no longer what was checked: moved, resized, retyped or made read-only.
    pub(crate) fn verify(&self, py: Python<'_>, tensor: &Tensor) -> PyResult<()> {
        self.verify_one(self.array.bind(py), tensor.dtype, tensor.params, None)?;
        for (k, slot) in self.state.iter().enumerate() {
            self.verify_one(slot.bind(py), tensor.dtype, tensor.state[k], Some(self.slots[k]))?;
        }
        Ok(())
    }

    #[inline]
    fn verify_one(
        &self,
        array: &Bound<'_, PyAny>,
        dtype: Dtype,
        data: *mut u8,
        slot: Option<&str>,
    ) -> PyResult<()> {
        let fields = Fields::of(array).expect("an array stays an array");
        let own = &self.own;
        let name = || slot.map_or(own.clone(), |slot| format!("{slot} of {own}"));
        let changed = |what: &str, now: &dyn std::fmt::Display, then: &dyn std::fmt::Display| {
            Err(value_error(format!("{} has changed: it has {what} {now}, but had {then} at first", name())))
        };
        if fields.shape != &*self.shape {
            return changed("shape", &tuple(fields.shape), &tuple(&self.shape));
        }
        if fields.dtype() != Some(dtype) {
            return changed("dtype", &dtype_name(array)?, &dtype.name());
        }
        if !fields.same_order(dtype, &self.strides, dtype) {
            return changed("strides", &tuple(fields.strides), &tuple(&self.strides));
        }
        if fields.data != data {
            return changed("its memory at", &format!("{:p}", fields.data), &format!("{data:p}"));
        }
        if !fields.has(NPY_ARRAY_WRITEABLE) {
            return Err(value_error(format!("{} is read-only, so it cannot be updated in place", name())));
        }
        Ok(())
    }

    /// Refuses a gradient that Python code has changed since it was admitted.
    pub(crate) fn verify_grads(&self, grads: &Bound<'_, PyAny>, tensor: &Tensor) -> PyResult<()> {
        let fields = Fields::of(grads).expect("an array stays an array");
        let same = fields.data.cast_const() == tensor.grads
            && fields.shape == &*self.shape
            && fields.dtype() == Some(tensor.grads_dtype)
            && fields.same_order(tensor.grads_dtype, &self.strides, tensor.dtype);
        if same { Ok(()) } else { Err(value_error(format!("{} has changed during the step", self.grads))) }
    }

    /// Checks the gradient and writes into `tensor` where the core finds it. Returns the array that must
    /// live until the step is over.
    pub(crate) fn admit<'py>(
        &mut self,
        grads: &Bound<'py, PyAny>,
        tensor: &mut Tensor,
        written: &Written,
    ) -> PyResult<Bound<'py, PyAny>> {
        if is_masked(grads)? {
            return Err(type_error(format!("{} is a masked array; its mask would be ignored", self.grads)));
        }
        let Some(fields) = Fields::of(grads) else {
            if self.shape.is_empty() && is_float_scalar(grads)? {
                let array = grads.py().import("numpy")?.call_method1("asarray", (grads,))?;
                return self.convert(&array, tensor);
            }
            return Err(type_error(format!("{} is {}, not an ndarray", self.grads, a_type(grads))));
        };
        if fields.shape != &*self.shape {
            let (ours, theirs) = (&self.grads, &self.own);
            let (a, b) = (tuple(fields.shape), tuple(&self.shape));
            return Err(value_error(format!("{ours} has shape {a}, but {theirs} has shape {b}")));
        }
        let usable = fields.dtype().filter(|&dtype| {
            fields.has(NPY_ARRAY_ALIGNED) && fields.same_order(dtype, &self.strides, tensor.dtype)
        });
        let Some(dtype) = usable else { return self.convert(grads, tensor) };
        let stretch = (fields.data as usize, fields.data as usize + tensor.len * dtype.size());
        if stretch != self.cleared {
            if written.overlap(stretch) {
                return self.convert(grads, tensor);
            }
            self.cleared = stretch;
        }
        tensor.grads = fields.data;
        tensor.grads_dtype = dtype;
        Ok(grads.clone())
    }

    /// Copies the gradient into an array of the parameter's order, kept for the next time. It keeps its
    /// dtype if the core can convert that in the pass, so that a value too large for the parameter's
    /// dtype becomes infinite in the same way, whatever its order.
    #[cold]
    fn convert<'py>(
        &mut self,
        grads: &Bound<'py, PyAny>,
        tensor: &mut Tensor,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = grads.py();
        if grads.getattr("dtype")?.getattr("kind")?.extract::<char>()? != 'f' {
            let dtype = dtype_name(grads)?;
            return Err(type_error(format!("{} has dtype {dtype}, not a float dtype", self.grads)));
        }
        let dtype_of = |array: &Bound<'_, PyAny>| Fields::of(array).and_then(|fields| fields.dtype());
        let dtype = dtype_of(grads).unwrap_or(tensor.dtype);
        let scratch = match &self.scratch {
            Some(scratch) if dtype_of(scratch.bind(py)) == Some(dtype) => scratch.bind(py).clone(),
            _ => arrays::empty_like(self.array.bind(py), dtype)?,
        };
        arrays::copy(&scratch, grads)?;
        self.scratch = Some(scratch.clone().unbind());
        tensor.grads = Fields::of(&scratch).expect("a scratch is an array").data;
        tensor.grads_dtype = dtype;
        Ok(scratch)
    }
}

impl Written {
    pub(crate) fn new(writes: &[Writable]) -> Self {
        let mut stretches: Vec<_> = writes
            .iter()
            .filter(|write| write.len > 0)
            .map(|write| (write.data as usize, write.end()))
            .collect();
        stretches.sort_unstable();
        Self(stretches)
    }

    fn overlap(&self, (start, end): (usize, usize)) -> bool {
        let after = self.0.partition_point(|&(_, stop)| stop <= start);
        start < end && self.0.get(after).is_some_and(|&(first, _)| first < end)
    }
}
