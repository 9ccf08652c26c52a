//! The rows that a gradient has, as pieces of their tensor.
//!
//! # Rationale
//! Where enough elements lie side by side, they are a piece as any other. Short rows are gathered into a block in the
//! first cache, which is a piece too, and brought back: to begin a piece takes longer than to update a short row.

use super::ahead::{Ahead, Stream};
use super::tensor::Tensor;
use crate::codecs::Format;
use crate::dtypes::GradDtype;
use crate::machine::prefetch::CACHE_LINE;
use crate::rows::{Places, Table};
use crate::rule::MAX_STATE;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What a pass is lent of the rows that it goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Their values.
    Values,
    /// The parameter and its state too.
    Params,
}

/// Which of the values of a gradient are those of a piece.
#[derive(Debug)]
pub(super) struct Picked<'a> {
    pub(super) rows: &'a Table,
    /// Those of the table that the piece has.
    pub(super) range: Range<usize>,
    /// So many elements of the first one come before the piece.
    pub(super) skip: usize,
    /// Where the first value stands, if those of all rows lie side by side.
    pub(super) together: Option<usize>,
    pub(super) touch: Touch,
}

/// So many elements side by side, and more, are a piece of their own. Rows of 64 that are gathered take 1.25 times as long
/// as pieces: what was just copied is not yet where the wider loads of the loop look for it.
const ALONE: usize = 32;

/// The elements of a block of short rows.
const ROOM: usize = 512;

/// The next stream of a block begins so many elements behind the last one: never 4 KiB, where each would get into the
/// other's way.
const DISTANCE: usize = ROOM + 16;

/// The rows of a gradient, and where they are.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    pub(super) tensor: &'a Tensor,
    pub(super) rows: &'a Table,
    /// The values, and how far apart they are.
    pub(super) data: *const u8,
    pub(super) dtype: GradDtype,
    pub(super) apart: isize,
    /// Whether the tensor is updated where it is.
    pub(super) in_place: bool,
    pub(super) touch: Touch,
}

/// What is called with the tensor that has the elements of a piece, where it begins in it, and how many they are.
pub(super) type Work<'a> = dyn FnMut(&Tensor, usize, usize, &Picked<'_>) + 'a;

