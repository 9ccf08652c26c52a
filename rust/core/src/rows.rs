//! Which rows of a tensor a gradient has: sorted, and with each all the places where its values stand.

use std::collections::TryReserveError;
use std::fmt;

/// The rows of a gradient that has values for some rows of its tensor only, kept from step to step.
///
/// Its memory is that of the values given, never of the tensor's rows. A row that is given several times has its
/// places in order of appearance.
#[derive(Default)]
pub struct Table {
    /// The elements of a row.
    width: usize,
    /// Row and place of each value, as one number that sorts by both: the place has the lower `bits`.
    keys: Vec<u64>,
    bits: u32,
    /// Where in the keys each row begins, and where the last one ends, if any is given more than once.
    starts: Vec<usize>,
    spare: Vec<u64>,
}

/// Why there are no such rows.
#[derive(Debug)]
pub enum RowsError {
    /// The index at that place is not one of a row.
    Outside(usize),
    /// More rows and values than any memory has room for.
    TooMany,
    Memory(TryReserveError),
}

impl From<TryReserveError> for RowsError {
    fn from(error: TryReserveError) -> Self {
        Self::Memory(error)
    }
}

/// Bits of a digit of the radix sort.
const DIGIT: u32 = 11;

/// Fewer values than this are sorted by comparing them.
const RADIX_FROM: usize = 256;

impl Table {
    /// Takes the row of each value: of `rows` rows of so many elements. Indices count from the end where they are negative,
    /// as NumPy's do.
    pub fn set(
        &mut self,
        rows: usize,
        width: usize,
        indices: impl ExactSizeIterator<Item = i64>,
    ) -> Result<(), RowsError> {
        let given = indices.len();
        self.width = width;
        self.bits = bits_of(given);
        self.keys.clear();
        self.starts.clear();
        if self.bits + bits_of(rows) > u64::BITS {
            return Err(RowsError::TooMany);
        }
        self.keys.try_reserve(given)?;
        let (mut last, mut sorted, mut repeated) = (0, true, false);
        for (place, index) in indices.enumerate() {
            let row = if index < 0 { index.wrapping_add(rows as i64) } else { index } as u64;
            if row >= rows as u64 {
                self.keys.clear();
                return Err(RowsError::Outside(place));
            }
            self.keys.push(row << self.bits | place as u64);
            sorted &= last <= row;
            repeated |= last == row && place > 0;
            last = row;
        }
        self.finish(rows, sorted, repeated)
    }

    fn finish(&mut self, rows: usize, sorted: bool, repeated: bool) -> Result<(), RowsError> {
        if !sorted {
            self.sort(rows)?;
        } else if !repeated {
            return Ok(());
        }
        let Self { keys, starts, bits, .. } = self;
        starts.try_reserve(keys.len() + 1)?;
        starts.resize(keys.len() + 1, 0);
        // Without a branch, which nobody could guess. What is written for a row that goes on is written over.
        let (mut count, mut last) = (0, u64::MAX);
        for (i, &key) in keys.iter().enumerate() {
            starts[count] = i;
            count += usize::from(key >> *bits != last);
            last = key >> *bits;
        }
        starts[count] = keys.len();
        starts.truncate(if count == keys.len() { 0 } else { count + 1 });
        Ok(())
    }

    /// A digit after the other, or all at once where they are few: each key is there once, and their order is that of the
    /// rows, and then of appearance.
    fn sort(&mut self, rows: usize) -> Result<(), RowsError> {
        if self.keys.len() < RADIX_FROM {
            self.keys.sort_unstable();
            return Ok(());
        }
        self.spare.clear();
        self.spare.try_reserve(self.keys.len())?;
        self.spare.resize(self.keys.len(), 0);
        for shift in (self.bits..self.bits + bits_of(rows)).step_by(DIGIT as usize) {
            let digit = |key: u64| (key >> shift) as usize % (1 << DIGIT);
            let mut next = [0; 1 << DIGIT];
            self.keys.iter().for_each(|&key| next[digit(key)] += 1);
            let mut before = 0;
            for count in &mut next {
                before += std::mem::replace(count, before);
            }
            for &key in &self.keys {
                let place = &mut next[digit(key)];
                self.spare[*place] = key;
                *place += 1;
            }
            std::mem::swap(&mut self.keys, &mut self.spare);
        }
        Ok(())
    }

    /// The elements of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows, each counted once.
    pub fn count(&self) -> usize {
        if self.starts.is_empty() { self.keys.len() } else { self.starts.len() - 1 }
    }

    /// The number of values given.
    pub fn given(&self) -> usize {
        self.keys.len()
    }

