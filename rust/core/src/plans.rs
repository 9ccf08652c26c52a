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

/// How the elements of some items are cut. Depends on their lengths only, never on threads.
#[derive(Debug, Default)]
pub struct Plan {
    /// The length of each item, and the number of the first chunk after it.
    items: Vec<(usize, usize)>,
    elements: usize,
}

/// A run of elements of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub item: usize,
    pub at: usize,
    pub len: usize,
}

impl Plan {
    pub fn new(lengths: impl ExactSizeIterator<Item = usize>) -> Result<Self, TryReserveError> {
        let mut plan = Self::default();
        plan.items.try_reserve_exact(lengths.len())?;
        let mut chunks = 0;
        for len in lengths {
            chunks += len.div_ceil(CHUNK);
            plan.elements += len;
            plan.items.push((len, chunks));
        }
        Ok(plan)
    }

    /// The number of chunks.
    pub fn chunks(&self) -> usize {
        self.items.last().map_or(0, |&(_, end)| end)
    }

    /// The number of elements of an item.
    pub fn len_of(&self, item: usize) -> usize {
        self.items[item].0
    }

    /// The number of elements of all items.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Whether the work is worth waking other threads, and so worth releasing the GIL.
    pub fn is_large(&self) -> bool {
        self.elements >= PARALLEL_FROM
    }

    /// How many workers it is worth sharing the work with.
    pub fn workers(&self) -> usize {
        if self.is_large() { threads::workers(self.chunks()) } else { 1 }
    }

    /// The chunks of an item.
    pub fn chunks_of(&self, item: usize) -> Range<usize> {
        let (len, end) = self.items[item];
        end - len.div_ceil(CHUNK)..end
    }

    /// The item that a chunk is of.
    pub fn item(&self, chunk: usize) -> usize {
        self.items.partition_point(|&(_, end)| end <= chunk)
    }

    /// Calls `work(worker, chunk, cut)` once for each chunk, shared by so many workers.
    #[inline]
    pub fn for_each(&self, workers: usize, work: impl Fn(usize, usize, Cut) + Sync) {
        if workers > 1 {
            threads::share(workers, self.chunks(), &|worker, chunk| {
                let item = self.item(chunk);
                let (len, end) = self.items[item];
                let at = (chunk + len.div_ceil(CHUNK) - end) * CHUNK;
                work(worker, chunk, Cut { item, at, len: CHUNK.min(len - at) });
            });
            return;
        }
        let mut chunk = 0;
        for (item, &(len, _)) in self.items.iter().enumerate() {
            for at in (0..len).step_by(CHUNK) {
                work(0, chunk, Cut { item, at, len: CHUNK.min(len - at) });
                chunk += 1;
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
    fn large_plans_are_shared() {
        assert_eq!(PARALLEL_FROM, 4 * CHUNK);
        for (len, large) in [(PARALLEL_FROM - 1, false), (PARALLEL_FROM, true)] {
            let plan = Plan::new([len].into_iter()).unwrap();
            assert_eq!(plan.is_large(), large);
            assert_eq!(plan.workers(), if large { threads::workers(4) } else { 1 });
        }
    }
}
