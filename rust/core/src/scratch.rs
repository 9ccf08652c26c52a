//! Memory for gradients that are not read where they are, for each worker.

use crate::codecs::bfloat16::Bfloat16;
use crate::codecs::float16::Float16;
use crate::gather::PANEL;
use crate::loops::LONG_BLOCK;
use crate::machine::prefetch::CACHE_LINE;
use std::collections::TryReserveError;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub struct Scratches(Vec<Mutex<Scratch>>);

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) rows: Memory,
    pub(crate) panels: Memory,
}

/// So many elements of each dtype.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) single: Lines<f32>,
    pub(crate) double: Lines<f64>,
    pub(crate) bfloat16: Lines<Bfloat16>,
    pub(crate) float16: Lines<Float16>,
}

/// Elements from the beginning of a cache line on: a register of them that lies across two lines is slow to be read
/// after it was written.
#[derive(Debug, Default)]
pub(crate) struct Lines<T>(Vec<T>);

impl Scratches {
    /// Makes room for so many workers; `strided` is for gradients in another memory order.
    pub fn reserve(&mut self, workers: usize, strided: bool) -> Result<(), TryReserveError> {
        self.0.try_reserve(workers.saturating_sub(self.0.len()))?;
        while self.0.len() < workers {
            self.0.push(Mutex::default());
        }
        for scratch in &mut self.0[..workers] {
            let Scratch { rows, panels } = scratch.get_mut().unwrap_or_else(PoisonError::into_inner);
            rows.reserve(LONG_BLOCK)?;
            panels.reserve(if strided { PANEL } else { 0 })?;
            panels.reserve_narrow(if strided { PANEL } else { 0 })?;
        }
        Ok(())
    }

    /// That of a worker, which nobody else asks for while it works.
    pub(crate) fn of(&self, worker: usize) -> MutexGuard<'_, Scratch> {
        self.0[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn reserve(&mut self, len: usize) -> Result<(), TryReserveError> {
        self.single.reserve(len)?;
        self.double.reserve(len)
    }

    /// The same of the dtypes that only gradients have.
    fn reserve_narrow(&mut self, len: usize) -> Result<(), TryReserveError> {
        self.bfloat16.reserve(len)?;
        self.float16.reserve(len)
    }
}

impl<T: Clone + Default> Lines<T> {
    /// What may be before the first line.
    const BEFORE: usize = CACHE_LINE / size_of::<T>() - 1;

    fn reserve(&mut self, len: usize) -> Result<(), TryReserveError> {
        let memory = &mut self.0;
        let len = if len == 0 { 0 } else { len + Self::BEFORE };
        memory.try_reserve_exact(len.saturating_sub(memory.len()))?;
        memory.resize(len.max(memory.len()), T::default());
        Ok(())
    }

    pub(crate) fn all(&mut self) -> &mut [T] {
        let before = self.0.as_ptr().align_offset(CACHE_LINE).min(Self::BEFORE);
        let len = self.0.len().saturating_sub(Self::BEFORE);
        self.0.get_mut(before..before + len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_asked_for_begins_at_a_line() {
        let mut lines = Lines::<f64>::default();
        assert!(lines.all().is_empty());
        for (asked, there) in [(0, 0), (3, 3), (1000, 1000), (5, 1000)] {
            lines.reserve(asked).unwrap();
            let all = lines.all();
            assert_eq!(all.len(), there);
            assert!(all.is_empty() || all.as_ptr().addr().is_multiple_of(CACHE_LINE));
        }
    }
}
