//! What is lent of a gradient that has rows: values that are added up.

use crate::machine::prefetch::ask;
use crate::rows::Table;

/// Values of a row are asked for so many ahead: the next one may stand anywhere.
const VALUES_AHEAD: usize = 4;

/// The values of some rows, or of a stretch of one. Those of a row are to be added up in order of appearance.
#[derive(Clone, Copy, Debug)]
pub struct Scattered<'a, G> {
    /// All memory between the lowest and the highest element, and where the stretch would begin in the first value.
    pub(super) memory: &'a [G],
    pub(super) first: isize,
    /// How far apart values are.
    pub(super) apart: isize,
    pub(super) rows: &'a Table,
    pub(super) range: (usize, usize),
    /// Of each row.
    pub(super) len: usize,
}

impl<'a, G> Scattered<'a, G> {
    /// The elements of each row.
    pub fn width(&self) -> usize {
        self.len
    }

    /// The values of one row after the other.
    pub fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = &'a [G]>> {
        let &Self { memory, first, apart, rows, range: (start, end), len } = self;
        (start..end).map(move |i| {
            let (_, places) = rows.get(i);
            let begin = move |k: usize| first + places.get(k) as isize * apart;
            (0..places.len()).map(move |k| {
                if k + VALUES_AHEAD < places.len() {
                    ask(memory, begin(k + VALUES_AHEAD) as usize, len);
                }
                &memory[begin(k) as usize..][..len]
            })
        })
    }
}
