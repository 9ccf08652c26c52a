//! The rows that a gradient has, as pieces of their tensor.
//!
//! # Rationale
//! Where enough elements lie side by side, they are a piece as any other. Short rows are gathered into a block in the
//! first cache, which is a piece too, and brought back: to begin a piece takes longer than to update a short row. Memory
//! is asked for some rows ahead, since nothing about the next one can be guessed.

use super::tensor::Tensor;
use crate::codecs::Format;
use crate::dtypes::GradDtype;
use crate::machine::prefetch::{CACHE_LINE, prefetch};
use crate::rows::Table;
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
    /// Whether the values of all of them lie side by side.
    pub(super) together: bool,
    pub(super) touch: Touch,
}

/// How far ahead memory is asked for, in bytes of each stream, and at most in rows.
const BYTES_AHEAD: usize = 1024;
const ROWS_AHEAD: usize = 16;

/// Of a long row the rest is found by the processor itself.
const MOST_BYTES: usize = 1024;

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

impl Walk<'_> {
    /// Asks for the memory of a row.
    #[inline(always)]
    fn ask(&self, i: usize) {
        let (row, places) = self.rows.get(i);
        let (width, size) = (self.rows.width(), self.dtype.size());
        let bytes = width * size;
        // All values of a short row; of a long one the first is enough to wait for.
        for k in 0..places.len().min((MOST_BYTES / bytes).max(1)) {
            ask_bytes(self.data.wrapping_offset(self.apart * (places.get(k) * size) as isize), bytes);
        }
        if self.touch == Touch::Params {
            let bytes = width * self.tensor.dtype.size();
            ask_bytes(self.tensor.params.wrapping_add(row * bytes), bytes);
            for (slot, state) in self.tensor.state[..self.tensor.slots].iter().enumerate() {
                let bytes = if self.tensor.narrow >> slot & 1 == 1 { bytes / 2 } else { bytes };
                ask_bytes(state.wrapping_add(row * bytes), bytes);
            }
        }
    }

    /// How many rows from one on lie side by side, as their values do; at most up to `last`.
    #[inline(always)]
    fn run(&self, first: usize, last: usize) -> usize {
        let (row, places) = self.rows.get(first);
        if places.len() > 1 || self.apart != self.rows.width() as isize {
            return 1;
        }
        let place = places.get(0);
        let follows = |&i: &usize| {
            let (next, places) = self.rows.get(first + i);
            next == row + i && places.len() == 1 && places.get(0) == place + i
        };
        1 + (1..last - first).take_while(follows).count()
    }

    /// Whether short rows can be updated elsewhere.
    fn gathers(&self) -> bool {
        let Tensor { average, accumulated, copy, format, .. } = self.tensor;
        let besides = [average, accumulated, copy];
        self.in_place && *format == Format::Whole && besides.iter().all(|stream| stream.is_null())
    }
}

/// Asks for the cache lines of so many bytes, at least one and at most [`MOST_BYTES`].
#[inline(always)]
fn ask_bytes(start: *const u8, bytes: usize) {
    let mut at = 0;
    while at < bytes.min(MOST_BYTES) {
        prefetch(start.wrapping_add(at));
        at += CACHE_LINE;
    }
    prefetch(start.wrapping_add(bytes.min(MOST_BYTES) - 1));
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
        let &Self { tensor, rows, touch, .. } = self;
        let width = rows.width();
        let (first, end) = (at / width, at + len);
        let last = end.div_ceil(width);
        let distance = (BYTES_AHEAD / (width * tensor.dtype.size())).clamp(1, ROWS_AHEAD);
        (first..last.min(first + distance)).for_each(|i| self.ask(i));
        let mut asked = first + distance;
        let gathers = width < ALONE && self.gathers();
        assert!(!gathers || (at.is_multiple_of(width) && len.is_multiple_of(width)), "a short row is cut");
        let mut room = Room(MaybeUninit::uninit());
        let mut block = Block::new(tensor, &mut room);
        let (mut i, mut at, mut skip) = (first, at, at % width);
        while at < end {
            let run = self.run(i, last);
            let len = (run * width - skip).min(end - at);
            while asked < last.min(i + run + distance) {
                self.ask(asked);
                asked += 1;
            }
            let (row, _) = rows.get(i);
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
                let together = run > 1 || rows.get(i).1.len() == 1;
                let picked = Picked { rows, range: i..i + run, skip, together, touch };
                work(tensor, start, len, &picked);
            }
            (i, at, skip) = (i + run, at + len, 0);
        }
        self.update(&mut block, work);
    }

    /// Calls `work` with a block, if anything is in it, and brings it back.
    fn update(&self, block: &mut Block, work: &mut Work<'_>) {
        let &Self { tensor, rows, touch, .. } = self;
        if block.len == 0 {
            return;
        }
        let range = block.range.clone();
        let picked = Picked { rows, range: range.clone(), skip: 0, together: false, touch };
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
