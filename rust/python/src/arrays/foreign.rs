//! Gradients that are no arrays of NumPy, but of another library; and what a parameter was found as.

use gradstep_core::dtypes::GradDtype;
use gradstep_core::memory::{Gradient, Order, Tensor};
use pyo3::intern;
use pyo3::prelude::*;

use super::capsules::{Imported, import, speaks_dlpack};
use super::dlpack::RawTensor;
use super::exchange::Exchange;
use super::fields::Fields;
use super::layouts::same;
use super::parameters::Parameter;
use super::writable::{Written, tuple};
use crate::errors::{a_type, type_error, value_error};

impl Parameter {
    /// The object that the parameter was found as.
    pub(crate) fn given(&self) -> &Py<PyAny> {
        self.foreign.as_ref().unwrap_or(&self.array)
    }

    /// What is no ndarray: one of another library, or a number.
    pub(super) fn admit_foreign<'py>(
        &mut self,
        given: &Bound<'py, PyAny>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !speaks_dlpack(given)? {
            return self.convert_scalar(given, gradient);
        }
        self.admit_imported(import(given, &self.grads(), false)?, written, gradient)
    }

    /// An array of another library as one of NumPy, which is held in its place.
    fn admit_imported<'py>(
        &mut self,
        Imported { array, is_bfloat16 }: Imported<'py>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let array = if is_bfloat16 {
            let fields = Fields::of(&array).expect("an array");
            if !same(fields.shape, &self.layout.shape) {
                return Err(self.other_shape(fields.shape));
            }
            let order = self.layout.order_of_bits(&fields);
            if self.admit_where_it_is(&fields, order, written, gradient) {
                return Ok(Some(array));
            }
            widened(&array)?
        } else {
            array
        };
        Ok(Some(self.admit(&array, written, gradient)?.unwrap_or(array)))
    }

    /// Lets the core read the gradient in the array itself, if that has an order, and no step writes to it.
    pub(super) fn admit_where_it_is(
        &mut self,
        fields: &Fields<'_>,
        order: Option<(GradDtype, Order)>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> bool {
        let Some((dtype, order)) = order else { return false };
        let size = dtype.size() as isize;
        let (low, high) = order.reach(self.layout.len);
        let start = (fields.data as usize).wrapping_add_signed(low * size);
        let end = (fields.data as usize).wrapping_add_signed((high + 1) * size);
        if self.layout.len > 0 && !self.is_clear(written, (start, end)) {
            return false;
        }
        gradient.data = fields.data;
        gradient.dtype = dtype;
        gradient.order = order;
        true
    }

    /// A tensor that an exchange looks at: read where it is if it is like its parameter, as it nearly always is, but for
    /// the dtype at most. Returns what is to be held in its place, if Python code has run.
    pub(super) fn admit_tensor<'py>(
        &mut self,
        exchange: &Exchange,
        given: &Bound<'py, PyAny>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Ok(tensor) = exchange.look(given) else { return Err(self.no_dense_tensor(given)) };
        let Some(dtype) = self.likeness(&tensor) else {
            return self.admit_other_tensor(exchange, given, written, gradient);
        };
        let (start, end) = (tensor.data() as usize, tensor.data() as usize + self.layout.len * dtype.size());
        if start < self.clear.0 || end > self.clear.1 {
            let Some(gap) = written.gap((start, end)) else {
                return self.admit_other_tensor(exchange, given, written, gradient);
            };
            self.clear = gap;
        }
        gradient.data = tensor.data();
        gradient.dtype = dtype;
        gradient.order = Order::Same;
        Ok(None)
    }

    /// Any other tensor, through NumPy.
    #[cold]
    fn admit_other_tensor<'py>(
        &mut self,
        exchange: &Exchange,
        given: &Bound<'py, PyAny>,
        written: &Written,
        gradient: &mut Gradient,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = given.py();
        let given = &resolved(given)?;
        let tensor = exchange.look(given)?;
        if !tensor.device().is_cpu() {
            return Err(self.no_dense_tensor(given));
        }
        // SAFETY: the exchange has just looked at the tensor, which lives, and keeps its memory.
        let Some(array) = (unsafe { tensor.array(py, given.clone(), false)? }) else {
            return Err(type_error(format!(
                "{} has dtype {}, not a float dtype",
                self.grads(),
                tensor.dtype().name()
            )));
        };
        let is_bfloat16 = tensor.dtype().is_bfloat16();
        self.admit_imported(Imported { array, is_bfloat16 }, written, gradient)
    }

    /// Refuses a tensor that Python code has changed since it was admitted.
    pub(super) fn verify_tensor(
        &self,
        given: &Bound<'_, PyAny>,
        admitted: &Gradient,
        exchange: Option<&Exchange>,
    ) -> PyResult<()> {
        let tensor = exchange.filter(|exchange| exchange.knows(given)).map(|exchange| exchange.look(given));
        let same = tensor.transpose()?.is_some_and(|tensor| {
            self.likeness(&tensor) == Some(admitted.dtype) && tensor.data().cast_const() == admitted.data
        });
        if same { Ok(()) } else { Err(self.changed_meanwhile()) }
    }

    /// Whether a tensor is the parameter's own memory.
    #[inline(always)]
    pub(super) fn is_at(&self, own: &RawTensor, tensor: &Tensor) -> bool {
        self.is_like(own) && (self.layout.len == 0 || own.data() == tensor.params)
    }

    #[inline(always)]
    fn is_like(&self, tensor: &RawTensor) -> bool {
        // SAFETY: tensors come from `Exchange::look` alone, and whoever looked holds the object, with no Python code run
        // since.
        unsafe { tensor.is_like(&self.layout) }
    }

    /// The dtype of a gradient that is otherwise like the parameter, if the core can read that.
    #[inline(always)]
    fn likeness(&self, tensor: &RawTensor) -> Option<GradDtype> {
        if self.is_like(tensor) {
            return Some(self.layout.dtype.into());
        }
        // SAFETY: as of `is_like`.
        unsafe { tensor.likeness(&self.layout) }
    }

    /// The gradient that a tensor has, if it has one, which the core may read as it is.
    pub(super) fn gradient_of<'py>(&self, tensor: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = tensor.py();
        let gradient = tensor.getattr(intern!(py, "grad"))?;
        // Of those that are dense and like a parameter, only complex ones and single numbers may be the conjugate or the
        // negative of what their memory holds.
        if self.layout.complex && !gradient.is_none()
            || self.layout.len < 2
                && !gradient.is_none()
                && gradient.call_method0(intern!(py, "is_neg"))?.is_truthy()?
        {
            return resolved(&gradient);
        }
        Ok(gradient)
    }

    pub(super) fn other_shape(&self, shape: &[isize]) -> PyErr {
        let (a, b) = (tuple(shape), tuple(&self.layout.shape));
        value_error(format!("{} has shape {a}, but {} has shape {b}", self.grads(), self.own()))
    }

    pub(super) fn changed_meanwhile(&self) -> PyErr {
        value_error(format!("{} has changed during the step", self.grads()))
    }

    #[cold]
    fn no_dense_tensor(&self, given: &Bound<'_, PyAny>) -> PyErr {
        let what =
            |name: &str| given.getattr(name).map_or_else(|_| "?".to_owned(), |value| value.to_string());
        type_error(format!(
            "{} is {} with layout {} on {}; dense tensors on the CPU are wanted",
            self.grads(),
            a_type(given),
            what("layout"),
            what("device")
        ))
    }
}

/// A tensor of which the memory holds what it stands for: one of torch may be the conjugate or the negative of that.
#[cold]
fn resolved<'py>(tensor: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = tensor.py();
    let mut resolved = tensor.clone();
    for (asked, method) in [(intern!(py, "is_conj"), "resolve_conj"), (intern!(py, "is_neg"), "resolve_neg")]
    {
        if resolved.call_method0(asked)?.is_truthy()? {
            resolved = resolved.call_method0("detach")?.call_method0(method)?;
        }
    }
    Ok(resolved)
}

/// bfloat16, of which these are the bits, as float32, which begins with the same.
fn widened<'py>(bits: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    assert!(Fields::of(bits).is_some());
    let wide = bits.call_method1("astype", ("uint32",))?;
    wide.call_method1("__ilshift__", (16,))?;
    wide.call_method1("view", ("float32",))
}
