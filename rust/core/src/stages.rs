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

/// Updates a piece under its terms. Returns the sums of the squares of what was added to the parameter and of what it
/// was before, if that is wanted.
#[inline]
pub(crate) fn update(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>, wants_change: bool) -> [f64; 2] {
    if terms.clamp.is_none()
        && terms.after.is_none()
        && !wants_change
        && let Some(mut block) = piece.plain()
    {
        terms.kernel.apply(hands.tier, &terms.numbers, &mut block);
        return [0.0; 2];
    }
    update_by_stages(hands, terms, piece, wants_change)
}

#[inline(never)]
fn update_by_stages(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>, wants_change: bool) -> [f64; 2] {
    match (piece.dtype(), piece.format()) {
        (Dtype::F32, Format::Whole) => update_in::<f32, _>(hands, terms, piece, Plain, wants_change),
        (Dtype::F64, _) => update_in::<f64, _>(hands, terms, piece, Plain, wants_change),
        (Dtype::F32, format) => {
            let store = Narrow::new(format, terms.noise, piece.tensor());
            update_in(hands, terms, piece, store, wants_change)
        }
    }
}

#[inline(always)]
fn update_in<F: Staged, S: Store<F>>(
    hands: Hands<'_>,
    terms: &Terms,
    piece: &mut Piece<'_>,
    mut store: S,
    wants_change: bool,
) -> [f64; 2] {
    let (mut arrays, intake) = piece.lend::<F>();
    let (run, cut) = (terms.run(hands.tier), (arrays.len(), store.in_blocks()));
    if arrays.in_place() && terms.after.is_none() && !wants_change && !arrays.is_copied() {
        stretches(hands, intake, terms.clamp, cut, |at, g| {
            store.apply(run, arrays.cut(at, g.len()), g);
        });
        return [0.0; 2];
    }
    let mut change = wants_change.then(Change::new);
    let block = block_of(cut.1);
    stretches(hands, intake, terms.clamp, cut, |at, g| {
        for (i, g) in g.chunks(block).enumerate() {
            update_block(run, terms, &mut store, arrays.cut(at + i * block, g.len()), g, &mut change);
        }
    });
    change.map_or([0.0; 2], |change| change.sums.map(Lanes::fold))
}

/// Calls `work(at, g)` with one stretch of the gradient after another, cut where blocks begin if state is in them.
#[inline(always)]
fn stretches<F: Staged>(
    hands: Hands<'_>,
    intake: Intake<'_, F>,
    clamp: Option<Clamp>,
    (len, in_blocks): (usize, bool),
    mut work: impl FnMut(usize, &[F]),
) {
    const { assert!(BLOCK.is_multiple_of(float8::BLOCK) && LONG_BLOCK.is_multiple_of(float8::BLOCK)) };
    let block = block_of(in_blocks);
    if !in_blocks {
        return gradient(hands, intake, clamp, block, &mut work);
    }
    let mut aligned = Aligned::<F, _, { float8::BLOCK }>::new(len, F::ZERO, work);
    gradient(hands, intake, clamp, block, &mut |at, g| aligned.push(at, g));
}

/// How many elements are gone through at a time: more where state is in blocks, as to begin with them and to end takes
/// what two hundred elements take.
fn block_of(in_blocks: bool) -> usize {
    if in_blocks { LONG_BLOCK } else { BLOCK }
}

/// What is told of an update: the sums of the squares of what was added to the parameter, and of what it was before.
struct Change<F> {
    before: [F; LONG_BLOCK],
    sums: [Lanes; 2],
}

impl<F: Float> Change<F> {
    fn new() -> Self {
        Self { before: [F::ZERO; LONG_BLOCK], sums: [Lanes::ZERO; 2] }
    }
}

fn update_block<F: Staged>(
    run: Run<'_>,
    terms: &Terms,
    store: &mut impl Store<F>,
    mut arrays: Arrays<'_, F>,
    g: &[F],
    change: &mut Option<Change<F>>,
) {
    let tier = run.tier;
    begin(&mut arrays);
    if let Some(change) = change {
        change.before[..g.len()].copy_from_slice(arrays.params().p);
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
    if let Some(Change { before, sums: [update, params] }) = change {
        let before = &mut before[..g.len()];
        params.add::<Square, _>(tier, before);
        tier.run(Subtract { from: p, amount: before });
        update.add::<Square, _>(tier, before);
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

/// What a piece adds to the sums of the dry run that its terms ask for; the parameter is brought to where it will be
/// written, and nothing else is.
pub(crate) fn measure(hands: Hands<'_>, terms: &Terms, piece: &mut Piece<'_>) -> [f64; 2] {
    match (piece.dtype(), piece.format()) {
        _ if terms.kernel.sums().is_none() => [0.0; 2],
        (Dtype::F32, Format::Whole) => measure_in::<f32, _>(hands, terms, piece, Plain),
        (Dtype::F64, _) => measure_in::<f64, _>(hands, terms, piece, Plain),
        (Dtype::F32, format) => {
            let store = Narrow::new(format, terms.noise, piece.tensor());
            measure_in(hands, terms, piece, store)
        }
    }
}

fn measure_in<F: Staged, S: Store<F>>(
    hands: Hands<'_>,
    terms: &Terms,
    piece: &mut Piece<'_>,
    mut store: S,
) -> [f64; 2] {
    let mut sums = [Lanes::ZERO; 2];
    let (mut arrays, intake) = piece.lend::<F>();
    let (run, cut) = (terms.run(hands.tier), (arrays.len(), store.in_blocks()));
    stretches(hands, intake, terms.clamp, cut, |at, g| {
        for (i, g) in g.chunks(BLOCK).enumerate() {
            let mut arrays = arrays.cut(at + i * BLOCK, g.len());
            begin(&mut arrays);
            store.measure(run, arrays, g, &mut sums);
        }
    });
    sums.map(Lanes::fold)
}
