//! The last numbers of a sequence, in order of time and of size.

use std::collections::{BTreeSet, TryReserveError, VecDeque};

/// A number that is finite and not negative, whose bits are in the order of the numbers; and which of the sequence it
/// was, so that equal ones differ.
type Entry = (u64, u64);

/// The last `window` numbers, and the smallest part of them in a set of its own, whose largest is the quantile. What
/// one number takes grows with the logarithm of the window.
#[derive(Debug)]
pub(super) struct Recent {
    window: usize,
    quantile: f64,
    /// The oldest one first.
    numbers: VecDeque<f64>,
    low: BTreeSet<Entry>,
    high: BTreeSet<Entry>,
    /// How many there have been.
    count: u64,
}

impl Recent {
    pub(super) fn new(window: usize, quantile: f64) -> Self {
        let (low, high) = (BTreeSet::new(), BTreeSet::new());
        Self { window, quantile, numbers: VecDeque::new(), low, high, count: 0 }
    }

    /// Takes the memory for all numbers.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.numbers.try_reserve_exact(self.window)
    }

    /// The oldest one first.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.numbers.iter().copied()
    }

    /// Of n numbers the ⌈q·n⌉-th smallest; None until one lies above it, or the window is full.
    pub(super) fn quantile(&self) -> Option<f64> {
        let tells = !self.high.is_empty() || self.numbers.len() == self.window;
        self.low.last().filter(|_| tells).map(|&(bits, _)| f64::from_bits(bits))
    }

    /// Adds a number. Gives the one that it drives out.
    pub(super) fn push(&mut self, number: f64) -> Option<f64> {
        let oldest = if self.numbers.len() == self.window { self.numbers.pop_front() } else { None };
        if let Some(oldest) = oldest {
            self.remove((oldest.to_bits(), self.count - self.window as u64));
        }
        self.numbers.push_back(number);
        self.insert((number.to_bits(), self.count));
        self.count += 1;
        self.balance();
        oldest
    }

    /// Takes the last number away, and puts back the one that it drove out.
    pub(super) fn pop(&mut self, oldest: Option<f64>) {
        let Some(last) = self.numbers.pop_back() else { return };
        self.count -= 1;
        self.remove((last.to_bits(), self.count));
        if let Some(oldest) = oldest {
            self.numbers.push_front(oldest);
            self.insert((oldest.to_bits(), self.count - self.window as u64));
        }
        self.balance();
    }

    fn insert(&mut self, entry: Entry) {
        let is_low = self.low.last().is_some_and(|&largest| entry < largest);
        if is_low {
            self.low.insert(entry)
        } else {
            self.high.insert(entry)
        };
    }

    fn remove(&mut self, entry: Entry) {
        if !self.low.remove(&entry) {
            self.high.remove(&entry);
        }
    }

    /// Moves what is in the wrong part: at most two entries after one was added and one removed.
    fn balance(&mut self) {
        let rank = (self.quantile * self.numbers.len() as f64).ceil().max(1.0) as usize;
        while self.low.len() < rank
            && let Some(entry) = self.high.pop_first()
        {
            self.low.insert(entry);
        }
        while self.low.len() > rank
            && let Some(entry) = self.low.pop_last()
        {
            self.high.insert(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    /// Numbers between 0 and 1 with many ties.
    fn drawn(count: u64) -> Vec<f64> {
        (0..count).map(|i| (i * 2_654_435_761 % 37) as f64 / 37.0).collect()
    }

    fn sorted(numbers: &[f64], quantile: f64) -> f64 {
        let mut numbers = numbers.to_vec();
        numbers.sort_by(f64::total_cmp);
        numbers[((quantile * numbers.len() as f64).ceil() as usize).max(1) - 1]
    }

    #[test]
    fn the_quantile_is_that_of_the_sorted_window() {
        let numbers = drawn(200);
        for (window, quantile) in [(1, 0.5), (7, 0.0), (10, 0.9), (50, 0.99), (64, 1.0), (30, 0.25)] {
            let mut recent = Recent::new(window, quantile);
            for end in 1..=numbers.len() {
                recent.push(numbers[end - 1]);
                let last = &numbers[end.saturating_sub(window)..end];
                assert!(recent.numbers().eq(last.iter().copied()));
                let rank = ((quantile * last.len() as f64).ceil() as usize).max(1);
                let tells = last.len() > rank || last.len() == window;
                assert_eq!(recent.quantile(), tells.then(|| sorted(last, quantile)), "{window}, {quantile}");
            }
        }
    }

    #[test]
    fn what_was_pushed_can_be_popped() {
        let numbers = drawn(60);
        let mut recent = Recent::new(20, 0.8);
        for &number in &numbers {
            let before = (recent.quantile(), recent.numbers().collect::<Vec<_>>());
            let oldest = recent.push(5.0);
            recent.pop(oldest);
            assert_eq!((recent.quantile(), recent.numbers().collect()), before);
            recent.push(number);
        }
        assert_eq!(recent.quantile(), Some(sorted(&numbers[40..], 0.8)));
    }
}
