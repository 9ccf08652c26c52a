//! The plan of a step: items of given lengths cut into chunks, one work list, one dispatch.

use crate::machine::threads;
use std::collections::TryReserveError;
use std::ops::Range;

/// Elements of one chunk: 128 KiB of each f32 stream. Anything from 8 Ki to 64 Ki measured the same within
/// noise on large models; this leaves a model of 200 k elements enough chunks to share.
pub const CHUNK: usize = 32 * 1024;

/// A step of fewer elements than this runs on the calling thread alone. Two threads against one, with the
/// helper asleep before each step: 0.7 times as fast at 64 Ki elements (Adam and SGD), 1.1 (Adam) and 0.9
/// (SGD) at 128 Ki, 1.6 and 1.2 at 230 Ki.
pub const PARALLEL_FROM: usize = 128 * 1024;

/// What finding one row of many takes, in elements: its memory is nowhere near what was touched before.
const COST_OF_A_ROW: usize = 256;

/// How the elements of some items are cut. Depends on their lengths only, never on threads.
#[derive(Debug, Default)]
pub struct Plan {
    items: Vec<Item>,
    elements: usize,
    /// What they take, in elements that lie side by side.
    work: usize,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    len: usize,
    /// The elements of each of its chunks but the last.
    step: usize,
    /// The number of the first chunk after it.
    end: usize,
}

/// The elements of an item.
#[derive(Clone, Copy, Debug)]
pub enum Extent {
    /// So many, side by side.
    Whole(usize),
    /// So many rows of so many elements, wherever each row lies.
    Rows { count: usize, width: usize },
}

/// A run of elements of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub item: usize,
    pub at: usize,
    pub len: usize,
}

impl Extent {
    /// Wakes the threads that will share its elements, if it is worth it.
    pub fn announce(self) {
        let (len, step, work) = self.measures();
        threads::announce(workers(work, len.div_ceil(step)));
    }

    /// The number of elements, those of a chunk, and what all of them take.
    fn measures(self) -> (usize, usize, usize) {
        match self {
            Self::Whole(len) => (len, CHUNK, len),
            Self::Rows { count, width } => {
                // Of whole rows, unless one is a chunk and more.
                let step = (CHUNK / (width + COST_OF_A_ROW)).max(1) * width;
                (
                    count.saturating_mul(width),
                    step.clamp(1, CHUNK),
                    count.saturating_mul(width + COST_OF_A_ROW),
                )
            }
        }
    }
}

/// How many workers it is worth sharing so much work with, that is cut into so many chunks.
fn workers(work: usize, chunks: usize) -> usize {
    if work >= PARALLEL_FROM { threads::workers(chunks) } else { 1 }
}

impl Plan {
    pub fn new(lengths: impl ExactSizeIterator<Item = usize>) -> Result<Self, TryReserveError> {
        let mut plan = Self::default();
        plan.set(lengths.map(Extent::Whole))?;
        Ok(plan)
    }

    /// Plans for other items.
    pub fn set(&mut self, extents: impl ExactSizeIterator<Item = Extent>) -> Result<(), TryReserveError> {
        self.items.clear();
        self.items.try_reserve_exact(extents.len())?;
        (self.elements, self.work) = (0, 0);
        let mut chunks = 0;
        for extent in extents {
            let (len, step, work) = extent.measures();
            chunks += len.div_ceil(step);
            self.elements += len;
            self.work += work;
            self.items.push(Item { len, step, end: chunks });
        }
        Ok(())
    }

    /// The number of chunks.
    pub fn chunks(&self) -> usize {
        self.items.last().map_or(0, |item| item.end)
    }

    /// The number of elements of all items.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// The number of elements of an item.
    pub fn elements_of(&self, item: usize) -> usize {
        self.items[item].len
    }

    /// Whether the work is worth waking other threads, and so worth releasing the GIL.
    pub fn is_large(&self) -> bool {
        self.work >= PARALLEL_FROM
    }

    /// How many workers it is worth sharing the work with.
    pub fn workers(&self) -> usize {
        workers(self.work, self.chunks())
    }

    /// The chunks of an item.
    pub fn chunks_of(&self, item: usize) -> Range<usize> {
        let before = item.checked_sub(1).map_or(0, |before| self.items[before].end);
        before..self.items[item].end
    }

    /// The item that a chunk is of.
    pub fn item(&self, chunk: usize) -> usize {
        self.items.partition_point(|item| item.end <= chunk)
    }

