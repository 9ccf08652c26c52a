//! The gradient on its way to the rule: brought into the order and the dtype of its parameter, added to what was
//! accumulated, scaled and limited, a block in the first cache at a time.

use crate::floats::Float;
use crate::gather::panels;
use crate::loops::BLOCK;
use crate::machine::prefetch::{LONG, ask};
use crate::machine::simd::{Tier, Vectorized};
use crate::memory::{Intake, Scattered, Source, Values};
use crate::scratch::{Scratch, Scratches};
use crate::staged::{Fetched, Staged};

/// What all stages of a pass have at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hands<'a> {
    pub(crate) tier: Tier,
    pub(crate) scratches: &'a Scratches,
    pub(crate) worker: usize,
}

/// g ← clamp(scale·g, ±limit)
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clamp {
    pub(crate) scale: f64,
    pub(crate) limit: f64,
}

/// Calls `work(at, g)` with one stretch of the gradient after another, in the order and the dtype of its
/// parameter, added to what was accumulated, and where `clamp` is given, scaled and limited. What is converted, added to or
/// limited comes `block` elements at a time, at most [`LONG_BLOCK`](crate::loops::LONG_BLOCK); rows come at most
/// [`BLOCK`] at a time, and what only lay in another order a panel.
#[inline]
pub(crate) fn gradient<F: Staged>(
    hands: Hands<'_>,
    intake: Intake<'_, F>,
    clamp: Option<Clamp>,
    block: usize,
    work: &mut dyn FnMut(usize, &[F]),
) {
    if clamp.is_none()
        && intake.accumulated.is_none()
        && let Some(Values::Same(g)) = F::values(intake.source)
    {
        return work(0, g);
    }
    let Intake { source, accumulated } = intake;
    let stage = Stage { tier: hands.tier, accumulated, clamp, block };
    stage.bring(source, &mut hands.scratches.of(hands.worker), work);
}

/// What is done to a gradient before it is used.
struct Stage<'a, F> {
    tier: Tier,
    accumulated: Option<&'a [F]>,
    clamp: Option<Clamp>,
    block: usize,
}

