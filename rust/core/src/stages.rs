//! What a step does to a stretch of one tensor: the loop, and before and after it what is not in the loop, a
//! block in the first cache at a time.
//!
//! The order of all that happens to an element is part of the contract:
//!   gather and convert g → add what was accumulated → scale → clamp → coupled decay → shrink p → rule → step →
//!   shrink p → soft threshold → bounds → average and copy

use crate::after::After;
use crate::aligned::Aligned;
use crate::codecs::noise::Noise;
use crate::codecs::{Format, float8};
use crate::dtypes::Dtype;
use crate::floats::Float;
use crate::intake::{Clamp, Hands, gradient};
use crate::kernel::Kernel;
use crate::loops::{BLOCK, LONG_BLOCK};
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Arrays, Intake, Params, Piece};
use crate::numbers::{Factors, Rounded};
use crate::staged::Staged;
use crate::stores::{Narrow, Plain, Run, Store};
use crate::sums::{Lanes, Square};

/// What happens to a tensor at a step, besides the numbers that it holds.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    kernel: &'static dyn Kernel,
    numbers: Rounded,
    clamp: Option<Clamp>,
    /// None where nothing happens after the rule.
    after: Option<After>,
    /// What state in fewer bits is rounded by.
    noise: Noise,
}

/// What happens around a rule.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    pub factors: Factors<f64>,
    /// The largest magnitude of a gradient's element, after scaling.
    pub limit: f64,
    /// None where nothing happens after the rule.
    pub after: Option<After>,
}

impl Terms {
    pub fn new(kernel: &'static dyn Kernel, seed: u64) -> Self {
        let noise = Noise { seed, t: 0 };
        Self { kernel, numbers: Rounded::NEUTRAL, clamp: None, after: None, noise }
    }

    /// Those of update number `t`: the rule's own hyperparameters, what it remembers, its rate, and what happens around
    /// it.
    pub fn prepare(&mut self, values: &[f64], lr: f64, t: u64, around: Around) {
        let Around { mut factors, limit, after } = around;
        self.clamp = (limit < f64::INFINITY).then_some(Clamp { scale: factors.scale, limit });
        if self.clamp.is_some() {
            // Scaled before it is clamped, and not again in the loop.
            factors.scale = 1.0;
        }
        self.after = after;
        self.noise.t = t;
        self.numbers.set_factors(factors);
        self.kernel.prepare(values, lr, t, &mut self.numbers);
    }

    fn run(&self, tier: Tier) -> Run<'_> {
        Run { tier, kernel: self.kernel, numbers: &self.numbers }
    }
}

/// The sums of the squares of what was added to the parameter, and of what it was before; if they are wanted.
pub(crate) type Change<'a> = Option<&'a mut [Lanes; 2]>;

/// Updates a piece under its terms.
#[inline]
pub(crate) fn update(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>, change: Change<'_>) {
    if terms.clamp.is_none()
        && terms.after.is_none()
        && change.is_none()
        && let Some(mut block) = piece.plain()
    {
        return terms.kernel.apply(hands.tier, &terms.numbers, &mut block);
    }
    update_by_stages(hands, terms, piece, change);
}

#[inline(never)]
fn update_by_stages(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>, change: Change<'_>) {
    match (piece.dtype(), piece.format()) {
        (Dtype::F32, Format::Whole) => update_in::<f32, _>(hands, terms, piece, Plain, change),
        (Dtype::F64, _) => update_in::<f64, _>(hands, terms, piece, Plain, change),
        (Dtype::F32, format) => {
            let store = Narrow::new(format, terms.noise, piece.tensor());
            update_in(hands, terms, piece, store, change);
        }
    }
}

#[inline(always)]
fn update_in<F: Staged, S: Store<F>>(
    hands: Hands<'_>,
    terms: &Terms,
    piece: &mut Piece<'_>,
    mut store: S,
    mut change: Change<'_>,
) {
    let (mut arrays, intake) = piece.lend::<F>();
    let (run, cut) = (terms.run(hands.tier), (arrays.len(), store.in_blocks()));
    if arrays.in_place() && terms.after.is_none() && change.is_none() && !arrays.is_copied() {
        let done = if terms.clamp.is_none() && intake.accumulated.is_none() {
            store.begin(run, arrays.cut(0, cut.0), intake.source)
        } else {
            0
        };
        let (mut arrays, intake) = (arrays.cut(done, cut.0 - done), intake.after(done));
        return stretches(hands, intake, terms.clamp, (cut.0 - done, cut.1), &mut |at, g| {
            store.apply(run, arrays.cut(at, g.len()), g);
        });
    }
    // What is told of a change is kept for a block.
    let block = if change.is_some() { BLOCK } else { block_of(cut.1) };
    stretches(hands, intake, terms.clamp, cut, &mut |at, g| {
        for (i, g) in g.chunks(block).enumerate() {
            update_block(run, terms, &mut store, arrays.cut(at + i * block, g.len()), g, &mut change);
        }
    });
}

