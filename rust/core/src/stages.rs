//! What a step does to a stretch of one tensor: the loop, and before it the stages that are not in the loop, a
//! block in the first cache at a time.
//!
//! The order of all that happens to an element is part of the contract:
//!   gather and convert g → scale → clamp → coupled decay → shrink p → rule → step

use crate::dtypes::Dtype;
use crate::floats::Float;
use crate::gather::{PANEL, panels};
use crate::kernel::{BLOCK, Factors, Kernel, Rounded};
use crate::machine::simd::{Tier, Vectorized};
use crate::machine::tiles::Turn;
use crate::memory::{Piece, Source, Stored, Values};
use crate::sums::Lanes;
use std::collections::TryReserveError;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What happens to a tensor at a step, besides the numbers that it holds.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    kernel: &'static dyn Kernel,
    numbers: Rounded,
    clamp: Option<Clamp>,
}

/// g ← clamp(scale·g, ±limit)
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clamp {
    scale: f64,
    limit: f64,
}

impl Terms {
    pub fn new(kernel: &'static dyn Kernel) -> Self {
        Self { kernel, numbers: Rounded::NEUTRAL, clamp: None }
    }

    /// Those of update number `t`: the rule's own hyperparameters, what it remembers, and its rate, what the loop does around it, and the
    /// largest magnitude of a gradient's element, after scaling.
    pub fn prepare(&mut self, values: &[f64], lr: f64, t: u64, mut factors: Factors<f64>, limit: f64) {
        self.clamp = (limit < f64::INFINITY).then_some(Clamp { scale: factors.scale, limit });
        if self.clamp.is_some() {
            // Scaled before it is clamped, and not again in the loop.
            factors.scale = 1.0;
        }
        self.numbers.set_factors(factors);
        self.kernel.prepare(values, lr, t, &mut self.numbers);
    }
}

/// Updates a piece under its terms.
pub(crate) fn update(tier: Tier, terms: &Terms, piece: Piece<'_>, scratches: &Scratches, worker: usize) {
    match piece.dtype() {
        Dtype::F32 => update_in::<f32>(tier, terms, piece, scratches, worker),
        Dtype::F64 => update_in::<f64>(tier, terms, piece, scratches, worker),
    }
}

#[inline(always)]
fn update_in<F: Staged>(
    tier: Tier,
    terms: &Terms,
    mut piece: Piece<'_>,
    scratches: &Scratches,
    worker: usize,
) {
    let (mut arrays, source) = piece.lend::<F>();
    gradient(tier, source, terms.clamp, scratches, worker, |at, g| {
        let streams = arrays.cut(at, g.len()).with(g);
        terms.kernel.apply(tier, &terms.numbers, &mut F::block(streams));
    });
}

/// What a piece adds to the sums of the dry run that its terms ask for; nothing is written.
pub(crate) fn measure(
    tier: Tier,
    terms: &Terms,
    piece: Piece<'_>,
    scratches: &Scratches,
    worker: usize,
) -> [f64; 2] {
    match piece.dtype() {
        _ if terms.kernel.sums().is_none() => [0.0; 2],
        Dtype::F32 => measure_in::<f32>(tier, terms, piece, scratches, worker),
        Dtype::F64 => measure_in::<f64>(tier, terms, piece, scratches, worker),
    }
}

fn measure_in<F: Staged>(
    tier: Tier,
    terms: &Terms,
    mut piece: Piece<'_>,
    scratches: &Scratches,
    worker: usize,
) -> [f64; 2] {
    let mut sums = [Lanes::ZERO; 2];
    let (mut arrays, source) = piece.lend::<F>();
    gradient(tier, source, terms.clamp, scratches, worker, |at, g| {
        let streams = arrays.cut(at, g.len()).with(g);
        terms.kernel.measure(tier, &terms.numbers, &mut F::block(streams), &mut sums);
    });
    sums.map(Lanes::fold)
}

/// Calls `work(at, g)` with one stretch of the gradient after another, in the order and the dtype of its
/// parameter, and where `clamp` is given, scaled and limited.
pub(crate) fn gradient<F: Staged>(
    tier: Tier,
    source: Source<'_>,
    clamp: Option<Clamp>,
    scratches: &Scratches,
    worker: usize,
    mut work: impl FnMut(usize, &[F]),
) {
    if clamp.is_none()
        && let Some(Values::Same(g)) = F::values(source)
    {
        return work(0, g);
    }
    let mut scratch = scratches.of(worker);
    match source {
        Source::Single(values) => staged(tier, values, clamp, &mut scratch, &mut work),
        Source::Double(values) => staged(tier, values, clamp, &mut scratch, &mut work),
    }
}

