//! What we read off an ndarray: its fields, its memory layout, its place in memory.
//!
//! # Rationale
//! rust-numpy's safe wrappers take a global lock for each array and, in `as_slice`, do not tell C from F
//! order. A step looks at hundreds of arrays, so the fields of the C struct are read directly; what we
//! then write to is checked once, in [`writable`], and compared with that at each step, in
//! [`crate::parameters`].

use gradstep_core::floats::Dtype;
use numpy::PyArrayDescrMethods;
use numpy::npyffi::{self, NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE, NPY_TYPES, PyArrayObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyType};
use std::slice;

use crate::errors::{type_error, value_error};

/// Dtype, shape and strides (in bytes) of an array, and where its first element lies. Borrowed from the
/// array: not to be kept while Python code may run.
pub(crate) struct Fields<'a> {
    pub(crate) data: *mut u8,
    pub(crate) shape: &'a [isize],
    pub(crate) strides: &'a [isize],
    pub(crate) flags: i32,
    type_num: i32,
    native: bool,
}

impl<'a> Fields<'a> {
    /// None if `object` is no ndarray.
    #[inline]
    pub(crate) fn of(object: &'a Bound<'_, PyAny>) -> Option<Self> {
        // SAFETY: we are attached to the interpreter, and the pointer is a live object.
        if unsafe { npyffi::PyArray_Check(object.py(), object.as_ptr()) } == 0 {
            return None;
        }
        // SAFETY: it is an ndarray, whose struct starts with these fields in NumPy 1 and 2. NumPy keeps
        // `dimensions` and `strides` valid for `nd` entries; for 0-d arrays they may be null.
        unsafe {
            let array = &(*object.as_ptr().cast::<PyArrayObject>()).fields;
            let descr = &(*array.descr).fields;
            let nd = array.nd as usize;
            let axes =
                |pointer: *const isize| if nd == 0 { &[][..] } else { slice::from_raw_parts(pointer, nd) };
            Some(Self {
                data: array.data.cast(),
                shape: axes(array.dimensions),
                strides: axes(array.strides),
                flags: array.flags,
                type_num: descr.type_num,
                native: descr.byteorder as u8 != if cfg!(target_endian = "little") { b'>' } else { b'<' },
            })
        }
    }

    /// The dtype, if it is one that the core computes in, in native byte order.
    pub(crate) fn dtype(&self) -> Option<Dtype> {
        match self.type_num {
            n if n == NPY_TYPES::NPY_FLOAT as i32 && self.native => Some(Dtype::F32),
            n if n == NPY_TYPES::NPY_DOUBLE as i32 && self.native => Some(Dtype::F64),
            _ => None,
        }
    }

    /// float32 or float64 in any byte order.
    fn is_float(&self) -> bool {
        [NPY_TYPES::NPY_FLOAT as i32, NPY_TYPES::NPY_DOUBLE as i32].contains(&self.type_num)
    }

    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product::<isize>() as usize
    }

    /// The elements of an array of that dtype follow each other in memory as those of `other`: index by
    /// index the same distance from the first one.
    pub(crate) fn same_order(&self, dtype: Dtype, strides: &[isize], of: Dtype) -> bool {
        let (ours, theirs) = (dtype.size() as isize, of.size() as isize);
        self.shape
            .iter()
            .zip(self.strides.iter().zip(strides))
            .all(|(&n, (&a, &b))| n < 2 || a * theirs == b * ours)
            || self.len() == 0
    }

    /// The elements fill their stretch of memory without gaps, in whatever order of axes.
    fn is_dense(&self, dtype: Dtype) -> bool {
        let mut axes: Vec<_> = self.strides.iter().zip(self.shape).filter(|&(_, &n)| n != 1).collect();
        axes.sort();
        let mut next = dtype.size() as isize;
        self.len() == 0
            || axes.into_iter().all(|(&stride, &n)| {
                let fits = stride == next;
                next *= n;
                fits
            })
    }

    pub(crate) fn has(&self, flag: i32) -> bool {
        self.flags & flag != 0
    }
}

/// An array that the core may write to: what it is, and where.
pub(crate) struct Writable {
    pub(crate) dtype: Dtype,
    pub(crate) len: usize,
    pub(crate) data: *mut u8,
}

impl Writable {
    pub(crate) fn end(&self) -> usize {
        self.data as usize + self.len * self.dtype.size()
    }
}

