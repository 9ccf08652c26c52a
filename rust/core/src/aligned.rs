//! Stretches of any length handed on as such that begin at a multiple of so many elements.

/// Hands stretches on to `work(at, stretch)`, each but the last of a multiple of `N` elements.
pub(crate) struct Aligned<F, W, const N: usize> {
    /// The elements of all stretches together.
    len: usize,
    /// Those that wait for others.
    begun: [F; N],
    count: usize,
    work: W,
}

impl<F: Copy, W: FnMut(usize, &[F]), const N: usize> Aligned<F, W, N> {
    pub(crate) fn new(len: usize, zero: F, work: W) -> Self {
        Self { len, begun: [zero; N], count: 0, work }
    }

    /// Takes the next stretch, which begins at `at`.
    pub(crate) fn push(&mut self, mut at: usize, mut stretch: &[F]) {
        if self.count > 0 {
            let taken = (N - self.count).min(stretch.len());
            self.hold(&stretch[..taken]);
            (at, stretch) = (at + taken, &stretch[taken..]);
            if self.count < N && at < self.len {
                return;
            }
            (self.work)(at - self.count, &self.begun[..self.count]);
            self.count = 0;
        }
        let is_last = at + stretch.len() == self.len;
        let (whole, rest) = stretch.split_at(if is_last { stretch.len() } else { stretch.len() / N * N });
        if !whole.is_empty() {
            (self.work)(at, whole);
        }
        self.hold(rest);
    }

    fn hold(&mut self, part: &[F]) {
        self.begun[self.count..][..part.len()].copy_from_slice(part);
        self.count += part.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stretch_begins_at_a_multiple_and_nothing_is_lost() {
        for len in [0, 1, 7, 8, 9, 64, 100] {
            let all: Vec<u32> = (0..len).collect();
            for cut in [1, 3, 7, 8, 9, 20, 101] {
                let mut found = Vec::new();
                let mut aligned = Aligned::<_, _, 8>::new(all.len(), 0, |at: usize, stretch: &[u32]| {
                    assert!(
                        at == found.len() && at.is_multiple_of(8) && !stretch.is_empty(),
                        "{len} {cut} {at}"
                    );
                    found.extend_from_slice(stretch);
                });
                for (i, stretch) in all.chunks(cut).enumerate() {
                    aligned.push(i * cut, stretch);
                }
                assert_eq!(found, all, "{cut}");
            }
        }
    }
}
