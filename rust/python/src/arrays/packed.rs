//! A slot of the state that is kept in fewer bits, as Python sees it.

use gradstep_core::codecs::Format;
use gradstep_core::rule::Narrowing;
use pyo3::basic::CompareOp;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use super::fields::Fields;
use super::narrow::Narrow;
use crate::errors::{a_type, type_error, value_error};

/// The formats by the names that the option `state_dtype` has for them.
pub(crate) const FORMATS: [(&str, Format); 2] = [("bfloat16", Format::Bfloat16), ("8bit", Format::Float8)];

#[expect(clippy::doc_link_with_quotes, reason = "an example in Python")]
#[doc = include_str!("packed.txt")]
#[pyclass(frozen, module = "gradstep")]
pub(crate) struct Packed {
    format: Format,
    signed: bool,
    words: Py<PyAny>,
    exponents: Option<Py<PyAny>>,
}

impl Packed {
    /// Of arrays that belong together.
    pub(crate) fn of(
        py: Python<'_>,
        format: Format,
        narrowing: Narrowing,
        words: &Bound<'_, PyAny>,
        exponents: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Self>> {
        let packed = Self {
            format,
            signed: narrowing != Narrowing::Unsigned,
            words: words.clone().unbind(),
            exponents: exponents.map(|exponents| exponents.clone().unbind()),
        };
        Py::new(py, packed)
    }

    fn with<'py, T>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(Narrow<'_, 'py>) -> PyResult<T>,
    ) -> PyResult<T> {
        work(Narrow {
            format: self.format,
            narrowing: if self.signed { Narrowing::Signed } else { Narrowing::Unsigned },
            words: self.words.bind(py),
            exponents: self.exponents.as_ref().map(|exponents| exponents.bind(py)),
        })
    }

    fn decoded<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.with(py, |narrow| narrow.decoded(py))
    }
}

#[pymethods]
impl Packed {
    #[new]
    #[pyo3(signature = (format, parts, *, signed=None), text_signature = "(format, parts, *, signed=True)")]
    fn new(
        format: &Bound<'_, PyAny>,
        parts: &Bound<'_, PyAny>,
        signed: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = parts.py();
        let must_be = |name, what, got| type_error(format!("{name} must be {what}, got {}", a_type(got)));
        let Ok(name) = format.extract::<&str>() else { return Err(must_be("format", "a str", format)) };
        let Some(&(_, format)) = FORMATS.iter().find(|(known, _)| *known == name) else {
            return Err(value_error(format!("format must be 'bfloat16' or '8bit', got '{name}'")));
        };
        let Ok(parts) = parts.cast::<PyDict>() else { return Err(must_be("parts", "a dict", parts)) };
        let signed = match signed.map(|signed| (signed, signed.cast::<PyBool>())) {
            None => true,
            Some((_, Ok(signed))) => signed.is_true(),
            Some((other, Err(_))) => return Err(must_be("signed", "a bool", other)),
        };
        let names: &[&str] = if format == Format::Float8 { &["codes", "exponents"] } else { &["bits"] };
        let mut found = Vec::new();
        for name in names {
            match parts.get_item(name)? {
                Some(array) if parts.len() == names.len() => found.push(array.unbind()),
                _ => {
                    let (names, keys) = (names.join(" and "), parts.keys());
                    return Err(value_error(format!("parts must have {names} and nothing else, got {keys}")));
                }
            }
        }
        let exponents = if names.len() == 2 { found.pop() } else { None };
        let new = Self { format, signed, words: found.swap_remove(0), exponents };
        new.with(py, |narrow| narrow.check())?;
        Ok(new)
    }

    /// "bfloat16" or "8bit".
    #[getter]
    fn format(&self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self.format).map_or("", |(name, _)| name)
    }

    /// Whether there are negative numbers; they would be in bfloat16 anyway.
    #[getter]
    fn signed(&self) -> bool {
        self.signed
    }

    /// Plain arrays, the memory itself: ``bits``, or ``codes`` and ``exponents``.
    #[getter]
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let parts = PyDict::new(py);
        parts.set_item(if self.format == Format::Float8 { "codes" } else { "bits" }, &self.words)?;
        if let Some(exponents) = &self.exponents {
            parts.set_item("exponents", exponents)?;
        }
        Ok(parts)
    }

    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let fields = Fields::of(self.words.bind(py)).expect("an array stays an array");
        PyTuple::new(py, fields.shape)
    }

    #[getter]
    fn ndim(&self, py: Python<'_>) -> usize {
        Fields::of(self.words.bind(py)).expect("an array stays an array").shape.len()
    }

    /// The number of elements.
    #[getter]
    fn size(&self, py: Python<'_>) -> usize {
        Fields::of(self.words.bind(py)).expect("an array stays an array").len()
    }

    /// What it decodes to: float32.
    #[getter]
    fn dtype<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyAny> {
        numpy::dtype::<f32>(slf.py()).into_any()
    }

    /// Bytes of all parts.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        let own: usize = self.words.bind(py).getattr("nbytes")?.extract()?;
        let exponents = self.exponents.as_ref().map_or(Ok(0), |exponents| exponents.bind(py).len())?;
        Ok(own + exponents)
    }

    /// Decode it: a float32 array of its own.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(value_error("a Packed is decoded to an array of its own: copy=False cannot be"));
        }
        let values = self.decoded(py)?;
        match dtype {
            Some(dtype) if !dtype.is_none() => values.call_method1("astype", (dtype,)),
            _ => Ok(values),
        }
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.decoded(py)?.get_item(key)
    }

    fn __setitem__<'py>(
        &self,
        py: Python<'py>,
        key: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        let values = self.decoded(py)?;
        values.set_item(key, value)?;
        self.with(py, |narrow| narrow.encode(&values))
    }

    /// As the numbers compare: element by element.
    fn __richcmp__<'py>(&self, other: &Bound<'py, PyAny>, op: CompareOp) -> PyResult<Bound<'py, PyAny>> {
        self.decoded(other.py())?.rich_compare(other, op)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.words.bind(py).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.decoded(py)?.try_iter()?.into_any())
    }

    /// A copy of the parts.
    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        let copy = |array: &Py<PyAny>| Ok::<_, PyErr>(array.bind(py).call_method1("copy", ("K",))?.unbind());
        let exponents = self.exponents.as_ref().map(copy).transpose()?;
        Ok(Self { format: self.format, signed: self.signed, words: copy(&self.words)?, exponents })
    }

    fn __copy__(&self, py: Python<'_>) -> PyResult<Self> {
        self.copy(py)
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.copy(py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (this, py) = (slf.get(), slf.py());
        let own = py.import("gradstep._core")?.getattr("_packed")?;
        let parts = this.parts(py)?.into_any();
        let format = PyString::new(py, this.format()).into_any();
        let signed = PyBool::new(py, this.signed).to_owned().into_any();
        Ok((own, PyTuple::new(py, [format, parts, signed])?))
    }

    /// The arrays may be of a subclass with attributes.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.words)?;
        visit.call(&self.exponents)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let values = self.decoded(py)?.repr()?;
        Ok(format!("Packed('{}', {values})", self.format()))
    }
}

/// What a pickle is made of again.
#[pyfunction]
pub(crate) fn _packed(
    format: &Bound<'_, PyAny>,
    parts: &Bound<'_, PyAny>,
    signed: &Bound<'_, PyAny>,
) -> PyResult<Packed> {
    Packed::new(format, parts, Some(signed))
}
