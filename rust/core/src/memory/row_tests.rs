//! Passes over gradients that have rows: as over a dense gradient of just these rows.

use crate::dtypes::Dtype;
use crate::floats::Float;
use crate::machine::simd::Tier;
use crate::memory::{Gradient, Order, Stored, Tensor, Tensors, Whole};
use crate::numbers::{Factors, Rounded};
use crate::passes::Pass;
use crate::plans::{CHUNK, Extent, Plan};
use crate::rows::Table;
use crate::rules;
use crate::scratch::Scratches;
use crate::spec::Options;
use crate::stages::{Around, Terms};
use crate::sums::Partials;

const HYPERS: [f64; 4] = [0.9, 0.2, 0.0, 0.0];
const LR: f64 = 0.1;
const SCALE: f64 = 0.3;

/// An array of rows with a state slot, and values for some of its rows.
struct Case<F, G> {
    rows: usize,
    width: usize,
    indices: Vec<i64>,
    /// From one value to the next.
    apart: isize,
    p: Vec<F>,
    b: Vec<F>,
    /// All values, and where the first one begins.
    memory: Vec<G>,
    first: usize,
}

fn wave<F: Float>(i: usize, phase: f64) -> F {
    F::from_f64((i as f64 * 0.37 + phase).sin())
}

impl<F: Float + Stored, G: Float + Stored> Case<F, G> {
    fn new(rows: usize, width: usize, apart: isize, indices: Vec<i64>) -> Self {
        let p = (0..rows * width).map(|i| wave(i, 0.1)).collect();
        let b = (0..rows * width).map(|i| wave(i, 0.2)).collect();
        let reach = apart.unsigned_abs() * indices.len() + width;
        let first = if apart < 0 { reach } else { 0 };
        Self {
            rows,
            width,
            apart,
            p,
            b,
            memory: (0..2 * reach).map(|i| wave(i, 0.3)).collect(),
            first,
            indices,
        }
    }

    fn row(&self, index: i64) -> usize {
        if index < 0 { (index + self.rows as i64) as usize } else { index as usize }
    }

    /// The gradient of a row: its values, rounded, added up in order of appearance.
    fn gradient(&self, row: usize) -> Option<Vec<F>> {
        let own = (0..self.indices.len()).filter(|&i| self.row(self.indices[i]) == row).map(|i| {
            let start = self.first.wrapping_add_signed(i as isize * self.apart);
            self.memory[start..start + self.width].iter().map(|g| F::from_f64(g.to_f64())).collect::<Vec<_>>()
        });
        own.reduce(|sum, g| sum.into_iter().zip(g).map(|(a, b)| a + b).collect())
    }

    /// What a dense step makes of each row by itself, limited like the pass.
    fn expected(&self, limit: f64) -> (Vec<F>, Vec<F>) {
        let (mut p, mut b) = (self.p.clone(), self.b.clone());
        let spec = rules::named("sgd").unwrap();
        let kernel = (spec.build)(&Options { spec, constants: &HYPERS.map(Some) }).unwrap();
        let mut numbers = Rounded::NEUTRAL;
        kernel.prepare(&HYPERS, LR, 3, &mut numbers);
        numbers.set_factors(Factors { scale: 1.0, decay: 0.0, shrink: 1.0 });
        for row in 0..self.rows {
            let Some(mut g) = self.gradient(row) else { continue };
            for g in &mut g {
                *g = (*g * F::from_f64(SCALE)).held(F::from_f64(limit));
            }
            let own = row * self.width..(row + 1) * self.width;
            let mut tensor = Whole::new(&mut p[own.clone()], [&mut b[own]]);
            kernel.apply(Tier::BASELINE, &numbers, &mut F::block(tensor.arrays().with(&g)));
        }
        (p, b)
    }

    fn found(&self, tier: Tier, workers: usize, limit: f64) -> (Vec<F>, Vec<F>, [f64; 3]) {
        self.found_by(|count| Extent::Rows { count, width: self.width }, tier, workers, limit)
    }

