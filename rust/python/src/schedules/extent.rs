//! How large a composition may get.

use pyo3::PyResult;

use crate::errors::value_error;

/// Compositions nest at most this deep: filling, hashing and printing recurse, and the stack is finite.
const MOST_DEEP: usize = 64;

/// At most so many schedules are evaluated for one t. A product of a product of … the same soon takes more time
/// than there is, and nothing interrupts an evaluation.
const MOST_EVALUATED: usize = 1000;

/// At most so many schedules make up one, each counted as often as it occurs: so often it is printed, and
/// compared.
const MOST_PARTS: usize = 10_000_000;

/// How deep a schedule nests, how many are evaluated for one t, and how many it is made of.
#[derive(Clone, Copy, Default)]
pub(super) struct Extent {
    pub(super) depth: usize,
    evaluated: usize,
    parts: usize,
}

impl Extent {
    /// Adds a part that is evaluated for every t.
    pub(super) fn add(&mut self, part: Self) {
        self.depth = self.depth.max(part.depth);
        self.evaluated += part.evaluated;
        self.parts += part.parts;
    }

    /// Adds parts of which one is evaluated.
    pub(super) fn add_one_of(&mut self, parts: impl Iterator<Item = Self>) {
        let before = self.evaluated;
        let mut most = 0;
        for part in parts {
            self.add(part);
            most = part.evaluated.max(most);
        }
        self.evaluated = before + most;
    }

    /// The extent of a schedule with these parts.
    pub(super) fn of_whole(self) -> PyResult<Self> {
        let Self { depth, evaluated, parts } =
            Self { depth: self.depth + 1, evaluated: self.evaluated + 1, parts: self.parts + 1 };
        if depth > MOST_DEEP {
            return Err(value_error(format!("schedules nest at most {MOST_DEEP} deep, got {depth}")));
        }
        if evaluated > MOST_EVALUATED {
            return Err(value_error(format!(
                "at most {MOST_EVALUATED} schedules may be evaluated for one t, got {evaluated}"
            )));
        }
        if parts > MOST_PARTS {
            return Err(value_error(format!(
                "at most {MOST_PARTS} schedules may make up one, each counted as often as it occurs, got {parts}"
            )));
        }
        Ok(Self { depth, evaluated, parts })
    }
}
