//! A kernel against its formula, written once more: every tier, both dtypes, all that the loop does around a rule.

use gradstep_core::floats::Float;
use gradstep_core::kernel::Kernel;
use gradstep_core::machine::simd::Tier;
use gradstep_core::memory::{Stored, Whole};
use gradstep_core::numbers::{Factors, Rounded};
use gradstep_core::rules;
use gradstep_core::spec::Options;
use gradstep_core::sums::Lanes;

/// Less than a register, more than a block, and what is left over of both; and long enough to ask for what is ahead.
const LENGTHS: [usize; 6] = [0, 1, 7, 512, 1003, 4203];

const NEUTRAL: Factors<f64> = Factors { scale: 1.0, decay: 0.0, shrink: 1.0 };

fn factors() -> [Factors<f64>; 5] {
    [
        NEUTRAL,
        Factors { scale: 0.3, ..NEUTRAL },
        Factors { decay: 0.3, ..NEUTRAL },
        Factors { shrink: 0.3, ..NEUTRAL },
        Factors { scale: 0.3, decay: 0.7, shrink: 0.9 },
    ]
}

fn kernel(name: &str, hypers: &[f64]) -> &'static dyn Kernel {
    let spec = rules::named(name).unwrap();
    let constants: Vec<_> = hypers.iter().copied().map(Some).collect();
    (spec.build)(&Options { spec, constants: &constants[..spec.hypers.len()] }).unwrap()
}

fn waves<F: Float>(len: usize, phase: f64) -> Vec<F> {
    (0..len).map(|i| F::from_f64((i as f64 * 0.37 + phase).sin())).collect()
}

fn bits<F: Float>(values: &[F]) -> Vec<u64> {
    values.iter().map(|x| x.to_f64().to_bits()).collect()
}

/// SGD with momentum, at its third update.
fn momentum<F: Float + Stored>() {
    let (hypers, lr) = ([0.9, 0.2, 0.0, 0.0], 0.1);
    let kernel = kernel("sgd", &hypers);
    assert_eq!(kernel.slots().iter().map(|slot| slot.name).collect::<Vec<_>>(), ["momentum_buffer"]);
    let [mu, share, rate] = [0.9, 1.0 - 0.2, lr].map(F::from_f64);
    for factors in factors() {
        let mut numbers = Rounded::NEUTRAL;
        numbers.set_factors(factors);
        kernel.prepare(&hypers, lr, 2, &mut numbers);
        let [scale, decay, shrink] = [factors.scale, factors.decay, factors.shrink].map(F::from_f64);
        for (tier, len) in Tier::supported().into_iter().flat_map(|tier| LENGTHS.map(|len| (tier, len))) {
            let (g, p, b) = (waves::<F>(len, 0.1), waves::<F>(len, 0.2), waves::<F>(len, 0.3));
            let (mut new_p, mut new_b) = (p.clone(), b.clone());
            let mut tensor = Whole::new(&mut new_p, [&mut new_b[..]]);
            kernel.apply(tier, &numbers, &mut F::block(tensor.arrays().with(&g)));
            let decayed = |i: usize| {
                let g = g[i] * scale;
                if decay == F::ZERO { g } else { g + decay * p[i] }
            };
            let want_b: Vec<F> = (0..len).map(|i| mu * b[i] + share * decayed(i)).collect();
            let want_p: Vec<F> = (0..len).map(|i| p[i] * shrink - rate * want_b[i]).collect();
            assert_eq!(bits(&new_b), bits(&want_b), "{tier} {len} {factors:?}");
            assert_eq!(bits(&new_p), bits(&want_p), "{tier} {len} {factors:?}");
        }
    }
}

#[test]
fn an_update_is_its_formula() {
    momentum::<f32>();
    momentum::<f64>();
}

/// LAMB's dry run at its first update: the sums of p² and u², where u is Adam's direction and the decay.
fn sums<F: Float + Stored>() {
    let mut values = [0.9, 0.99, 1e-3, 0.1, f64::NAN];
    let kernel = kernel("lamb", &values);
    assert_eq!((kernel.memory(), kernel.sums().is_some()), (&["rate"][..], true));
    kernel.start(&mut values);
    assert_eq!(values[4], 1.0);
    let mut numbers = Rounded::NEUTRAL;
    numbers.set_factors(Factors { scale: 0.5, decay: 0.25, shrink: 0.75 });
    kernel.prepare(&values, 0.5, 0, &mut numbers);
    let (correction1, correction2) = (1.0 - 0.9, (1.0_f64 - 0.99).sqrt());
    for (tier, len) in Tier::supported().into_iter().flat_map(|tier| LENGTHS.map(|len| (tier, len))) {
        let g = waves::<F>(len, 0.1);
        let arrays = [0.2, 0.3, 0.4].map(|phase| waves::<F>(len, phase));
        let arrays = [arrays[0].clone(), arrays[1].clone(), arrays[2].iter().map(|&x| x * x).collect()];
        let [mut p, mut m, mut v] = arrays.clone();
        let mut tensor = Whole::new(&mut p, [&mut m[..], &mut v[..]]);
        let mut found = [Lanes::ZERO; 2];
        kernel.measure(tier, &numbers, &mut F::block(tensor.arrays().with(&g)), &mut found);
        assert!([p, m, v].iter().zip(&arrays).all(|(a, b)| bits(a) == bits(b)), "something was written");
        let mut want = [0.0; 2];
        for i in 0..len {
            let [p, m, v] = arrays.each_ref().map(|array| array[i].to_f64());
            let g = 0.5 * g[i].to_f64() + 0.25 * p;
            let (p, m, v) = (0.75 * p, 0.9 * m + (1.0 - 0.9) * g, 0.99 * v + (1.0 - 0.99) * g * g);
            let u = m / correction1 / (v.sqrt() / correction2 + 1e-3) + 0.1 * p;
            want = [want[0] + p * p, want[1] + u * u];
        }
        let found = found.map(Lanes::fold);
        for (found, want) in found.into_iter().zip(want) {
            assert!((found - want).abs() <= 1e-5 * want, "{tier} {len}: {found} {want}");
        }
        kernel.settle(&mut values, 0.5, 0, [4.0, 16.0]);
        assert_eq!(values[4], 0.25);
    }
}

#[test]
fn a_dry_run_sums_and_writes_nothing() {
    sums::<f32>();
    sums::<f64>();
}

#[test]
fn a_rule_without_sums_measures_nothing() {
    let kernel = kernel("adagrad", &[0.0, 0.5, 0.1, 0.0]);
    assert!(kernel.sums().is_none() && kernel.memory().is_empty());
    assert_eq!(format!("{kernel:?}").matches("Kernel").count(), 1);
}
