//! What a gradient is: where it lies, in which order, and where the update goes.

use crate::dtypes::{Dtype, GradDtype};

/// The gradient of a tensor at one step, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// Which of the tensors it belongs to.
    pub tensor: usize,
    /// Which of the step's terms it is applied under.
    pub terms: usize,
    pub dtype: GradDtype,
    pub data: *const u8,
    pub order: Order,
    /// Whether it is added to what the tensor has accumulated.
    pub adds: bool,
    pub output: Output,
}

/// Where an update goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Into the tensor's own parameter.
    InPlace,
    /// The new parameter goes to another array than the old one comes from; both lie as the tensor does.
    Copy { from: *const u8, to: *mut u8 },
    /// What is to be added to the parameter; where `from` is null, it is not known.
    Difference { from: *const u8, to: *mut u8 },
}

// SAFETY: as for `Tensor`.
unsafe impl Send for Gradient {}
// SAFETY: as above.
unsafe impl Sync for Gradient {}

impl Gradient {
    /// That of a tensor whose gradient is not known as yet.
    pub fn unknown(tensor: usize, terms: usize) -> Self {
        let (data, order, output) = (std::ptr::null(), Order::Same, Output::InPlace);
        Self { tensor, terms, dtype: Dtype::F32.into(), data, order, adds: false, output }
    }
}

/// In which order the elements of a gradient lie, seen from those of its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other, as those of the parameter.
    Same,
    /// Element i lies (i / columns)·row + (i mod columns)·column elements from the first one.
    Strided { columns: usize, row: isize, column: isize },
    /// It has values for the rows of a table only: each value one element after the other, and the first elements of
    /// two values so far apart.
    Rows { table: usize, apart: isize },
}

impl Order {
    /// How far the lowest and the highest of `len` elements lie from the first one, in elements.
    pub fn reach(self, len: usize) -> (isize, isize) {
        let last = len.saturating_sub(1);
        let (rows, columns, row, column) = match self {
            Self::Same => (0, last, 0, 1),
            Self::Strided { columns, row, column } => (last / columns, last.min(columns - 1), row, column),
            Self::Rows { .. } => unreachable!("the table of the rows knows"),
        };
        let ends = [row * rows as isize, column * columns as isize];
        (ends.iter().map(|&end| end.min(0)).sum(), ends.iter().map(|&end| end.max(0)).sum())
    }
}
