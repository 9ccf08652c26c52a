//! Gradients that have rows: where the core reads their values, and the tables of their rows, kept from step to step.

use gradstep_core::dtypes::{Dtype, GradDtype};
use gradstep_core::memory::{Gradient, Order};
use gradstep_core::plans::Extent;
use gradstep_core::rows::{RowsError, Table};
use numpy::npyffi::NPY_ARRAY_ALIGNED;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;

use super::fields::Fields;
use super::layouts::{Layout, same, same_order};
use super::parameters::Parameter;
use super::rows::{Rows, fill};
use super::writable::{Written, tuple};
use crate::errors::{memory_error, value_error};

/// The tables of the rows of a step.
#[derive(Default)]
pub(super) struct Tables {
    tables: Vec<Table>,
    used: usize,
}

impl Tables {
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    pub(super) fn are_used(&self) -> bool {
        self.used > 0
    }

    pub(super) fn used(&self) -> &[Table] {
        &self.tables[..self.used]
    }

    /// The next one, and its number.
    pub(super) fn next(&mut self) -> PyResult<(usize, &mut Table)> {
        if self.used == self.tables.len() {
            self.tables.try_reserve(1).map_err(memory_error)?;
            self.tables.push(Table::default());
        }
        self.used += 1;
        Ok((self.used - 1, &mut self.tables[self.used - 1]))
    }

    /// How many elements a pass over a gradient goes over.
    pub(super) fn extent(&self, order: Order, len: usize) -> Extent {
        let Order::Rows { table, .. } = order else { return Extent::Whole(len) };
        let table = &self.tables[table];
        Extent::Rows { count: table.count(), width: table.width() }
    }
}

impl Layout {
    /// The elements of one of its rows, along the first axis; None if there is no such axis, or if its rows do not lie
    /// one after the other.
    fn width(&self) -> Option<usize> {
        let (&rows, &apart) = (self.shape.first()?, self.strides.first()?);
        let width = if rows == 0 { 0 } else { self.len / rows as usize };
        (rows <= 1 || width == 0 || apart as usize == width * self.dtype.size()).then_some(width)
    }

    /// That of so many of its rows, in another dtype.
    fn of_rows(&self, count: usize, dtype: Dtype) -> Self {
        let row: usize =
            self.shape[1..].iter().product::<isize>() as usize * if self.complex { 2 } else { 1 };
        let mut new = self.in_dtype(dtype);
        new.len = count * row;
        new.shape[0] = count as isize;
        new.strides[0] = (row * dtype.size()) as isize;
        new
    }

    /// The dtype of values, and how far apart they are, in elements, if the core can read them where they are.
    fn apart(&self, values: &Fields<'_>, width: usize) -> Option<(GradDtype, isize)> {
        let (dtype, complex) = values.gradient()?;
        let (own, size) = (self.dtype.size() as isize, dtype.size() as isize);
        if !values.has(NPY_ARRAY_ALIGNED) || complex != self.complex || complex && dtype != self.dtype.into()
        {
            return None;
        }
        let within: Vec<_> = self.strides[1..].iter().map(|stride| stride / own * size).collect();
        if !same_order(&self.shape[1..], &within, &values.strides[1..]) {
            return None;
        }
        let apart = if values.shape[0] > 1 { values.strides[0] } else { width as isize * size };
        (apart % size == 0).then_some((dtype, apart / size))
    }
}