    /// What the pass over that extent makes of it, and the sums of squares of g and of the update.
    fn found_by(
        &self,
        extent: impl Fn(usize) -> Extent,
        tier: Tier,
        workers: usize,
        limit: f64,
    ) -> (Vec<F>, Vec<F>, [f64; 3]) {
        let (mut p, mut b) = (self.p.clone(), self.b.clone());
        let mut table = [Table::default()];
        table[0].set(self.rows, self.width, self.indices.iter().copied()).unwrap();
        let mut tensor = Tensor::new(F::DTYPE, p.len(), p.as_mut_ptr().cast());
        (tensor.state[0], tensor.slots) = (b.as_mut_ptr().cast(), 1);
        let gradient = Gradient {
            dtype: G::DTYPE.into(),
            data: self.memory.as_ptr().wrapping_add(self.first).cast(),
            order: Order::Rows { table: 0, apart: self.apart },
            ..Gradient::unknown(0, 0)
        };
        let spec = rules::named("sgd").unwrap();
        let mut terms =
            [Terms::new((spec.build)(&Options { spec, constants: &HYPERS.map(Some) }).unwrap(), 0)];
        let factors = Factors { scale: SCALE, decay: 0.0, shrink: 1.0 };
        terms[0].prepare(&HYPERS, LR, 3, Around { factors, limit, after: None });
        let mut plan = Plan::default();
        plan.set([extent(table[0].count())].into_iter()).unwrap();
        let (mut scratches, mut squares, mut changes) =
            (Scratches::default(), Partials::default(), Partials::default());
        scratches.reserve(workers, false).unwrap();
        squares.reserve(plan.chunks()).unwrap();
        changes.reserve(plan.chunks()).unwrap();
        let pass = Pass { tier, workers, plan: &plan, scratches: &scratches };
        // SAFETY: the vectors live longer than this, nobody else uses them, and they have the elements.
        let mut tensors =
            unsafe { Tensors::new(std::slice::from_ref(&tensor), std::slice::from_ref(&gradient), &table) };
        pass.squares(&mut tensors, &squares);
        pass.write(&mut tensors, &terms, Some(&changes));
        let [of_g] = squares.total(0..plan.chunks());
        let [update, params] = changes.total(0..plan.chunks());
        (p, b, [of_g, update, params])
    }
}

fn bits<F: Float>(values: &[F]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn square<F: Float>(values: impl IntoIterator<Item = F>) -> f64 {
    values.into_iter().map(|x| x.to_f64() * x.to_f64()).sum()
}

fn check<F: Float + Stored, G: Float + Stored>(rows: usize, width: usize, apart: isize, indices: Vec<i64>) {
    let case = Case::<F, G>::new(rows, width, apart, indices);
    for limit in [f64::INFINITY, 0.2] {
        let (p, b) = case.expected(limit);
        let touched: Vec<_> = (0..rows).filter(|&row| case.gradient(row).is_some()).collect();
        let own = |row: &usize| row * width..(row + 1) * width;
        let wanted = [
            touched.iter().map(|&row| square(case.gradient(row).unwrap())).sum::<f64>(),
            touched.iter().flat_map(own).map(|i| square([p[i] - case.p[i]])).sum(),
            touched.iter().flat_map(own).map(|i| square([case.p[i]])).sum(),
        ];
        let (_, _, sums) = case.found(Tier::BASELINE, 1, limit);
        for (sum, wanted) in sums.into_iter().zip(wanted) {
            assert!((sum - wanted).abs() <= 1e-12 * wanted, "{sum} {wanted}");
        }
        for (tier, workers) in Tier::supported().into_iter().flat_map(|tier| [1, 3].map(|n| (tier, n))) {
            let (found_p, found_b, found) = case.found(tier, workers, limit);
            assert_eq!(bits(&found_p), bits(&p), "{rows} {width} {apart} {limit} {tier} {workers}");
            assert_eq!(bits(&found_b), bits(&b));
            assert_eq!(found.map(f64::to_bits), sums.map(f64::to_bits), "{tier} {workers}");
        }
    }
}

#[test]
#[should_panic(expected = "a short row is cut")]
fn a_plan_of_the_elements_does_not_cut_short_rows() {
    let case = Case::<f32, f32>::new(20_000, 3, 3, (0..20_000).rev().collect());
    case.found_by(|count| Extent::Whole(3 * count), Tier::BASELINE, 1, f64::INFINITY);
}

#[test]
fn rows_are_updated_as_if_they_were_all_there_is() {
    assert_eq!((f32::DTYPE, f64::DTYPE), (Dtype::F32, Dtype::F64));
    let mixed = |rows: i64, n: i64| (0..n).map(|i| i * 7919 % rows - (i % 3) * rows / 3).collect::<Vec<_>>();
    for (rows, width) in [(1, 1), (7, 1), (50, 3), (150, 64), (9, 513), (70, 100)] {
        let own = width as isize;
        for apart in [own, own + 5, 0, -own] {
            check::<f32, f32>(rows, width, apart, vec![]);
            check::<f32, f32>(rows, width, apart, vec![0]);
            check::<f32, f32>(rows, width, apart, (0..rows as i64).collect());
            check::<f32, f64>(rows, width, apart, mixed(rows as i64, 40));
            check::<f64, f64>(rows, width, apart, mixed(rows as i64, 2 * rows as i64));
        }
    }
    // Rows of more than a chunk, cut inside.
    let wide = CHUNK as isize + 3;
    check::<f32, f32>(5, CHUNK + 3, wide, vec![4, 1, 2, 4, 0]);
    check::<f64, f32>(5, CHUNK + 3, -wide, vec![1, 2, 3]);
    check::<f32, f32>(5, CHUNK / 2, wide, vec![4, 1, 2, 3]);
}
