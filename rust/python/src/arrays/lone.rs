//! One array with its gradient, and state in the user's own arrays, for one update.

use gradstep_core::memory::{Gradient, Order, Output, Tensor, Tensors};
use gradstep_core::plans::Extent;
use gradstep_core::rule::{MAX_STATE, Slot};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::likeness::{check_slot, readable};
use super::parameters::{LONE, Parameter};
use super::picking::Tables;
use super::rows::Rows;
use super::writable::{Written, writable};

pub(crate) struct Lone<'py> {
    tensor: [Tensor; 1],
    gradient: [Gradient; 1],
    tables: Tables,
    /// Whether the gradient is in another dtype or order; and whether in another order.
    staged: (bool, bool),
    /// What the pointers are into.
    _held: (Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyTuple>),
}

impl<'py> Lone<'py> {
    /// Checks all of them. `state` has as many arrays as there are slots. Where there is an `out`, the new parameter goes
    /// there, and `p` is only read. `g` may be `Rows`.
    pub(crate) fn new(
        p: &Bound<'py, PyAny>,
        g: &Bound<'py, PyAny>,
        state: &Bound<'py, PyTuple>,
        slots: &'static [Slot],
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let out = out.filter(|out| !out.is(p));
        let (target, name) = out.map_or((p, "p"), |out| (out, "out"));
        let found = writable(target, &|| name.to_owned())?;
        let mut tensor = found.tensor();
        let mut stretches = [(0, 0); 1 + MAX_STATE];
        stretches[0] = found.stretch();
        for (array, slot) in state.iter_borrowed().zip(slots) {
            let own = writable(&array, &|| slot.name.to_owned())?;
            check_slot(&own, &found, slot.name, name)?;
            tensor.state[tensor.slots] = own.data();
            tensor.slots += 1;
            stretches[tensor.slots] = own.stretch();
        }
        let stretches = stretches[..=slots.len()].iter().copied();
        let named =
            |i: usize| i.checked_sub(1).map_or(name.to_owned(), |slot| format!("{} of p", slots[slot].name));
        let written = Written::new(stretches, &named)?;
        let mut parameter = Parameter::new(p.clone().unbind(), String::new(), found.layout(), LONE);
        let mut gradient = Gradient::unknown(0, 0);
        if out.is_some() {
            let from = readable(p, &found, &written)?;
            gradient.output = Output::Copy { from, to: tensor.params };
        }
        let mut tables = Tables::default();
        let mut held = g.clone();
        if let Ok(rows) = g.cast_exact::<Rows>() {
            let (values, copied) = parameter.admit_rows(rows, &written, &mut gradient, tables.next()?)?;
            if copied {
                // Python code has made the copy, and may have done anything to the others.
                let rows = Rows::named(rows.get().indices.bind(g.py()), &values, ["rows", "g"])?;
                return Self::new(p, Bound::new(g.py(), rows)?.as_any(), state, slots, out);
            }
            held = values;
        } else if let Some(copied) = parameter.admit(g, &written, &mut gradient)? {
            return Self::new(p, &copied, state, slots, out);
        }
        let strided = matches!(gradient.order, Order::Strided { .. });
        let staged = gradient.order != Order::Same || gradient.dtype != tensor.dtype.into();
        Ok(Self {
            tensor: [tensor],
            gradient: [gradient],
            tables,
            staged: (staged, strided),
            _held: (p.clone(), target.clone(), held, state.clone()),
        })
    }

    /// What a pass goes over.
    pub(crate) fn extent(&self) -> Extent {
        self.tables.extent(self.gradient[0].order, self.tensor[0].len)
    }

    pub(crate) fn staged(&self) -> (bool, bool) {
        self.staged
    }

    /// Lends all of it; no Python code has run since it was checked.
    pub(crate) fn lend(&self) -> Tensors<'_> {
        // SAFETY: all arrays were checked to be valid for the tensor's length and the gradient's extent, aligned, of one
        // dtype, and not to overlap. They are kept alive here. That no other thread writes to them, or takes their memory
        // away, until the pass is over is the user's part, as with any NumPy call that releases the GIL.
        unsafe { Tensors::new(&self.tensor, &self.gradient, self.tables.used()) }
    }
}
