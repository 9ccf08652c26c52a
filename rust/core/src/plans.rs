//! The plan of a step: all tensors of all groups cut into chunks, one work list, one dispatch.

use crate::elements::MAX_STATE;
use crate::floats::Dtype;
use crate::groups::Group;
use crate::simd::Tier;
use crate::threads;
use std::ops::Range;

/// Elements of one chunk: 128 KiB of each f32 stream. Anything from 8 Ki to 64 Ki measured the same within
/// noise on large models; this leaves a model of 200 k elements enough chunks to share.
pub const CHUNK: usize = 32 * 1024;

/// A step of fewer elements than this runs on the calling thread alone. Two threads against one, with the
/// helper asleep before each step: 0.7 times as fast at 64 Ki elements (Adam and SGD), 1.1 (Adam) and 0.9
/// (SGD) at 128 Ki, 1.6 and 1.2 at 230 Ki.
pub const PARALLEL_FROM: usize = 128 * 1024;

/// Where one parameter, its gradient and its state lie in memory.
#[derive(Clone, Copy, Debug)]
pub struct Tensor {
    /// Which group's rule updates it.
    pub group: usize,
    pub dtype: Dtype,
    /// The number of elements of each of the arrays.
    pub len: usize,
    pub params: *mut u8,
    pub state: [*mut u8; MAX_STATE],
    pub grads: *const u8,
    pub grads_dtype: Dtype,
}

// SAFETY: the pointers are only followed by functions whose contract covers it (`Plan::sweep`, `norms`).
unsafe impl Send for Tensor {}
// SAFETY: as above.
unsafe impl Sync for Tensor {}

/// A run of elements of one tensor.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub tensor: usize,
    pub range: Range<usize>,
}

/// How the elements of some tensors are cut. Depends on their lengths only, never on threads.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    chunks: Vec<Chunk>,
    elements: usize,
}

impl Plan {
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut plan = Self::default();
        for (tensor, len) in lengths.into_iter().enumerate() {
            plan.elements += len;
            plan.chunks.extend(
                (0..len).step_by(CHUNK).map(|start| Chunk { tensor, range: start..len.min(start + CHUNK) }),
            );
        }
        plan
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The number of elements of all tensors.
    pub fn elements(&self) -> usize {
        self.elements
    }

    /// Whether the work is worth waking other threads, and so worth releasing the GIL.
    pub fn is_large(&self) -> bool {
        self.elements >= PARALLEL_FROM
    }

    /// Calls `work` once for each chunk, on several threads if there is enough of it.
    pub fn for_each(&self, work: &(dyn Fn(usize, &Chunk) + Sync)) {
        let task = |i: usize| work(i, &self.chunks[i]);
        if self.is_large() {
            threads::share(self.chunks.len(), &task);
        } else {
            (0..self.chunks.len()).for_each(task);
        }
    }

    /// One update of all tensors.
    ///
    /// # Safety
    /// The tensors are those whose lengths made this plan. Their pointers are valid for `len` elements
    /// of their dtypes and aligned; `params` and `state` overlap nothing else here, and until the call
    /// returns nobody else writes what it reads or touches what it writes.
    pub unsafe fn sweep(&self, tier: Tier, groups: &[Box<dyn Group>], tensors: &[Tensor]) {
        self.for_each(&|_, chunk| {
            let tensor = &tensors[chunk.tensor];
            // SAFETY: the caller's contract; chunks are disjoint, so no two threads share an element.
            unsafe { groups[tensor.group].update(tier, tensor, chunk.range.clone()) }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_each_element_once() {
        let lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7];
        let plan = Plan::new(lengths);
        for (tensor, len) in lengths.into_iter().enumerate() {
            let mut next = 0;
            for chunk in plan.chunks().iter().filter(|chunk| chunk.tensor == tensor) {
                assert_eq!(chunk.range.start, next);
                assert!(!chunk.range.is_empty() && chunk.range.len() <= CHUNK);
                next = chunk.range.end;
            }
            assert_eq!(next, len);
        }
        assert_eq!(plan.elements(), lengths.iter().sum());
    }
}
