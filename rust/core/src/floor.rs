//! The speed limit: a kernel that moves the same streams as a rule and computes next to nothing.
//!
//! It is measured beside the rules, so that a table can tell achieved from attainable bandwidth.
//! Each thread gets one contiguous stretch, as a memory benchmark would have it: nothing here depends
//! on chunks, plans or rules.

use crate::machine::simd::{Tier, Vectorized};
use crate::machine::threads;
use std::sync::Mutex;

/// Streams that a rule may write: the parameter and its state.
pub const MAX_WRITTEN: usize = crate::rule::MAX_STATE + 1;

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
    threads::share(parts, stretches.len(), &|_, i| {
        if let Some(stretch) = stretches[i].lock().ok().and_then(|mut slot| slot.take()) {
            tier.run(stretch);
        }
    });
}

struct Stretch<'a> {
    read: &'a [f32],
    written: Vec<&'a mut [f32]>,
}

/// One pass over the read stream and so many written ones. Each is a parameter of its own, so that LLVM knows
/// that none aliases another.
macro_rules! add { ($self:ident: $($count:literal => $($stream:ident)*;)*) => {
    match $self.written.len() {
        $($count => {
            #[allow(clippy::too_many_arguments, reason = "each slice is a parameter of its own")]
            #[inline(always)]
            fn add(read: &[f32], $($stream: &mut [f32]),*) {
                let n = read.len();
                $(let $stream = &mut $stream[..n];)*
                for i in 0..n {
                    $($stream[i] += read[i];)*
                }
            }
            let mut written = $self.written.into_iter();
            $(let $stream = written.next().unwrap_or_default();)*
            add($self.read, $($stream),*);
        })*
        count => unreachable!("{count} streams, not 1 to {MAX_WRITTEN}"),
    }
} }

impl Vectorized for Stretch<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        add! { self:
            1 => a;
            2 => a b;
            3 => a b c;
            4 => a b c d;
            5 => a b c d e;
            6 => a b c d e f;
            7 => a b c d e f g;
        }
    }
}

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
