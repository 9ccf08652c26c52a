//! The norm's pass over gradients in either dtype and any order: each chunk has the sum of its own elements.

use super::*;
use crate::machine::simd::Tier;
use crate::passes::Pass;
use crate::plans::CHUNK;
use crate::scratch::Scratches;
use crate::sums::Partials;

const ROWS: usize = 700;
const COLUMNS: usize = 101;
const LEN: usize = ROWS * COLUMNS;

/// Small integers, of whose squares every sum is exact.
fn element(i: usize) -> f64 {
    (i * 7919 % 11) as f64 - 5.0
}

/// The elements in an order, and where the first one lies; around them is what must not be read.
fn laid_out<G: From<f32>>(order: Order) -> (Vec<G>, usize) {
    let (low, high) = order.reach(LEN);
    let first = (3 - low) as usize;
    let mut memory: Vec<G> = (0..first + high as usize + 4).map(|_| G::from(f32::NAN)).collect();
    for i in 0..LEN {
        let at = match order {
            Order::Same => i as isize,
            Order::Strided { columns, row, column } => {
                (i / columns) as isize * row + (i % columns) as isize * column
            }
            Order::Rows { .. } => unreachable!("not among these"),
        };
        memory[first.wrapping_add_signed(at)] = G::from(element(i) as f32);
    }
    (memory, first)
}

fn orders() -> [Order; 5] {
    let (rows, columns) = (ROWS as isize, COLUMNS as isize);
    let strided = |row, column| Order::Strided { columns: COLUMNS, row, column };
    [Order::Same, strided(1, rows), strided(-1, rows + 2), strided(columns + 1, 1), strided(-2 * columns, -2)]
}

#[test]
fn each_chunk_has_the_sum_of_its_own_squares() {
    // Of a gradient's elements only the length and the dtype of the parameter count.
    let (mut single, mut double) = (vec![0_f32; LEN], vec![0_f64; LEN]);
    let tensors = [
        Tensor::new(Dtype::F32, LEN, single.as_mut_ptr().cast()),
        Tensor::new(Dtype::F64, LEN, double.as_mut_ptr().cast()),
        Tensor::new(Dtype::F32, 0, std::ptr::dangling_mut::<f32>().cast()),
    ];
    let plan = Plan::new(tensors.iter().map(|tensor| tensor.len)).unwrap();
    let wanted = (0..LEN)
        .step_by(CHUNK)
        .map(|at| (at..LEN.min(at + CHUNK)).map(|i| element(i) * element(i)).sum::<f64>());
    let wanted: Vec<_> = wanted.clone().chain(wanted).collect();
    for order in orders() {
        let (singles, first) = laid_out::<f32>(order);
        let (doubles, _) = laid_out::<f64>(order);
        for swapped in [false, true] {
            let gradients = [swapped, !swapped, false].into_iter().enumerate().map(|(tensor, is_double)| {
                let (dtype, data) = if is_double {
                    (Dtype::F64, doubles.as_ptr().wrapping_add(first).cast())
                } else {
                    (Dtype::F32, singles.as_ptr().wrapping_add(first).cast())
                };
                Gradient { dtype: dtype.into(), data, order, ..Gradient::unknown(tensor, 0) }
            });
            let gradients: Vec<_> = gradients.collect();
            for (tier, workers) in Tier::supported().into_iter().flat_map(|tier| [(tier, 1), (tier, 3)]) {
                let (mut scratches, mut partials) = (Scratches::default(), Partials::default());
                scratches.reserve(workers, true).unwrap();
                partials.reserve(plan.chunks()).unwrap();
                // SAFETY: the vectors live longer than this, nobody else uses them, and they have the elements.
                let mut tensors = unsafe { Tensors::new(&tensors, &gradients, &[]) };
                let pass = Pass { tier, workers, plan: &plan, scratches: &scratches };
                pass.squares(&mut tensors, &partials);
                let found: Vec<_> =
                    (0..plan.chunks()).map(|chunk| partials.total(chunk..chunk + 1)[0]).collect();
                assert_eq!(found, wanted, "{order:?} {tier} {workers} {swapped}");
            }
        }
    }
}
