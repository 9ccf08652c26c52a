//! One rule behind one dynamic call a block.

use crate::codecs::narrow;
use crate::loops;
use crate::machine::simd::Tier;
use crate::memory::{Block, NarrowStreams};
use crate::numbers::{MAX_CONSTANTS, Rounded};
use crate::rule::{MAX_HYPERS, MAX_STATE, Rule, Slot, Sums};
use crate::sums::Lanes;
use std::fmt;
use std::marker::PhantomData;

/// A rule whose type has been forgotten. It has no data: numbers and memory come with each call.
pub trait Kernel: Sync {
    fn slots(&self) -> &'static [Slot];

    /// The names of what the rule remembers.
    fn memory(&self) -> &'static [&'static str];

    /// Whether an update depends on the parameter.
    fn reads_params(&self) -> bool;

    /// The sums of a dry run that it wants, if it does.
    fn sums(&self) -> Option<Sums>;

    /// Writes what the rule remembers at the start. Here and below, `values` are its own hyperparameters in its
    /// order, and then what it remembers.
    fn start(&self, values: &mut [f64]);

    /// Writes what it remembers once it knows the sums of the dry run, just before update number `t`.
    fn settle(&self, values: &mut [f64], lr: f64, t: u64, sums: [f64; 2]);

    /// Computes the rule's constants of update number `t`.
    fn prepare(&self, values: &[f64], lr: f64, t: u64, numbers: &mut Rounded);

    /// Adds what a block has to add to the sums, and writes nothing else.
    fn measure(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>, sums: &mut [Lanes; 2]);

    /// Updates a block.
    fn apply(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>);

    /// Updates a block with its state in fewer bits. Returns how many of the first elements it has updated: all, but by
    /// gradients that are not in float32 perhaps only some.
    fn apply_narrow(&self, tier: Tier, numbers: &Rounded, block: &mut NarrowStreams<'_>) -> usize;

    /// The slots that may be kept in fewer bits: a bit for each.
    fn narrow(&self) -> u8 {
        narrow(self.slots())
    }
}

impl fmt::Debug for dyn Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kernel").field(&self.slots()).finish()
    }
}

/// The kernel of the rule `R`.
pub(crate) const fn kernel<R: Rule<K, N>, const K: usize, const N: usize>() -> &'static dyn Kernel {
    const {
        assert!(K <= MAX_CONSTANTS, "raise MAX_CONSTANTS");
        assert!(R::HYPERS.len() + R::MEMORY.len() <= MAX_HYPERS, "raise MAX_HYPERS");
        assert!(N <= MAX_STATE, "raise MAX_STATE, and write one more stream in `streams!`");
    }
    &Typed::<R, K, N>(PhantomData)
}

struct Typed<R, const K: usize, const N: usize>(PhantomData<fn() -> R>);

impl<R: Rule<K, N>, const K: usize, const N: usize> Kernel for Typed<R, K, N> {
    fn slots(&self) -> &'static [Slot] {
        const { &R::SLOTS }
    }

    fn memory(&self) -> &'static [&'static str] {
        R::MEMORY
    }

    fn reads_params(&self) -> bool {
        R::READS_PARAMS
    }

    fn sums(&self) -> Option<Sums> {
        R::SUMS
    }

    fn start(&self, values: &mut [f64]) {
        let mut rule = R::from_values(values);
        rule.start();
        rule.remember(values);
    }

    fn settle(&self, values: &mut [f64], lr: f64, t: u64, sums: [f64; 2]) {
        let mut rule = R::from_values(values);
        rule.settle(lr, t, sums);
        rule.remember(values);
    }

    fn prepare(&self, values: &[f64], lr: f64, t: u64, numbers: &mut Rounded) {
        numbers.set_constants(R::from_values(values).constants(lr, t));
    }

    fn measure(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>, sums: &mut [Lanes; 2]) {
        // No loop is written for rules that want no sums.
        if const { R::SUMS.is_some() } {
            match block {
                Block::Single(streams) => {
                    loops::measure::<f32, R, K, N>(tier, &numbers.single, streams, sums);
                }
                Block::Double(streams) => {
                    loops::measure::<f64, R, K, N>(tier, &numbers.double, streams, sums);
                }
            }
        }
    }

    fn apply(&self, tier: Tier, numbers: &Rounded, block: &mut Block<'_>) {
        match block {
            Block::Single(streams) => loops::apply::<f32, R, K, N>(tier, &numbers.single, streams),
            Block::Double(streams) => loops::apply::<f64, R, K, N>(tier, &numbers.double, streams),
        }
    }

    fn apply_narrow(&self, tier: Tier, numbers: &Rounded, block: &mut NarrowStreams<'_>) -> usize {
        // No loop is written for rules that have no narrow slots.
        if const { narrow(&R::SLOTS) != 0 } {
            loops::apply_narrow::<R, K, N>(tier, &numbers.single, block)
        } else {
            0
        }
    }
}