    /// Calls `work(worker, chunk, cut)` once for each chunk, shared by so many workers.
    #[inline]
    pub fn for_each(&self, workers: usize, work: impl Fn(usize, usize, Cut) + Sync) {
        if workers > 1 {
            threads::share(workers, self.chunks(), &|worker, chunk| {
                let item = self.item(chunk);
                let Item { len, step, .. } = self.items[item];
                let at = (chunk - self.chunks_of(item).start) * step;
                work(worker, chunk, Cut { item, at, len: step.min(len - at) });
            });
            return;
        }
        let mut chunk = 0;
        for (item, &Item { len, step, .. }) in self.items.iter().enumerate() {
            let mut at = 0;
            while at < len {
                work(0, chunk, Cut { item, at, len: step.min(len - at) });
                (at, chunk) = (at + step, chunk + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn chunks_cover_each_element_once() {
        for lengths in [
            vec![0, 1, CHUNK - 1, 0, 0],
            vec![0, 1, CHUNK - 1, 0, CHUNK, CHUNK + 1, 0, 3 * CHUNK + 7, 0],
            vec![],
        ] {
            let plan = Plan::new(lengths.iter().copied()).unwrap();
            for workers in [1, 3] {
                let cuts = Mutex::new(Vec::new());
                plan.for_each(workers, |_, chunk, cut| cuts.lock().unwrap().push((chunk, cut)));
                let mut cuts = cuts.into_inner().unwrap();
                cuts.sort_by_key(|&(chunk, _)| chunk);
                assert!(
                    cuts.iter().enumerate().all(|(i, &(chunk, cut))| i == chunk && plan.item(i) == cut.item)
                );
                assert_eq!(cuts.len(), plan.chunks());
                for (item, &len) in lengths.iter().enumerate() {
                    let mut next = 0;
                    for (_, cut) in cuts.iter().filter(|(_, cut)| cut.item == item) {
                        assert_eq!(cut.at, next);
                        assert!(cut.len > 0 && cut.len <= CHUNK);
                        next += cut.len;
                    }
                    assert_eq!(next, len);
                    let own = cuts.iter().filter(|(_, cut)| cut.item == item).map(|&(chunk, _)| chunk);
                    assert!(own.eq(plan.chunks_of(item)));
                }
            }
            assert_eq!(plan.elements(), lengths.iter().sum());
        }
    }

    #[test]
    fn rows_are_cut_between_rows_and_take_more_than_their_elements() {
        for (count, width, step) in [
            (0, 64, 102 * 64),
            (1000, 64, 102 * 64),
            (7, CHUNK - COST_OF_A_ROW, CHUNK - COST_OF_A_ROW),
            (7, CHUNK, CHUNK),
            (3, CHUNK + 1, CHUNK),
            (5, 0, 1),
        ] {
            let mut plan = Plan::new([3].into_iter()).unwrap();
            plan.set([Extent::Whole(5), Extent::Rows { count, width }, Extent::Whole(1)].into_iter())
                .unwrap();
            let len = count * width;
            assert_eq!(plan.elements(), len + 6);
            assert_eq!(plan.elements_of(1), len);
            assert_eq!(plan.chunks_of(1), 1..1 + len.div_ceil(step));
            let cuts = Mutex::new(Vec::new());
            for workers in [1, 2] {
                plan.for_each(workers, |_, chunk, cut| {
                    assert_eq!(plan.item(chunk), cut.item);
                    cuts.lock().unwrap().push((chunk, cut));
                });
                let mut found = std::mem::take(&mut *cuts.lock().unwrap());
                found.sort_by_key(|&(chunk, _)| chunk);
                let own: Vec<_> =
                    found.iter().filter(|(_, cut)| cut.item == 1).map(|&(_, cut)| cut).collect();
                let wanted = (0..len).step_by(step).map(|at| Cut { item: 1, at, len: step.min(len - at) });
                assert_eq!(own, wanted.collect::<Vec<_>>());
                assert_eq!(found.len(), own.len() + 2);
            }
        }
        let rows = PARALLEL_FROM.div_ceil(COST_OF_A_ROW + 4);
        for (count, large) in [(rows - 1, false), (rows, true)] {
            let mut plan = Plan::default();
            plan.set([Extent::Rows { count, width: 4 }].into_iter()).unwrap();
            assert_eq!(plan.is_large(), large);
        }
    }

    #[test]
    fn large_plans_are_shared() {
        assert_eq!(PARALLEL_FROM, 4 * CHUNK);
        for (len, large) in [(PARALLEL_FROM - 1, false), (PARALLEL_FROM, true)] {
            let plan = Plan::new([len].into_iter()).unwrap();
            assert_eq!(plan.is_large(), large);
            assert_eq!(plan.workers(), if large { threads::workers(4) } else { 1 });
        }
    }
}