/// Calls `work(at, g)` with one stretch of the gradient after another, cut where blocks begin if state is in them.
fn stretches<F: Staged>(
    hands: Hands<'_>,
    intake: Intake<'_, F>,
    clamp: Option<Clamp>,
    (len, in_blocks): (usize, bool),
    work: &mut dyn FnMut(usize, &[F]),
) {
    const { assert!(BLOCK.is_multiple_of(float8::BLOCK) && LONG_BLOCK.is_multiple_of(float8::BLOCK)) };
    let block = block_of(in_blocks);
    if !in_blocks {
        return gradient(hands, intake, clamp, block, work);
    }
    let mut aligned = Aligned::<F, _, { float8::BLOCK }>::new(len, F::ZERO, work);
    gradient(hands, intake, clamp, block, &mut |at, g| aligned.push(at, g));
}

/// How many elements are gone through at a time: more where state is in blocks, as to begin with them and to end takes
/// what two hundred elements take.
fn block_of(in_blocks: bool) -> usize {
    if in_blocks { LONG_BLOCK } else { BLOCK }
}

fn update_block<F: Staged>(
    run: Run<'_>,
    terms: &Terms,
    store: &mut impl Store<F>,
    mut arrays: Arrays<'_, F>,
    g: &[F],
    change: &mut Change<'_>,
) {
    let tier = run.tier;
    begin(&mut arrays);
    // None where nothing is told of it: to clear it takes as long as a tenth of the update.
    let mut kept = None;
    if change.is_some() {
        kept.insert([F::ZERO; BLOCK])[..g.len()].copy_from_slice(arrays.params().p);
    }
    store.apply(run, arrays.cut(0, g.len()), g);
    let wants_difference = arrays.wants_difference();
    let Params { p, average, before, copy } = arrays.params();
    if let Some(after) = &terms.after {
        after.run(tier, p, average);
    }
    if let Some(copy) = copy {
        F::narrowed(tier, p, copy);
    }
    if let (Some([update, params]), Some(kept)) = (change, &mut kept) {
        let kept = &mut kept[..g.len()];
        params.add::<Square, _>(tier, kept);
        tier.run(Subtract { from: p, amount: kept });
        update.add::<Square, _>(tier, kept);
    }
    if wants_difference && let Some(before) = before {
        tier.run(Less { p, before });
    }
}

/// Brings the parameter to where it is written. What is added to an unknown one is what −0 becomes: −0 − x is −x.
fn begin<F: Staged>(arrays: &mut Arrays<'_, F>) {
    let in_place = arrays.in_place();
    let Params { p, before, .. } = arrays.params();
    match before {
        Some(before) => p.copy_from_slice(before),
        None if in_place => {}
        None => p.fill(-F::ZERO),
    }
}

/// p ← p − before
struct Less<'a, F> {
    p: &'a mut [F],
    before: &'a [F],
}

impl<F: Float> Vectorized for Less<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (p, &before) in self.p.iter_mut().zip(self.before) {
            *p = *p - before;
        }
    }
}

/// amount ← from − amount
struct Subtract<'a, F> {
    from: &'a [F],
    amount: &'a mut [F],
}

impl<F: Float> Vectorized for Subtract<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (amount, &from) in self.amount.iter_mut().zip(self.from) {
            *amount = from - *amount;
        }
    }
}

/// Adds what a piece has to add to the sums of the dry run that its terms ask for; the parameter is brought to where it will be
/// written, and nothing else is.
pub(crate) fn measure(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>, sums: &mut [Lanes; 2]) {
    match (piece.dtype(), piece.format()) {
        _ if terms.kernel.sums().is_none() => {}
        (Dtype::F32, Format::Whole) => measure_in::<f32, _>(hands, terms, piece, Plain, sums),
        (Dtype::F64, _) => measure_in::<f64, _>(hands, terms, piece, Plain, sums),
        (Dtype::F32, format) => {
            let store = Narrow::new(format, terms.noise, piece.tensor());
            measure_in(hands, terms, piece, store, sums);
        }
    }
}

fn measure_in<F: Staged, S: Store<F>>(
    hands: Hands<'_>,
    terms: &Terms,
    piece: &mut Piece<'_>,
    mut store: S,
    sums: &mut [Lanes; 2],
) {
    let (mut arrays, intake) = piece.lend::<F>();
    let (run, cut) = (terms.run(hands.tier), (arrays.len(), store.in_blocks()));
    stretches(hands, intake, terms.clamp, cut, &mut |at, g| {
        for (i, g) in g.chunks(BLOCK).enumerate() {
            let mut arrays = arrays.cut(at + i * BLOCK, g.len());
            begin(&mut arrays);
            store.measure(run, arrays, g, sums);
        }
    });
}