impl<'a> Walk<'a> {
    /// How many rows from one on lie side by side, as their values do; and what comes after them, before `last`.
    #[inline(always)]
    fn run(
        &self,
        first: usize,
        (row, places): (usize, Places<'_>),
        last: usize,
    ) -> (usize, Option<(usize, Places<'a>)>) {
        let single = places.len() == 1 && self.apart == self.rows.width() as isize;
        let mut run = 1;
        while first + run < last {
            let (next, others) = self.rows.get(first + run);
            let follows = next == row + run && others.len() == 1 && others.get(0) == places.get(0) + run;
            if !(single && follows) {
                return (run, Some((next, others)));
            }
            run += 1;
        }
        (run, None)
    }

    /// Whether short rows can be updated elsewhere.
    fn gathers(&self) -> bool {
        let Tensor { average, accumulated, copy, format, .. } = self.tensor;
        let besides = [average, accumulated, copy];
        self.in_place && *format == Format::Whole && besides.iter().all(|stream| stream.is_null())
    }
}

/// Memory for the parameter and the state of short rows.
struct Room(MaybeUninit<[f64; DISTANCE * (1 + MAX_STATE)]>);

/// Short rows of a tensor, side by side.
struct Block {
    /// Like the tensor of the rows, with its arrays in a room.
    tensor: Tensor,
    range: Range<usize>,
    len: usize,
}

impl Block {
    fn new(like: &Tensor, room: &mut Room) -> Self {
        let start = room.0.as_mut_ptr().cast::<u8>();
        let stream = |k: usize| start.wrapping_add(k * DISTANCE * like.dtype.size());
        let mut tensor = Tensor::new(like.dtype, ROOM, stream(0));
        tensor.slots = like.slots;
        (0..like.slots).for_each(|slot| tensor.state[slot] = stream(slot + 1));
        Self { tensor, range: 0..0, len: 0 }
    }

    /// Copies `len` elements from `at` on of all streams: from the tensor of the rows to `to` in the block, or back.
    ///
    /// # Safety
    /// Both tensors' pointers are valid for these elements, and nobody else has them.
    #[inline(always)]
    unsafe fn copy(&self, other: &Tensor, at: usize, to: usize, len: usize, back: bool) {
        let size = self.tensor.dtype.size();
        let streams = [self.tensor.params].into_iter().chain(self.tensor.state);
        let others = [other.params].into_iter().chain(other.state);
        for (own, other) in streams.zip(others).take(1 + other.slots) {
            // SAFETY: as the caller says.
            unsafe {
                let (own, other) = (own.add(to * size), other.add(at * size));
                if back { copy(own, other, len * size) } else { copy(other, own, len * size) }
            }
        }
    }
}

/// As `memcpy`, for a few cache lines: without a call.
///
/// # Safety
/// Both are valid for so many bytes, a multiple of 4, and do not overlap.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, bytes: usize) {
    let mut at = 0;
    // SAFETY: all that is read and written is inside the bytes.
    unsafe {
        while at + CACHE_LINE <= bytes {
            let line = from.add(at).cast::<[u8; CACHE_LINE]>().read();
            to.add(at).cast::<[u8; CACHE_LINE]>().write(line);
            at += CACHE_LINE;
        }
        while at < bytes {
            to.add(at).cast::<[u8; 4]>().write(from.add(at).cast::<[u8; 4]>().read());
            at += 4;
        }
    }
}

impl Walk<'_> {
    /// Calls `work` with each piece of so many elements, from `at` on where the rows stand one after the other.
    pub(super) fn each(&self, at: usize, len: usize, work: &mut Work<'_>) {
        let &Self { tensor, rows, data, dtype, apart, touch, .. } = self;
        let (width, size) = (rows.width(), dtype.size());
        let (mut i, end, mut skip) = (at / width, at + len, at % width);
        let last = end.div_ceil(width);
        let values = Stream::new(data, apart * size as isize, width * size);
        let ahead = Ahead::new(tensor, width, values, touch == Touch::Params);
        let mut asked = i;
        let gathers = width < ALONE && self.gathers();
        assert!(!gathers || (at.is_multiple_of(width) && len.is_multiple_of(width)), "a short row is cut");
        let mut room = Room(MaybeUninit::uninit());
        let mut block = Block::new(tensor, &mut room);
        let (mut at, mut next) = (at, (at < end).then(|| rows.get(i)));
        while let Some((row, places)) = next {
            let (run, after) = self.run(i, (row, places), last);
            let len = (run * width - skip).min(end - at);
            while asked < last.min(i + run + ahead.distance) {
                ahead.ask(rows.get(asked));
                asked += 1;
            }
            let start = row * width + skip;
            assert!(start + len <= tensor.len);
            if gathers && len < ALONE {
                if block.len + len > ROOM {
                    self.update(&mut block, work);
                }
                if block.len == 0 {
                    block.range = i..i;
                }
                if touch == Touch::Params {
                    // SAFETY: whoever made us vouches for the tensor's pointers, and nobody else has its rows, which are
                    // whole; the block has room for them.
                    unsafe { block.copy(tensor, start, block.len, len, false) };
                }
                block.len += len;
                block.range.end = i + run;
            } else {
                self.update(&mut block, work);
                let together = (places.len() == 1).then(|| places.get(0));
                let picked = Picked { rows, range: i..i + run, skip, together, touch };
                work(tensor, start, len, &picked);
            }
            (i, at, skip, next) = (i + run, at + len, 0, after);
        }
        self.update(&mut block, work);
    }

    /// Calls `work` with a block, if anything is in it, and brings it back.
    #[inline(always)]
    fn update(&self, block: &mut Block, work: &mut Work<'_>) {
        if block.len > 0 {
            self.update_filled(block, work);
        }
    }

    #[inline(never)]
    fn update_filled(&self, block: &mut Block, work: &mut Work<'_>) {
        let &Self { tensor, rows, touch, .. } = self;
        let range = block.range.clone();
        let picked = Picked { rows, range: range.clone(), skip: 0, together: None, touch };
        work(&block.tensor, 0, block.len, &picked);
        if touch == Touch::Params {
            let width = rows.width();
            for (k, i) in range.enumerate() {
                let start = rows.get(i).0 * width;
                assert!(start + width <= tensor.len);
                // SAFETY: as when it was copied here, where it stands behind those before it.
                unsafe { block.copy(tensor, start, k * width, width, true) };
            }
        }
        block.len = 0;
    }
}
