//! How the state of a stretch is kept, and what its kernel takes: its own numbers, the upper halves of them, or codes that
//! are decoded and encoded again, a block in the first cache at a time.

use crate::codecs::bfloat16;
use crate::codecs::float8::{self, ROW};
use crate::codecs::noise::{Noise, PAIRS, WEYL};
use crate::floats::Float;
use crate::kernel::Kernel;
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Arrays, Halves, Kept, Row, Rows, Stored};
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
    /// Every stretch begins at a multiple of it.
    const BLOCK: usize;

    /// Updates a stretch.
    fn apply(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F]);

    /// Adds what a stretch has to add to the sums of a dry run.
    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F], sums: &mut [Lanes; 2]);
}

/// In the dtype of the parameter.
pub(crate) struct Plain;

impl<F: Float + Stored> Store<F> for Plain {
    const BLOCK: usize = 1;

    #[inline(always)]
    fn apply(&mut self, Run { tier, kernel, numbers }: Run<'_>, arrays: Arrays<'_, F>, g: &[F]) {
        kernel.apply(tier, numbers, &mut F::block(arrays.with(g)));
    }

    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, F>, g: &[F], sums: &mut [Lanes; 2]) {
        run.kernel.measure(run.tier, run.numbers, &mut F::block(arrays.with(g)), sums);
    }
}

/// As bfloat16.
pub(crate) struct Bfloat16 {
    counters: [u32; PAIRS],
}

impl Bfloat16 {
    pub(crate) fn new(noise: Noise, tensor: usize) -> Self {
        Self { counters: noise.counters(tensor, 0) }
    }
}

impl Store<f32> for Bfloat16 {
    const BLOCK: usize = 1;

    fn apply(&mut self, Run { tier, kernel, numbers }: Run<'_>, arrays: Arrays<'_, f32>, g: &[f32]) {
        let first = arrays.first();
        let counters = self.counters.map(|counter| moved(counter, first));
        kernel.apply_halves(tier, numbers, &mut Halves { streams: arrays.with(g), counters });
    }

    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, f32>, g: &[f32], sums: &mut [Lanes; 2]) {
        measure_decoded(run, arrays, g, sums);
    }
}

/// As floats of 8 bits in blocks.
pub(crate) struct Float8 {
    counters: [u32; PAIRS],
}

impl Float8 {
    pub(crate) fn new(noise: Noise, tensor: usize) -> Self {
        Self { counters: noise.counters(tensor, 0) }
    }
}

impl Store<f32> for Float8 {
    const BLOCK: usize = float8::BLOCK;

    fn apply(&mut self, run: Run<'_>, mut arrays: Arrays<'_, f32>, g: &[f32]) {
        let Run { tier, kernel, numbers } = run;
        let (slots, counters) = (kernel.slots(), self.counters);
        let mut memory = [Row::ZERO; MAX_STATE];
        let rows = &mut Rows::new(&mut memory[..slots.len()]);
        for (i, g) in g.chunks(ROW).enumerate() {
            let arrays = &mut arrays.cut(i * ROW, g.len());
            tier.run(Decode { slots, arrays, rows });
            kernel.apply(tier, numbers, &mut f32::block(rows.beside(arrays).with(g)));
            tier.run(Encode { slots, arrays, rows, counters });
        }
    }

    fn measure(&mut self, run: Run<'_>, arrays: Arrays<'_, f32>, g: &[f32], sums: &mut [Lanes; 2]) {
        measure_decoded(run, arrays, g, sums);
    }
}

/// The counter of an element that is so many behind.
fn moved(counter: u32, by: usize) -> u32 {
    counter.wrapping_add((by as u32).wrapping_mul(WEYL))
}

/// Brings all slots of a stretch into rows.
struct Decode<'a, 'b, 'c> {
    slots: &'static [Slot],
    arrays: &'a mut Arrays<'b, f32>,
    rows: &'a mut Rows<'c>,
}

impl Vectorized for Decode<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { slots, arrays, rows } = self;
        for (k, slot) in slots.iter().enumerate() {
            let ([row], len) = (rows.rows(k), arrays.len());
            let values = &mut row[..len];
            match arrays.kept(k) {
                [Kept::Bytes(codes, exponents)] => {
                    float8::Decode { narrowing: slot.narrowing, codes, exponents, values }.run();
                }
                [Kept::Halves(words)] => bfloat16::Decode { words, values }.run(),
                [Kept::Whole(own)] => values.copy_from_slice(own),
            }
        }
    }
}

/// Puts the rows of a stretch that is kept in blocks back into the slots.
struct Encode<'a, 'b, 'c> {
    slots: &'static [Slot],
    arrays: &'a mut Arrays<'b, f32>,
    rows: &'a mut Rows<'c>,
    counters: [u32; PAIRS],
}

impl Vectorized for Encode<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { slots, arrays, rows, counters } = self;
        let (first, len) = (arrays.first(), arrays.len());
        for (pair, of_pair) in slots.chunks(2).enumerate() {
            let (k, counter) = (2 * pair, moved(counters[pair], first));
            if let &[one, other] = of_pair
                && let [Kept::Bytes(a, of_a), Kept::Bytes(b, of_b)] = arrays.kept(k)
            {
                let [x, y] = rows.rows(k);
                let one = float8::Slot { narrowing: one.narrowing, values: x, codes: a, exponents: of_a };
                let other = float8::Slot { narrowing: other.narrowing, values: y, codes: b, exponents: of_b };
                float8::encode_pair([one, other], counter);
                continue;
            }
            for (i, one) in of_pair.iter().enumerate() {
                let [values] = rows.rows(k + i);
                match arrays.kept(k + i) {
                    [Kept::Bytes(codes, exponents)] => {
                        let rounding = float8::Rounding::Random { counter, first: i == 0 };
                        let slot = float8::Slot { narrowing: one.narrowing, values, codes, exponents };
                        float8::encode_one(slot, rounding);
                    }
                    [Kept::Whole(own)] => own.copy_from_slice(&values[..len]),
                    [Kept::Halves(_)] => unreachable!("in blocks"),
                }
            }
        }
    }
}

fn measure_decoded(run: Run<'_>, mut arrays: Arrays<'_, f32>, g: &[f32], sums: &mut [Lanes; 2]) {
    let slots = run.kernel.slots();
    let mut memory = [Row::ZERO; MAX_STATE];
    let rows = &mut Rows::new(&mut memory[..slots.len()]);
    for (i, g) in g.chunks(ROW).enumerate() {
        let arrays = &mut arrays.cut(i * ROW, g.len());
        run.tier.run(Decode { slots, arrays, rows });
        let streams = rows.beside(arrays).with(g);
        run.kernel.measure(run.tier, run.numbers, &mut f32::block(streams), sums);
    }
}