/// Checks that `object` is an array that can be updated in place. `label` names it in errors.
pub(crate) fn writable(object: &Bound<'_, PyAny>, label: &dyn Fn() -> String) -> PyResult<Writable> {
    if is_masked(object)? {
        return Err(type_error(format!("{} is a masked array; its mask would be ignored", label())));
    }
    let Some(fields) = Fields::of(object) else {
        return Err(type_error(format!("{} is {}, not an ndarray", label(), a_type(object))));
    };
    let Some(dtype) = fields.dtype() else {
        let name = dtype_name(object)?;
        if fields.native || !fields.is_float() {
            return Err(type_error(format!("{} has dtype {name}, not float32 or float64", label())));
        }
        return Err(value_error(format!(
            "{} has dtype {name}, which is not in this machine's byte order",
            label()
        )));
    };
    if !fields.has(NPY_ARRAY_WRITEABLE) {
        return Err(value_error(format!("{} is read-only, so it cannot be updated in place", label())));
    }
    if !fields.has(NPY_ARRAY_ALIGNED) {
        return Err(value_error(format!(
            "{} is not aligned in memory for its dtype {}",
            label(),
            dtype_name(object)?
        )));
    }
    if !fields.is_dense(dtype) {
        return Err(value_error(format!(
            "{} is not dense in memory: it has shape {} with strides {} bytes; C order, F order or a transpose of \
             these is wanted",
            label(),
            tuple(fields.shape),
            tuple(fields.strides),
        )));
    }
    Ok(Writable { dtype, len: fields.len(), data: fields.data })
}

/// Refuses arrays that share memory: an update of one would change the other.
pub(crate) fn check_overlap(arrays: &[Writable], label: &dyn Fn(usize) -> String) -> PyResult<()> {
    let mut order: Vec<_> = (0..arrays.len()).filter(|&i| arrays[i].len > 0).collect();
    order.sort_by_key(|&i| (arrays[i].data as usize, i));
    for pair in order.windows(2) {
        let [a, b] = [pair[0].min(pair[1]), pair[0].max(pair[1])];
        if arrays[pair[0]].end() > arrays[pair[1]].data as usize {
            return Err(value_error(format!("{} and {} share memory", label(a), label(b))));
        }
    }
    Ok(())
}

/// Runs Python code for subclasses of ndarray; to be asked before [`Fields`] are borrowed.
pub(crate) fn is_masked(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static MASKED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let (py, pointer) = (object.py(), object.as_ptr());
    // SAFETY: we are attached, and the pointer is a live object.
    let is_subclass =
        unsafe { npyffi::PyArray_Check(py, pointer) != 0 && npyffi::PyArray_CheckExact(py, pointer) == 0 };
    // By its type: `isinstance` would ask for `__class__`, which may be code that changes the array.
    Ok(is_subclass && object.get_type().is_subclass(MASKED.import(py, "numpy.ma", "MaskedArray")?)?)
}

/// A Python float or NumPy floating scalar: what NumPy makes of 0-d results.
pub(crate) fn is_float_scalar(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static FLOATING: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(object.is_instance_of::<PyFloat>()
        || object.is_instance(FLOATING.import(object.py(), "numpy", "floating")?)?)
}

/// A plain array of the shape and memory order of `like`, not filled. Not `np.empty_like`, which a subclass
/// of ndarray may answer with whatever it likes.
pub(crate) fn empty_like<'py>(like: &Bound<'py, PyAny>, dtype: Dtype) -> PyResult<Bound<'py, PyAny>> {
    let py = like.py();
    let descr = match dtype {
        Dtype::F32 => numpy::dtype::<f32>(py),
        Dtype::F64 => numpy::dtype::<f64>(py),
    };
    let (prototype, order) = (like.as_ptr().cast(), npyffi::NPY_ORDER::NPY_KEEPORDER);
    // SAFETY: `like` is a live ndarray, we are attached, and the call takes over the reference to the dtype.
    // It returns a new reference, or null with an exception set.
    unsafe {
        let array =
            npyffi::PY_ARRAY_API.PyArray_NewLikeArray(py, prototype, order, descr.into_dtype_ptr(), 0);
        Bound::from_owned_ptr_or_err(py, array)
    }
}

/// `np.copyto(target, source, casting="unsafe")`.
pub(crate) fn copy(target: &Bound<'_, PyAny>, source: &Bound<'_, PyAny>) -> PyResult<()> {
    let (to, from) = (target.as_ptr().cast(), source.as_ptr().cast());
    // SAFETY: both are live ndarrays, and we are attached.
    if unsafe { npyffi::PY_ARRAY_API.PyArray_CopyInto(target.py(), to, from) } < 0 {
        return Err(PyErr::fetch(target.py()));
    }
    Ok(())
}

/// `(3, 4)`, `(3,)`, `()`: a shape as Python prints it.
pub(crate) fn tuple(numbers: &[isize]) -> String {
    match numbers {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}

pub(crate) fn dtype_name(array: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(array.getattr("dtype")?.str()?.to_string())
}

/// "a list", "an int", "None".
pub(crate) fn a_type(object: &Bound<'_, PyAny>) -> String {
    if object.is_none() {
        return "None".to_owned();
    }
    let name = object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    let article = if vowel || name == "ndarray" { "an" } else { "a" };
    format!("{article} {name}")
}
