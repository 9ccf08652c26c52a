"""The schedules of lrsched beside those of ours that the page names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lrsched
import pytest
from rates import STEPS, compare

from gradstep.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    Interpolated,
    InverseSqrt,
    Linear,
    MultiStep,
    Polynomial,
    Schedule,
    StepDecay,
    WarmupStableDecay,
)

LINE = {"base_lr": 0.1, "end_lr": 0.01, "total_steps": 700}
TRIANGLES = {"min_lr": 0.01, "max_lr": 0.1, "step_size": 70}
PLATEAU = {
    "base_lr": 0.1,
    "warmup_steps": 100,
    "decay_steps": 300,
    "total_steps": 900,
    "final_lr": 0.01,
    "warmup_start": 0.02,
}
CYCLE = {"max_lr": 0.1, "total_steps": 900, "pct_start": 0.3, "initial_div": 25.0, "final_div": 1e4}

CASES: list[tuple[Schedule, Callable[[int], float]]] = [
    (Constant(0.1), lrsched.constant(lr=0.1)),
    (StepDecay(0.1, 0.5, 100), lrsched.step_decay(base_lr=0.1, drop=0.5, step_size=100)),
    (MultiStep(0.1, [100, 400], 0.3), lrsched.multi_step(base_lr=0.1, milestones=[400, 100], gamma=0.3)),
    (Exponential(0.1, 0.99), lrsched.exponential(base_lr=0.1, gamma=0.99)),
    (Exponential(0.1, 0.9, 50), lrsched.exponential_decay(base_lr=0.1, decay_rate=0.9, decay_steps=50)),
    (Linear(0.1, 0.01, 700), lrsched.linear(**LINE)),
    (Polynomial(0.1, 0.01, 700, 2.0), lrsched.polynomial(**LINE, power=2.0)),
    (
        Polynomial(0.1, 0.01, 700, 2.0),
        lrsched.polynomial_decay(start_lr=0.1, end_lr=0.01, total_steps=700, power=2.0),
    ),
    (Cosine(0.1, 700, 0.01), lrsched.cosine(base_lr=0.1, min_lr=0.01, total_steps=700)),
    (
        CosineRestarts(0.1, 50, 2, end=0.01),
        lrsched.cosine_restarts(base_lr=0.1, min_lr=0.01, period=50, t_mult=2),
    ),
    (
        InverseSqrt(0.1, 100).shift(100).warmup(100, start=0.0),
        lrsched.inverse_sqrt(base_lr=0.1, warmup_steps=100),
    ),
    (Interpolated([0, 270, 900], [0.1 / 25, 0.1, 0.1 / 1e4], "cosine"), lrsched.one_cycle(**CYCLE)),
    (Cyclic(0.01, 0.1, 70), lrsched.triangular(**TRIANGLES)),
    (Cyclic(0.01, 0.1, 70, mode="triangular2"), lrsched.triangular2(**TRIANGLES)),
    (Cyclic(0.01, 0.1, 70, mode="exp_range", gamma=0.99), lrsched.exp_range(**TRIANGLES, gamma=0.99)),
    (
        WarmupStableDecay(0.1, 0, 500, 300, 0.01, "sqrt").warmup(100, start=0.02 / 0.1),
        lrsched.warmup_stable_decay(**PLATEAU, decay_shape="1-sqrt"),
    ),
    (
        Cosine(0.1, 700).warmup(100, start=0.02 / 0.1),
        lrsched.with_warmup(
            lrsched.cosine(base_lr=0.1, min_lr=0.0, total_steps=700), warmup_steps=100, start_lr=0.02
        ),
    ),
    (
        Constant(0.1).then(Linear(0.1, 0.0, 799), at=200),
        lrsched.sequential(
            [(200, lrsched.constant(lr=0.1)), (800, lrsched.linear(base_lr=0.1, end_lr=0.0, total_steps=799))]
        ),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=lambda value: type(value).__name__)
def test_lrsched(ours: Schedule, theirs: Callable[[int], float], record_property: Any) -> None:
    compare("lrsched", type(ours).__name__, ours, map(theirs, range(STEPS)), record_property)
