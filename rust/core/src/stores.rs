//! How the state of a stretch is kept, and what its kernel takes: its own numbers, the upper halves of them, or codes that
//! are decoded and encoded again, a block in the first cache at a time.

use crate::codecs::noise::{Noise, PAIRS, moved};
use crate::codecs::{Format, bfloat16, float8};
use crate::floats::Float;
use crate::kernel::Kernel;
use crate::loops::BLOCK;
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Arrays, Decoded, Grads, Kept, NarrowStreams, Source, Stored, Values};
use crate::numbers::Rounded;
use crate::rule::{MAX_STATE, Slot};
use crate::sums::Lanes;

/// A kernel with the numbers of a step.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) tier: Tier,
    pub(crate) kernel: &'static dyn Kernel,
    pub(crate) numbers: &'a Rounded,
}

/// A way to keep state.
pub(crate) trait Store<F> {
    /// Whether every stretch begins with a block.
    fn in_blocks(&self) -> bool;

    /// Updates a stretch.
    fn apply(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F]);

    /// Updates the first elements of a stretch, as many as there are loops for that read the gradient as it is stored.
    fn begin(&mut self, _run: Run<'_>, _arrays: Arrays<'_, F>, _source: Source<'_>) -> usize {
        0
    }

    /// Adds what a stretch of at most [`BLOCK`] elements has to add to the sums of a dry run.
    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F], sums: &mut [Lanes; 2]);
}

/// In the dtype of the parameter.
pub(crate) struct Plain;

impl<F: Float + Stored> Store<F> for Plain {
    #[inline(always)]
    fn in_blocks(&self) -> bool {
        false
    }

    #[inline(always)]
    fn apply(&mut self, Run { tier, kernel, numbers }: Run<'_>, arrays: Arrays<'_, F>, g: &[F]) {
        kernel.apply(tier, numbers, &mut F::block(arrays.with(g)));
    }

    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F], sums: &mut [Lanes; 2]) {
        run.kernel.measure(run.tier, run.numbers, &mut F::block(arrays.with(g)), sums);
    }
}

/// In fewer bits.
pub(crate) struct Narrow {
    format: Format,
    counters: [u32; PAIRS],
}

impl Narrow {
    pub(crate) fn new(format: Format, noise: Noise, tensor: usize) -> Self {
        Self { format, counters: noise.counters(tensor) }
    }

    fn run(&self, run: Run<'_>, arrays: Arrays<'_, f32>, grads: Grads<'_>) -> usize {
        let Run { tier, kernel, numbers } = run;
        let counters = self.counters.map(|counter| moved(counter, arrays.first()));
        kernel.apply_narrow(tier, numbers, &mut NarrowStreams::new(arrays, grads, counters))
    }
}

impl Store<f32> for Narrow {
    fn in_blocks(&self) -> bool {
        self.format == Format::Float8
    }

    fn apply(&mut self, run: Run<'_>, arrays: Arrays<'_, f32>, g: &[f32]) {
        self.run(run, arrays, Grads::Single(g));
    }

    fn begin(&mut self, run: Run<'_>, arrays: Arrays<'_, f32>, source: Source<'_>) -> usize {
        match source {
            Source::Bfloat16(Values::Same(g)) => self.run(run, arrays, Grads::Bfloat16(g)),
            _ => 0,
        }
    }

    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, f32>, g: &[f32], sums: &mut [Lanes; 2]) {
        measure_decoded(run, arrays, g, sums);
    }
}

/// Decodes all slots of a stretch.
struct Decode<'a, 'b, 'c> {
    slots: &'static [Slot],
    arrays: &'a mut Arrays<'b, f32>,
    decoded: &'a mut Decoded<'c, BLOCK>,
}

impl Vectorized for Decode<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { slots, arrays, decoded } = self;
        for (k, slot) in slots.iter().enumerate() {
            let values = &mut decoded.slot(k)[..arrays.len()];
            match arrays.kept(k) {
                Kept::Bytes(codes, exponents) => {
                    float8::Decode { narrowing: slot.narrowing, codes, exponents, values }.run();
                }
                Kept::Halves(words) => bfloat16::Decode { words, values }.run(),
                Kept::Whole(own) => values.copy_from_slice(own),
            }
        }
    }
}

fn measure_decoded(run: Run<'_>, mut arrays: Arrays<'_, f32>, g: &[f32], sums: &mut [Lanes; 2]) {
    let slots = run.kernel.slots();
    let mut rows = [[0.0; BLOCK]; MAX_STATE];
    let decoded = &mut Decoded::new(&mut rows[..slots.len()]);
    run.tier.run(Decode { slots, arrays: &mut arrays, decoded });
    let streams = decoded.beside(&mut arrays).with(g);
    run.kernel.measure(run.tier, run.numbers, &mut f32::block(streams), sums);
}