impl Parameter {
    /// Finds out where the core reads values for some rows: in the array itself, or in a copy. Returns that array, and
    /// whether it is a copy, after which all has to be looked at once more.
    #[cold]
    pub(super) fn admit_rows<'py>(
        &mut self,
        given: &Bound<'py, Rows>,
        written: &Written,
        gradient: &mut Gradient,
        (number, table): (usize, &mut Table),
    ) -> PyResult<(Bound<'py, PyAny>, bool)> {
        let (py, Rows { indices, values }) = (given.py(), given.get());
        let (indices, mut values) = (indices.bind(py), values.bind(py).clone());
        let width = self.width_of_rows()?;
        let count = self.check_shape_of_rows(&values, indices)?;
        let rows = self.layout.shape[0] as usize;
        // They wake while the rows are sorted.
        Extent::Rows { count, width }.announce();
        match fill(table, rows, width, indices) {
            Some(Ok(())) => {}
            Some(Err(RowsError::Outside(at))) => return Err(self.outside(indices, at)?),
            Some(Err(RowsError::Memory(_))) => {
                return Err(PyMemoryError::new_err(format!("there is no memory to sort {}", self.indices())));
            }
            Some(Err(RowsError::TooMany)) => {
                return Err(value_error(format!("{} are too many for {}", self.indices(), self.own())));
            }
            None => return Err(self.rows_changed()),
        }
        let fields = Fields::of(&values).expect("it was checked");
        let mut found = self.layout.apart(&fields, width);
        if let Some((dtype, apart)) = found
            && count * width > 0
        {
            let (low, high) = table.reach(apart);
            let address = |at: isize| (fields.data as usize).wrapping_add_signed(at * dtype.size() as isize);
            found = found.filter(|_| self.is_clear(written, (address(low), address(high + 1))));
        }
        let copied = found.is_none();
        if copied {
            let dtype = self.dtype_of_copy(&values)?;
            values = self.copied(&values, &self.layout.of_rows(count, dtype))?;
            found = Some((dtype.into(), width as isize));
        }
        let (dtype, apart) = found.expect("known, or just made");
        gradient.data = Fields::of(&values).expect("an array stays an array").data;
        gradient.dtype = dtype;
        gradient.order = Order::Rows { table: number, apart };
        Ok((values, copied))
    }

    /// Refuses values that Python code has changed since they were admitted.
    pub(super) fn verify_rows(
        &self,
        values: &Bound<'_, PyAny>,
        admitted: &Gradient,
        table: &Table,
    ) -> PyResult<()> {
        let fields = Fields::of(values).expect("an array stays an array");
        let Order::Rows { apart, .. } = admitted.order else { unreachable!("it has rows") };
        let is_same = fields.data.cast_const() == admitted.data
            && fields.shape.first() == Some(&(table.given() as isize))
            && same(&fields.shape[1..], &self.layout.shape[1..])
            && self.layout.apart(&fields, table.width()) == Some((admitted.dtype, apart));
        if is_same { Ok(()) } else { Err(self.rows_changed()) }
    }

    fn rows_changed(&self) -> PyErr {
        value_error(format!("{} has changed", self.grads()))
    }

    /// The elements of a row.
    fn width_of_rows(&self) -> PyResult<usize> {
        self.layout.width().ok_or_else(|| {
            let (grads, own, Layout { shape, strides, .. }) = (self.grads(), self.own(), &self.layout);
            if shape.is_empty() {
                return value_error(format!("{grads} has rows, but {own} has shape () and so none"));
            }
            let (shape, strides) = (tuple(shape), tuple(strides));
            value_error(format!(
                "{grads} has rows, but those of {own} do not lie one after the other: it has shape {shape} with strides \
                 {strides} bytes; C order is wanted"
            ))
        })
    }

    /// Checks the shape of values. Returns how many there are.
    fn check_shape_of_rows(&self, values: &Bound<'_, PyAny>, indices: &Bound<'_, PyAny>) -> PyResult<usize> {
        let given = Fields::of(values).expect("an array stays an array");
        let count = Fields::of(indices).expect("an array stays an array").len();
        let (Some((&first, row)), wanted) = (given.shape.split_first(), &self.layout.shape) else {
            return Err(self.rows_changed());
        };
        if first as usize != count {
            return Err(self.rows_changed());
        }
        if !same(row, &wanted[1..]) {
            let (values, own) = (self.values(), self.own());
            let (a, b, c) = (tuple(given.shape), tuple(wanted), tuple(&wanted[1..]));
            return Err(value_error(format!(
                "{values} has shape {a}, but {own} has shape {b} and so rows of {c}"
            )));
        }
        Ok(count)
    }

    fn outside(&self, indices: &Bound<'_, PyAny>, at: usize) -> PyResult<PyErr> {
        let (own, rows) = (self.own(), self.layout.shape[0]);
        let index = indices.get_item(at)?.str()?;
        Ok(value_error(format!("{}[{at}] is {index}, but {own} has {rows} rows", self.indices())))
    }

    /// How errors call the indices of rows, and their values: as attributes, or as arguments of a function.
    fn indices(&self) -> String {
        if self.is_lone() { "rows".to_owned() } else { format!("{}.indices", self.grads()) }
    }

    fn values(&self) -> String {
        if self.is_lone() { self.grads() } else { format!("{}.values", self.grads()) }
    }
}