fn staged<F: Staged, G: Staged>(
    tier: Tier,
    values: Values<'_, G>,
    clamp: Option<Clamp>,
    scratch: &mut Scratch,
    work: &mut impl FnMut(usize, &[F]),
) {
    let Scratch { rows, panels: memory } = scratch;
    let mut dense = |at: usize, g: &[G]| {
        if clamp.is_none()
            && let Some(Values::Same(g)) = F::values(G::source(Values::Same(g)))
        {
            return work(at, g);
        }
        for (i, g) in g.chunks(BLOCK).enumerate() {
            let row = &mut F::of(rows)[..g.len()];
            match clamp {
                None => tier.run(Convert { g, row }),
                Some(Clamp { scale, limit }) => {
                    tier.run(Limited { g, scale: F::from_f64(scale), limit: F::from_f64(limit), row });
                }
            }
            work(at + i * BLOCK, &F::of(rows)[..g.len()]);
        }
    };
    match values {
        Values::Same(g) => dense(0, g),
        Values::Strided(from) => panels(tier, &from, G::of(memory), dense),
    }
}

/// row ← g, rounded to the dtype of the row.
struct Convert<'a, F, G> {
    g: &'a [G],
    row: &'a mut [F],
}

impl<F: Float, G: Float> Vectorized for Convert<'_, F, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, &g) in self.row.iter_mut().zip(self.g) {
            *row = F::from_f64(g.to_f64());
        }
    }
}

/// row ← clamp(scale·g, ±limit), g having first been rounded to the dtype of the row.
struct Limited<'a, F, G> {
    g: &'a [G],
    scale: F,
    limit: F,
    row: &'a mut [F],
}

impl<F: Float, G: Float> Vectorized for Limited<'_, F, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (row, &g) in self.row.iter_mut().zip(self.g) {
            *row = (F::from_f64(g.to_f64()) * self.scale).held(self.limit);
        }
    }
}

/// Memory for gradients that are not read where they are, for each worker.
#[derive(Debug, Default)]
pub struct Scratches(Vec<Mutex<Scratch>>);

#[derive(Debug, Default)]
struct Scratch {
    rows: Memory,
    panels: Memory,
}

/// So many elements of each dtype.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    single: Vec<f32>,
    double: Vec<f64>,
}

impl Scratches {
    /// Makes room for so many workers; `strided` is for gradients in another memory order.
    pub fn reserve(&mut self, workers: usize, strided: bool) -> Result<(), TryReserveError> {
        self.0.try_reserve(workers.saturating_sub(self.0.len()))?;
        while self.0.len() < workers {
            self.0.push(Mutex::default());
        }
        for scratch in &mut self.0[..workers] {
            let Scratch { rows, panels } = scratch.get_mut().unwrap_or_else(PoisonError::into_inner);
            rows.reserve(BLOCK)?;
            panels.reserve(if strided { PANEL } else { 0 })?;
        }
        Ok(())
    }

    /// That of a worker, which nobody else asks for while it works.
    fn of(&self, worker: usize) -> MutexGuard<'_, Scratch> {
        self.0[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn reserve(&mut self, len: usize) -> Result<(), TryReserveError> {
        fill(&mut self.single, len)?;
        fill(&mut self.double, len)
    }
}

fn fill<F: Float>(memory: &mut Vec<F>, len: usize) -> Result<(), TryReserveError> {
    memory.try_reserve_exact(len.saturating_sub(memory.len()))?;
    memory.resize(len.max(memory.len()), F::ZERO);
    Ok(())
}

/// A dtype that is computed in, with its part of the scratch memory.
pub(crate) trait Staged: Float + Stored + Turn {
    fn of(memory: &mut Memory) -> &mut [Self];
}

impl Staged for f32 {
    fn of(memory: &mut Memory) -> &mut [Self] {
        &mut memory.single
    }
}

impl Staged for f64 {
    fn of(memory: &mut Memory) -> &mut [Self] {
        &mut memory.double
    }
}
