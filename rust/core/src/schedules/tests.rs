use std::sync::Arc;

use super::evaluation::DEEP;
use super::*;
use crate::error::BadValue;
use crate::machine::simd::Tier;

fn every_kind() -> Result<Vec<Schedule>, BadValue> {
    let cosine: Schedule = Arc::new(Cosine::new(0.1, 1000, 0.001, false)?);
    let step: Schedule = Arc::new(MultiStep::new(0.3, vec![7, 7, 300], 0.1)?);
    let linear: Schedule = Arc::new(Linear::new(1.0, 0.0, 333)?);
    Ok(vec![
        Arc::clone(&cosine),
        Arc::clone(&step),
        Arc::clone(&linear),
        Arc::new(Constant::new(0.1)?),
        Arc::new(Polynomial::new(1.0, 0.1, 77, 2.5, true)?),
        Arc::new(Exponential::new(0.1, 0.99, 7, false)?),
        Arc::new(ExponentialRate::new(0.1, 0.01)?),
        Arc::new(StepDecay::new(0.1, 0.5, 30)?),
        Arc::new(InverseTime::new(0.1, 0.3, 7, true)?),
        Arc::new(InverseSqrt::new(0.1, 100)?),
        Arc::new(Cosine::new(0.1, 37, 0.02, true)?),
        Arc::new(CosineRestarts::new(0.1, 10, 1.5, 0.9, 0.01, true)?),
        Arc::new(CosineRestarts::new(0.1, 10, 1.5, 0.9, 0.01, false)?),
        Arc::new(Cyclic::new(0.1, 0.5, 7, 11, "triangular2", 1.0, false)?),
        Arc::new(Cyclic::new(0.1, 0.5, 7, 11, "exp_range", 0.99, true)?),
        Arc::new(Piecewise::new(vec![5, 100], vec![1.0, 0.5, 0.1])?),
        Arc::new(Interpolated::new(vec![5, 100, 101], vec![1.0, 0.5, 0.1], "linear")?),
        Arc::new(Interpolated::new(vec![0, 300], vec![0.3, 0.7], "cosine")?),
        Arc::new(OneCycle::new(0.1, 1000, 0.3, 25.0, 1e4, "cos", true)?),
        Arc::new(WarmupStableDecay::new(0.1, 50, 100, 200, 0.0, "sqrt")?),
        Arc::new(Table::new(vec![3.0, 2.0, 1.0])?),
        Arc::new(Opaque(Box::new(|t| t as f64))),
        Arc::new(Join::new(
            vec![Arc::clone(&cosine), Arc::clone(&linear), Arc::clone(&step)],
            vec![300, 301],
        )?),
        Arc::new(Product::new(Arc::clone(&cosine), Arc::clone(&linear))),
        Arc::new(Sum::new(Arc::clone(&cosine), Arc::clone(&linear))),
        Arc::new(Power::new(Arc::clone(&cosine), 1.7)?),
        Arc::new(Warmup::new(Arc::clone(&cosine), 300, 0.25, "exponential")?),
        Arc::new(Warmup::new(Arc::clone(&cosine), 300, 0.25, "sqrt")?),
        Arc::new(Cooldown::new(Arc::clone(&cosine), 700, 0.3, 0.01, "sqrt")?),
        Arc::new(Clip::new(Arc::clone(&cosine), 0.01, 0.09)?),
        Arc::new(Every::new(Arc::clone(&cosine), 3)?),
        Arc::new(Stride::new(Arc::clone(&cosine), 3)?),
        Arc::new(Shift::new(Arc::clone(&cosine), 500)?),
        Arc::new(Repeat::new(cosine, 321)?),
    ])
}

#[test]
fn an_array_has_the_bits_of_its_scalars_on_every_tier() {
    // Sorted over several blocks, then far past every end, then out of order.
    let mut steps: Vec<u64> = (0..1200).collect();
    steps.extend([1_000_000_000_000, LAST_STEP, 0]);
    steps.extend((0..2000).map(|i| i * 7919 % 1201));
    for schedule in every_kind().unwrap() {
        let want: Vec<_> = steps.iter().map(|&t| schedule.value(t).to_bits()).collect();
        for tier in Tier::supported() {
            let mut out = vec![0.0; steps.len()];
            schedule.fill(tier, &steps, &mut out);
            let got: Vec<_> = out.iter().map(|value| value.to_bits()).collect();
            assert!(got == want, "{schedule:?} differs on {tier}");
            out.fill(0.0);
            fill_checked(Nested { curve: &*schedule, depth: DEEP + 1 }, tier, &steps, &mut out).unwrap();
            let got: Vec<_> = out.iter().map(|value| value.to_bits()).collect();
            assert!(got == want, "{schedule:?} differs in small blocks on {tier}");
        }
    }
}

#[test]
fn a_parallel_fill_has_the_bits_of_a_serial_one() {
    let schedule = Warmup::new(every_kind().unwrap()[0].clone(), 1000, 0.0, "cosine").unwrap();
    let steps: Vec<u64> = (0..3 * CHUNK as u64 + 5).collect();
    let whole = Nested { curve: &schedule, depth: 2 };
    let (mut serial, mut parallel) = (vec![0.0; steps.len()], vec![1.0; steps.len()]);
    schedule.fill(Tier::BASELINE, &steps, &mut serial);
    fill_parallel(whole, Tier::BASELINE, &steps, &mut parallel).unwrap();
    assert!(serial == parallel);
}

#[test]
fn a_step_beyond_the_last_is_reported() {
    let schedule = Constant::new(1.0).unwrap();
    let mut steps = vec![LAST_STEP; 2 * CHUNK];
    let mut out = vec![0.0; steps.len()];
    let schedule = Nested { curve: &schedule, depth: 1 };
    assert_eq!(fill_parallel(schedule, Tier::BASELINE, &steps, &mut out), Ok(()));
    steps[CHUNK + 3] = LAST_STEP + 2;
    assert_eq!(fill_parallel(schedule, Tier::BASELINE, &steps, &mut out), Err(LAST_STEP + 2));
}

#[test]
fn cycles_of_restarts_have_no_gap_and_no_overlap() {
    for mult in [1.0, 1.0 + 1e-12, 1.0 + 1e-5, 1.01, 1.5, 2.0, 3.0] {
        let restarts = CosineRestarts::new(1.0, 3, mult, 1.0, 0.0, true).unwrap();
        let peaks: Vec<u64> = (0..100).filter(|&t| restarts.value(t) == 1.0).collect();
        let mut begin = 0.0;
        for (i, &peak) in peaks.iter().enumerate() {
            assert!((begin - peak as f64).abs() <= 0.5, "{mult}: cycle {i} begins at {peak}, not {begin}");
            begin += 3.0 * mult.powi(i as i32);
        }
        assert!(begin > 99.0, "{mult}: a cycle is missing after {peaks:?}");
    }
}

#[test]
fn doubled_cycles_begin_where_integers_say() {
    let restarts = CosineRestarts::new(1.0, 10, 2.0, 1.0, 0.0, true).unwrap();
    for cycle in 0..45_u32 {
        let begin = 10 * ((1_u64 << cycle) - 1);
        assert_eq!(restarts.value(begin), 1.0, "cycle {cycle}");
        if cycle > 0 {
            assert!(restarts.value(begin - 1) < 0.03, "cycle {cycle}");
        }
    }
}
