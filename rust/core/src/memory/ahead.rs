//! Asking for the memory of rows ahead of their turn: nothing about the next one can be guessed.

use super::tensor::Tensor;
use crate::machine::prefetch::{CACHE_LINE, prefetch};
use crate::rows::Places;
use crate::rule::MAX_STATE;

/// How far ahead memory is asked for, in bytes of each stream, and at most in rows.
const BYTES_AHEAD: usize = 1024;
const ROWS_AHEAD: usize = 16;

/// Of a long row the rest is found by the processor itself.
const MOST_BYTES: usize = 1024;

/// All that a pass reads or writes of a row.
pub(super) struct Ahead {
    values: Stream,
    /// So many values of a row: all of a short one; of a long one the first is enough to wait for.
    most: usize,
    /// The parameter, and the slots that there are.
    streams: [Stream; 1 + MAX_STATE],
    count: usize,
    /// In rows.
    pub(super) distance: usize,
}

impl Ahead {
    /// Of rows with so many elements, whose parameter and state are touched or not.
    pub(super) fn new(tensor: &Tensor, width: usize, values: Stream, params: bool) -> Self {
        let whole = width * tensor.dtype.size();
        let mut streams = [Stream::new(tensor.params, whole as isize, whole); 1 + MAX_STATE];
        for (slot, stream) in streams[1..].iter_mut().enumerate() {
            let bytes = if tensor.narrow >> slot & 1 == 1 { whole / 2 } else { whole };
            *stream = Stream::new(tensor.state[slot], bytes as isize, bytes);
        }
        let count = if params { 1 + tensor.slots } else { 0 };
        let most = (MOST_BYTES / values.bytes).max(1);
        Self { values, most, streams, count, distance: (BYTES_AHEAD / whole).clamp(1, ROWS_AHEAD) }
    }

    /// Asks for all of a row.
    #[inline(always)]
    pub(super) fn ask(&self, (row, places): (usize, Places<'_>)) {
        for k in 0..places.len().min(self.most) {
            self.values.ask(places.get(k));
        }
        for stream in &self.streams[..self.count] {
            stream.ask(row);
        }
    }
}

/// Where rows are, how far apart, and how many bytes of each are asked for.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    start: *const u8,
    apart: isize,
    bytes: usize,
}

impl Stream {
    pub(super) fn new(start: *const u8, apart: isize, bytes: usize) -> Self {
        Self { start, apart, bytes: bytes.min(MOST_BYTES) }
    }

    /// Asks for the cache lines of a row.
    #[inline(always)]
    fn ask(&self, i: usize) {
        let start = self.start.wrapping_offset(self.apart * i as isize);
        let end = start.wrapping_add(self.bytes);
        let mut line = start.map_addr(|at| at - at % CACHE_LINE);
        while line < end {
            prefetch(line);
            line = line.wrapping_add(CACHE_LINE);
        }
    }
}
