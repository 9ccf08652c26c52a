//! The speed limit: a kernel that moves the same streams as a rule and computes next to nothing.
//!
//! It is measured beside the rules, so that a table can tell achieved from attainable bandwidth.
//! Each thread gets one contiguous stretch, as a memory benchmark would have it: nothing here depends
//! on chunks, plans or rules.

use crate::simd::{Tier, Vectorized};
use crate::threads;
use std::sync::Mutex;

/// Streams that a rule may write: the parameter and its state.
pub const MAX_WRITTEN: usize = crate::elements::MAX_STATE + 1;

/// Adds `read` to each of up to [`MAX_WRITTEN`] arrays of the same length, element by element.
pub fn sweep(tier: Tier, read: &[f32], written: Vec<&mut [f32]>) {
    let parts = threads::num_threads();
    let share = read.len().div_ceil(parts).max(1);
    let mut columns: Vec<_> = written.into_iter().map(|stream| stream.chunks_mut(share)).collect();
    let stretches: Vec<_> = read
        .chunks(share)
        .map(|read| {
            let written = columns.iter_mut().map(|column| column.next().expect("streams of one length"));
            Mutex::new(Some(Stretch { read, written: written.collect() }))
        })
        .collect();
    threads::share(stretches.len(), &|i| {
        if let Some(stretch) = stretches[i].lock().ok().and_then(|mut slot| slot.take()) {
            tier.run(stretch);
        }
    });
}

struct Stretch<'a> {
    read: &'a [f32],
    written: Vec<&'a mut [f32]>,
}

impl Vectorized for Stretch<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut written = self.written.into_iter();
        let mut next = || written.next().unwrap_or_default();
        match [next(), next(), next(), next()] {
            [a, [], [], []] => add1(self.read, a),
            [a, b, [], []] => add2(self.read, a, b),
            [a, b, c, []] => add3(self.read, a, b, c),
            [a, b, c, d] => add4(self.read, a, b, c, d),
        }
    }
}

/// One pass over one read and several written streams.
macro_rules! add {
    ($name:ident, $($stream:ident),*) => {
        #[inline(always)]
        fn $name(read: &[f32], $($stream: &mut [f32]),*) {
            let n = read.len();
            $(let $stream = &mut $stream[..n];)*
            for i in 0..n {
                $($stream[i] += read[i];)*
            }
        }
    };
}

add!(add1, a);
add!(add2, a, b);
add!(add3, a, b, c);
add!(add4, a, b, c, d);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_read_and_written_once() {
        let read: Vec<f32> = (0..1001).map(|i| i as f32).collect();
        for count in 1..=MAX_WRITTEN {
            let mut streams = vec![vec![1f32; read.len()]; count];
            sweep(Tier::BASELINE, &read, streams.iter_mut().map(Vec::as_mut_slice).collect());
            for stream in streams {
                assert!(stream.iter().zip(&read).all(|(&now, &add)| now == 1.0 + add));
            }
        }
    }
}
