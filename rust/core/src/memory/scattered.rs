//! The rows that a gradient has, as pieces of their tensor: what lies side by side is one piece, wherever that is.

use super::{Gradient, Order, Piece, Tensor, Tensors};
use crate::machine::prefetch::prefetch;
use crate::plans::Cut;
use crate::rows::{Places, Rows};

/// What a pass does with the rows that it goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It reads their values.
    Values,
    /// It updates them.
    Params,
}

/// Which of the values of a gradient are those of a piece.
#[derive(Debug)]
pub(super) struct Picked<'a> {
    pub(super) rows: &'a Rows,
    /// Those of the first row of the piece, which is the only one unless they are one, and the others follow it.
    pub(super) places: Places<'a>,
    /// So many elements of each come before the piece.
    pub(super) skip: usize,
    /// Whether the piece is the first of its chunk.
    pub(super) begins: bool,
}

/// The values of a stretch of a row, to be added up in order of appearance.
#[derive(Clone, Copy, Debug)]
pub struct Repeated<'a, G> {
    /// All memory between the lowest and the highest element, and where the stretch would begin in the first value.
    pub(super) memory: &'a [G],
    pub(super) first: isize,
    /// How far apart values are.
    pub(super) apart: isize,
    pub(super) places: Places<'a>,
    pub(super) len: usize,
}

impl<'a, G> Repeated<'a, G> {
    /// How many values there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// The stretch of one of them, `len` elements from `at` on.
    pub fn get(&self, i: usize, at: usize, len: usize) -> &'a [G] {
        let start = self.first + self.places.get(i) as isize * self.apart;
        &self.memory[start as usize..][..self.len][at..][..len]
    }

    /// The number of elements of the stretch.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// How far ahead memory is asked for, in bytes of each stream: as much as the first cache has room for, and at most as
/// many rows.
const AHEAD: usize = 1024;
const ROWS_AHEAD: usize = 16;

/// Of a long row the rest is found by the processor itself.
const MOST_BYTES: usize = 1024;

const CACHE_LINE: usize = 64;

/// Where the values and the streams of a row are.
struct Streams<'a> {
    tensor: &'a Tensor,
    gradient: &'a Gradient,
    rows: &'a Rows,
    apart: isize,
    touch: Touch,
}

impl Streams<'_> {
    /// Asks for the memory of a row.
    #[inline(always)]
    fn ask(&self, i: usize) {
        let (row, places) = self.rows.get(i);
        let width = self.rows.width();
        let size = self.gradient.dtype.size();
        let value = self.apart.wrapping_mul((places.get(0) * size) as isize);
        lines(self.gradient.data.wrapping_offset(value), width * size);
        if self.touch == Touch::Params {
            let bytes = width * self.tensor.dtype.size();
            lines(self.tensor.params.wrapping_add(row * bytes), bytes);
            for state in &self.tensor.state[..self.tensor.slots] {
                lines(state.wrapping_add(row * bytes), bytes);
            }
        }
    }
}

#[inline(always)]
fn lines(start: *const u8, bytes: usize) {
    let bytes = bytes.clamp(1, MOST_BYTES);
    for at in (0..bytes).step_by(CACHE_LINE) {
        prefetch(start.wrapping_add(at));
    }
    prefetch(start.wrapping_add(bytes - 1));
}

impl Tensors<'_> {
    /// Calls `work` with each piece of a cut of a gradient that has rows, in the order of the rows.
    pub(super) fn for_rows(&self, cut: Cut, touch: Touch, work: &mut dyn FnMut(Piece<'_>)) {
        let Cut { item, at, len } = cut;
        let gradient = &self.gradients[item];
        let tensor = &self.tensors[gradient.tensor];
        let Order::Rows { table, apart } = gradient.order else { unreachable!("it has all rows") };
        let rows = &self.rows[table];
        let width = rows.width();
        let streams = Streams { tensor, gradient, rows, apart, touch };
        let (first, end) = (at / width, at + len);
        let last = end.div_ceil(width);
        let distance = (AHEAD / (width * tensor.dtype.size())).clamp(1, ROWS_AHEAD);
        (first..last.min(first + distance)).for_each(|i| streams.ask(i));
        let (mut i, mut at, mut skip) = (first, at, at % width);
        while at < end {
            if i + distance < last {
                streams.ask(i + distance);
            }
            let (row, places) = rows.get(i);
            let begins = i == first;
            let mut len = (width - skip).min(end - at);
            i += 1;
            if places.len() == 1 && apart == width as isize {
                let (mut next, mut place) = (row + 1, places.get(0) + 1);
                while at + len < end {
                    let (row, places) = rows.get(i);
                    if row != next || places.len() > 1 || places.get(0) != place {
                        break;
                    }
                    len += width.min(end - at - len);
                    (i, next, place) = (i + 1, next + 1, place + 1);
                }
            }
            let start = row * width + skip;
            assert!(start + len <= tensor.len);
            let picked = Picked { rows, places, skip, begins };
            work(Piece { tensor, gradient, at: start, len, picked: Some(&picked) });
            at += len;
            skip = 0;
        }
    }
}
