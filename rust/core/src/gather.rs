//! A gradient in another memory order, brought into its parameter's a panel of rows at a time.
//!
//! The usual case is the transpose of a matrix, as every `(a.T @ b).T` makes: its rows lie side by side, so
//! that sixteen share each cache line, and a panel is sixteen rows.

use crate::machine::simd::{Tier, Vectorized};
use crate::machine::tiles::{Turn, transpose};
use crate::memory::Strided;
use crate::plans::CHUNK;

/// Rows of a panel: as many f32 as a cache line has.
const ROWS: usize = 16;

/// The most elements of a panel.
pub(crate) const PANEL: usize = CHUNK;

/// Calls `work(at, panel)` for one panel after another, whose elements are those from `at` on in the stretch.
/// `memory` is where they are put, at most [`PANEL`].
pub(crate) fn panels<G: Turn>(
    tier: Tier,
    from: &Strided<'_, G>,
    memory: &mut [G],
    mut work: impl FnMut(usize, &[G]),
) {
    let columns = from.columns;
    let mut done = 0;
    while done < from.len {
        let (at, left) = (from.at + done, from.len - done);
        let (row, column) = (at / columns, at % columns);
        // Whole rows, also where the stretch begins or ends inside one: the cache lines are the same.
        let rows = (column + left).div_ceil(columns).min(ROWS).min(memory.len() / columns);
        let (begin, end) = if rows > 0 {
            tier.run(Gather { from, row, column: 0, panel: &mut memory[..rows * columns] });
            (column, (rows * columns).min(column + left))
        } else {
            let part = (columns - column).min(memory.len()).min(left);
            tier.run(Gather { from, row, column, panel: &mut memory[..part] });
            (0, part)
        };
        work(done, &memory[begin..end]);
        done += end - begin;
    }
}

/// Whole rows from a row on, or a part of it from a column on.
struct Gather<'a, G> {
    from: &'a Strided<'a, G>,
    row: usize,
    column: usize,
    panel: &'a mut [G],
}

impl<G: Turn> Vectorized for Gather<'_, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { from, row, column, panel } = self;
        if from.row == 1 && column == 0 && panel.len() >= from.columns {
            transpose(from.memory, from.place(row, 0), from.column, panel, from.columns);
            return;
        }
        for (i, out) in panel.chunks_mut(from.columns).enumerate() {
            let first = from.place(row + i, column);
            if from.column == 1 {
                out.copy_from_slice(&from.memory[first as usize..][..out.len()]);
                continue;
            }
            for (k, out) in out.iter_mut().enumerate() {
                *out = from.memory[(first + k as isize * from.column) as usize];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (row, column) is 1000·row + column, wherever it lies.
    fn matrix(rows: usize, columns: usize, row: isize, column: isize) -> (Vec<f32>, isize) {
        let low = (row * (rows as isize - 1)).min(0) + (column * (columns as isize - 1)).min(0);
        let mut memory = vec![f32::NAN; 40_000];
        for i in 0..rows {
            for k in 0..columns {
                memory[(i as isize * row + k as isize * column - low) as usize] = (1000 * i + k) as f32;
            }
        }
        (memory, -low)
    }

    #[test]
    fn every_order_is_brought_into_the_parameters() {
        for (rows, columns) in [(1, 1), (1, 7), (7, 1), (4, 4), (33, 17), (37, 21), (3, 200), (200, 3)] {
            let (r, c) = (rows as isize, columns as isize);
            for (row, column) in [
                (1, r),
                (1, r + 3),
                (c, 1),
                (c + 2, 1),
                (-1, r),
                (1, -r),
                (-c, -1),
                (2, 2 * r),
                (0, 1),
                (1, 0),
            ] {
                let (memory, first) = matrix(rows, columns, row, column);
                for (at, len) in
                    [(0, rows * columns), (1, rows * columns - 1), (rows * columns / 3, rows * columns / 2)]
                {
                    let from = Strided { memory: &memory, first, columns, row, column, at, len };
                    // With room for whole panels, for a few rows, and for a part of one.
                    for (tier, room) in
                        Tier::supported().into_iter().flat_map(|tier| [PANEL, 50, 5].map(|room| (tier, room)))
                    {
                        let mut next = 0;
                        panels(tier, &from, &mut vec![0.0; room], |done, panel| {
                            assert_eq!(done, next);
                            for (i, &x) in panel.iter().enumerate() {
                                let (i, k) = ((at + done + i) / columns, (at + done + i) % columns);
                                assert_eq!(x, memory[from.place(i, k) as usize]);
                            }
                            next += panel.len();
                        });
                        assert_eq!(next, len);
                    }
                }
            }
        }
    }
}