impl<F: Staged> Stage<'_, F> {
    #[inline(never)] // so that it is there once for each dtype
    fn bring(&self, source: Source<'_>, scratch: &mut Scratch, work: &mut dyn FnMut(usize, &[F])) {
        match source {
            Source::Single(values) => self.run(values, scratch, work),
            Source::Double(values) => self.run(values, scratch, work),
            Source::Bfloat16(values) => self.run(values, scratch, work),
            Source::Float16(values) => self.run(values, scratch, work),
        }
    }

    fn run<G: Fetched>(
        &self,
        values: Values<'_, G>,
        scratch: &mut Scratch,
        work: &mut dyn FnMut(usize, &[F]),
    ) {
        let Scratch { rows, panels: memory } = scratch;
        let mut dense = |at: usize, g: &[G]| self.dense(at, g, F::of(rows), work);
        match values {
            Values::Same(g) => dense(0, g),
            Values::Strided(from) => panels(self.tier, &from, G::panel(memory), dense),
            Values::Scattered(from) => self.scattered(&from, F::of(rows), work),
        }
    }

    /// For rows that may have several values: they are added up in order of appearance, in the dtype of the parameter.
    fn scattered<G: Fetched>(
        &self,
        from: &Scattered<'_, G>,
        memory: &mut [F],
        work: &mut dyn FnMut(usize, &[F]),
    ) {
        let Self { tier, accumulated, clamp, .. } = *self;
        assert!(accumulated.is_none(), "rows are not accumulated");
        let (scale, limit) = clamp.map_or((1.0, f64::INFINITY), |Clamp { scale, limit }| (scale, limit));
        let (scale, limit) = (F::from_f64(scale), F::from_f64(limit));
        let width = from.width();
        // Either some short rows, or a part of a long one after the other.
        for at in (0..width).step_by(BLOCK) {
            let len = BLOCK.min(width - at);
            let mut filled = 0;
            for mut values in from.rows() {
                let row = &mut memory[filled..filled + len];
                let first = values.next().unwrap_or_default();
                tier.run(Fetch::<F, G, false, false> {
                    g: &first[at..at + len],
                    sum: &[],
                    scale,
                    limit,
                    row,
                });
                for g in values {
                    tier.run(Add { g: &g[at..at + len], sum: row });
                }
                filled += len;
            }
            let row = &mut memory[..filled];
            if clamp.is_some() {
                tier.run(Hold { scale, limit, row });
            }
            work(at, row);
        }
    }

    /// For a stretch that lies as the parameter does.
    fn dense<G: Fetched>(&self, at: usize, g: &[G], rows: &mut [F], work: &mut dyn FnMut(usize, &[F])) {
        let Self { tier, accumulated, clamp, block } = *self;
        if clamp.is_none()
            && accumulated.is_none()
            && let Some(g) = G::as_they_are::<F>(g)
        {
            return work(at, g);
        }
        let long = g.len() >= LONG;
        for (i, g) in g.chunks(block).enumerate() {
            if long {
                ask(g, block, block);
            }
            let at = at + i * block;
            let row = &mut rows[..g.len()];
            let sum = accumulated.map_or(&[][..], |sum| &sum[at..at + g.len()]);
            let Clamp { scale, limit } = clamp.unwrap_or(Clamp { scale: 1.0, limit: f64::INFINITY });
            let (scale, limit) = (F::from_f64(scale), F::from_f64(limit));
            match (accumulated.is_some(), clamp.is_some()) {
                (false, false) => tier.run(Fetch::<F, G, false, false> { g, sum, scale, limit, row }),
                (false, true) => tier.run(Fetch::<F, G, false, true> { g, sum, scale, limit, row }),
                (true, false) => tier.run(Fetch::<F, G, true, false> { g, sum, scale, limit, row }),
                (true, true) => tier.run(Fetch::<F, G, true, true> { g, sum, scale, limit, row }),
            }
            work(at, &rows[..g.len()]);
        }
    }
}

/// row ← clamp(scale·(sum + g), ±limit), g having first been rounded to the dtype of the row. `ADD`: whether there is
/// a sum; `CLAMP`: whether there is a limit, and the scale is not left to the loop.
struct Fetch<'a, F, G, const ADD: bool, const CLAMP: bool> {
    g: &'a [G],
    sum: &'a [F],
    scale: F,
    limit: F,
    row: &'a mut [F],
}

impl<F: Float, G: Fetched, const ADD: bool, const CLAMP: bool> Vectorized for Fetch<'_, F, G, ADD, CLAMP> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { g, sum, scale, limit, row } = self;
        let n = row.len();
        assert!(g.len() == n && (!ADD || sum.len() == n));
        for i in 0..n {
            let g = F::from_f64(g[i].widened());
            let g = if ADD { sum[i] + g } else { g };
            row[i] = if CLAMP { (g * scale).held(limit) } else { g };
        }
    }
}

/// sum ← g, or sum ← sum + g.
pub(crate) fn accumulate<F: Staged>(hands: Hands<'_>, sum: &mut [F], source: Source<'_>, adds: bool) {
    gradient(hands, Intake { source, accumulated: None }, None, BLOCK, &mut |at, g: &[F]| {
        let sum = &mut sum[at..at + g.len()];
        if adds { hands.tier.run(Add { g, sum }) } else { sum.copy_from_slice(g) }
    });
}

struct Add<'a, F, G> {
    g: &'a [G],
    sum: &'a mut [F],
}

impl<F: Float, G: Fetched> Vectorized for Add<'_, F, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (sum, &g) in self.sum.iter_mut().zip(self.g) {
            *sum = *sum + F::from_f64(g.widened());
        }
    }
}

/// row ← clamp(scale·row, ±limit)
struct Hold<'a, F> {
    scale: F,
    limit: F,
    row: &'a mut [F],
}

impl<F: Float> Vectorized for Hold<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { scale, limit, row } = self;
        for x in row {
            *x = (*x * scale).held(limit);
        }
    }
}