    /// How far the lowest and the highest element of the values lie from the first one, where their rows are so far apart.
    pub fn reach(&self, apart: isize) -> (isize, isize) {
        let last = apart * self.given().saturating_sub(1) as isize;
        (last.min(0), last.max(0) + self.width as isize - 1)
    }

    /// The number of a row, and where its values stand.
    #[inline(always)]
    pub(crate) fn get(&self, i: usize) -> (usize, Places<'_>) {
        let (start, end) =
            if self.starts.is_empty() { (i, i + 1) } else { (self.starts[i], self.starts[i + 1]) };
        let keys = &self.keys[start..end];
        ((keys[0] >> self.bits) as usize, Places { keys, bits: self.bits })
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({} rows of {} values, {} wide)", self.count(), self.given(), self.width)
    }
}

/// Where the values of a row stand among those given, in order of appearance.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    keys: &'a [u64],
    bits: u32,
}

impl Places<'_> {
    pub(crate) fn len(self) -> usize {
        self.keys.len()
    }

    #[inline(always)]
    pub(crate) fn get(self, i: usize) -> usize {
        (self.keys[i] & ((1 << self.bits) - 1)) as usize
    }
}

/// Bits that hold each number below `count`: at least one, so that a shift by the others is one.
fn bits_of(count: usize) -> u32 {
    (usize::BITS - count.saturating_sub(1).leading_zeros()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(rows: usize, indices: &[i64]) -> Vec<(usize, Vec<usize>)> {
        let mut table = Table::default();
        // What was there before leaves no trace.
        table.set(5, 1, [4, 4, 0, 1].into_iter()).unwrap();
        table.set(rows, 3, indices.iter().copied()).unwrap();
        assert_eq!((table.width(), table.given()), (3, indices.len()));
        let all = (0..table.count()).map(|i| table.get(i));
        all.map(|(row, places)| (row, (0..places.len()).map(|i| places.get(i)).collect())).collect()
    }

    /// What a map of lists makes of them.
    fn expected(rows: usize, indices: &[i64]) -> Vec<(usize, Vec<usize>)> {
        let mut map = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for (place, &index) in indices.iter().enumerate() {
            let row = if index < 0 { index + rows as i64 } else { index } as usize;
            map.entry(row).or_default().push(place);
        }
        map.into_iter().collect()
    }

    #[test]
    fn rows_are_sorted_and_their_places_stand_in_order() {
        let drawn = |count: usize, rows: i64| -> Vec<i64> {
            let mut x = 12_345_u64;
            let mut next = || {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (x >> 33) as i64
            };
            (0..count).map(|_| next() % (2 * rows) - rows).collect()
        };
        let mut cases = vec![
            (7, vec![]),
            (1, vec![0]),
            (1, vec![0, -1, 0]),
            (7, vec![6, 0, 6, 3, 0, 6]),
            (7, vec![0, 1, 1, 2, 6]),
            (7, vec![0, 0]),
            (1 << 40, vec![(1 << 40) - 1, 5, -(1 << 40), 5]),
        ];
        for rows in [1, 2, 100, 2048, 2049, 1 << 22, (1 << 22) + 1, 1 << 40] {
            for count in [RADIX_FROM - 1, RADIX_FROM, 2047, 2048, 5000] {
                cases.push((rows, drawn(count, rows as i64)));
            }
        }
        for (rows, indices) in cases {
            assert_eq!(sorted(rows, &indices), expected(rows, &indices), "{} of {rows}", indices.len());
        }
    }

    #[test]
    fn an_index_outside_is_told_by_its_place() {
        let mut table = Table::default();
        for (rows, indices, place) in [
            (0, vec![0], 0),
            (3, vec![0, 3], 1),
            (3, vec![2, -3, -4], 2),
            (3, vec![i64::MAX], 0),
            (3, vec![i64::MIN], 0),
        ] {
            let error = table.set(rows, 1, indices.into_iter()).unwrap_err();
            assert!(matches!(error, RowsError::Outside(at) if at == place), "{error:?}");
            assert_eq!(table.count(), 0);
        }
        let error = table.set(usize::MAX, 1, [0; 3].into_iter()).unwrap_err();
        assert!(matches!(error, RowsError::TooMany));
    }

    #[test]
    fn the_extent_holds_all_values() {
        let mut table = Table::default();
        table.set(9, 4, [1, 2, 1].into_iter()).unwrap();
        for (apart, extent) in [(4, (0, 11)), (10, (0, 23)), (0, (0, 3)), (-4, (-8, 3))] {
            assert_eq!(table.reach(apart), extent);
        }
    }
}
