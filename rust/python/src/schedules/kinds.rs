//! Every kind of schedule and the arguments it takes, in order: one line each.

use std::sync::Arc;

use gradstep_core::error::BadValue;
use gradstep_core::feedback::{Adaptive, Feedback, GradNorm, Loss, NormGuard, OfMeans, Plateau, Reaction};
use gradstep_core::schedules::{
    Clip, Constant, Cooldown, Cosine, CosineRestarts, Curve, Cyclic, Every, Exponential, ExponentialRate,
    Interpolated, InverseSqrt, InverseTime, Join, Linear, MultiStep, OneCycle, Piecewise, Polynomial, Power,
    Product, Repeat, Schedule, Shift, StepDecay, Stride, Sum, Table, Warmup, WarmupStableDecay,
};
use pyo3::PyResult;

use super::arguments::Reader;
use crate::errors::{memory_error, type_error, value_error};

/// What the core evaluates, and for a feedback schedule the same as what it observes with.
pub(super) type Built = (Schedule, Option<Arc<dyn Feedback>>);

#[rustfmt::skip] // a table
pub(super) fn build(kind: &str, a: &mut Reader<'_>) -> PyResult<Built> {
    match kind {
        "Constant" => done(Constant::new(a.float("value")?)),
        "Linear" => done(Linear::new(a.float("start")?, a.float("end")?, a.count("steps")?)),
        "Polynomial" => done(Polynomial::new(a.float("start")?, a.float("end")?, a.count("steps")?, a.float("power")?, a.flag("cycle")?)),
        "Exponential" => done(Exponential::new(a.float("start")?, a.float("gamma")?, a.count("every")?, a.flag("staircase")?)),
        "Exponential.with_rate" => done(ExponentialRate::new(a.float("start")?, a.float("rate")?)),
        "StepDecay" => done(StepDecay::new(a.float("start")?, a.float("gamma")?, a.count("every")?)),
        "MultiStep" => done(MultiStep::new(a.float("start")?, a.counts("milestones")?, a.float("gamma")?)),
        "Piecewise" => done(Piecewise::new(a.counts("boundaries")?, a.floats("values")?)),
        "Interpolated" => done(Interpolated::new(a.counts("steps")?, a.floats("values")?, &a.name("shape")?)),
        "InverseTime" => done(InverseTime::new(a.float("start")?, a.float("rate")?, a.count("every")?, a.flag("staircase")?)),
        "InverseSqrt" => done(InverseSqrt::new(a.float("start")?, a.count("timescale")?)),
        "Cosine" => done(Cosine::new(a.float("start")?, a.count("steps")?, a.float("end")?, a.flag("periodic")?)),
        "CosineRestarts" => done(CosineRestarts::new(a.float("start")?, a.count("period")?, a.float("period_mult")?, a.float("peak_mult")?, a.float("end")?, a.flag("rounded")?)),
        "OneCycle" => done(OneCycle::new(a.float("peak")?, a.count("steps")?, a.float("pct_start")?, a.float("div")?, a.float("final_div")?, &a.name("anneal")?, a.flag("three_phase")?)),
        "Cyclic" => done(Cyclic::new(a.float("low")?, a.float("high")?, a.count("up")?, a.count("down")?, &a.name("mode")?, a.float("gamma")?, a.flag("invert")?)),
        "WarmupStableDecay" => done(WarmupStableDecay::new(a.float("peak")?, a.count("warmup")?, a.count("stable")?, a.count("decay")?, a.float("end")?, &a.name("shape")?)),
        "Table" => done(Table::new(a.floats("values")?)),
        "Lambda" => done(Ok(a.function("function")?)),
        "Join" => done(Join::new(a.schedules("schedules")?, a.counts("at")?)),
        "Product" => done(Ok(Product::new(a.schedule("a")?, a.schedule("b")?))),
        "Sum" => done(Ok(Sum::new(a.schedule("a")?, a.schedule("b")?))),
        "Power" => done(Power::new(a.schedule("schedule")?, a.float("exponent")?)),
        "Warmup" => {
            let (schedule, steps) = (a.schedule("schedule")?, a.count("steps")?);
            let start = a.float_or("start", 1.0 / steps.saturating_add(1) as f64)?;
            done(Warmup::new(schedule, steps, start, &a.name("shape")?))
        }
        "Cooldown" => done(Cooldown::new(a.schedule("schedule")?, a.count("total")?, a.float("fraction")?, a.float("end")?, &a.name("shape")?)),
        "Clip" => done(Clip::new(a.schedule("schedule")?, a.float("low")?, a.float("high")?)),
        "Every" => done(Every::new(a.schedule("schedule")?, a.count("k")?)),
        "Stride" => done(Stride::new(a.schedule("schedule")?, a.count("k")?)),
        "Shift" => done(Shift::new(a.schedule("schedule")?, a.count("n")?)),
        "Repeat" => done(Repeat::new(a.schedule("schedule")?, a.count("period")?)),
        "LossScaled" => feedback(a.schedule("schedule")?, Loss::new(a.float("beta")?), &a.name("on_nonfinite")?),
        "GradNormScaled" => feedback(a.schedule("schedule")?, GradNorm::new(a.float("beta")?, a.flag("compound")?), &a.name("on_nonfinite")?),
        "Plateau" => {
            let (schedule, plateau) = (a.schedule("schedule")?, Plateau::new(a.float("factor")?, a.count("patience")?, a.float("threshold")?, &a.name("threshold_mode")?, a.count("cooldown")?, a.float("min_value")?, &a.name("mode")?));
            match (a.name("on_nonfinite")?, a.count("mean_of")?) {
                (on_nonfinite, 1) => feedback(schedule, plateau, &on_nonfinite),
                (on_nonfinite, several) => feedback(schedule, plateau.and_then(|plateau| OfMeans::new(plateau, several)), &on_nonfinite),
            }
        }
        "NormGuard" => {
            let guard = NormGuard::new(a.count("window")?, a.float("quantile")?, a.float("factor")?, &a.name("action")?).map_err(value_error)?;
            guard.reserve().map_err(memory_error)?;
            let guard = Arc::new(guard);
            Ok((guard.clone(), Some(guard)))
        }
        _ => Err(type_error(format!("there is no schedule '{kind}'"))),
    }
}

fn done<C: Curve + 'static>(curve: Result<C, BadValue>) -> PyResult<Built> {
    Ok((Arc::new(curve.map_err(value_error)?), None))
}

fn feedback<R: Reaction<N> + 'static, const N: usize>(
    schedule: Schedule,
    reaction: Result<R, BadValue>,
    on_nonfinite: &str,
) -> PyResult<Built> {
    let reaction = reaction.map_err(value_error)?;
    let curve = Arc::new(Adaptive::new(schedule, reaction, on_nonfinite).map_err(value_error)?);
    Ok((curve.clone(), Some(curve)))
}
