"""How many steps show a schedule whole: every class has an answer, and None is one."""

from __future__ import annotations

import pytest

from gradstep import feedback, schedules
from gradstep.feedback import GradNormScaled, LossScaled, NormGuard, Plateau
from gradstep.horizons import default_steps
from gradstep.schedules import (
    Clip,
    Constant,
    Cooldown,
    Cosine,
    CosineRestarts,
    Cyclic,
    Every,
    Exponential,
    Interpolated,
    InverseSqrt,
    InverseTime,
    Join,
    Lambda,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Polynomial,
    Power,
    Product,
    Repeat,
    Schedule,
    Shift,
    StepDecay,
    Stride,
    Sum,
    Table,
    Warmup,
    WarmupStableDecay,
)

#: Without a length of its own, as a constant is, a schedule is shown for so long.
NONE = 1000
FLAT, FALL = Constant(0.1), Cosine(0.1, 100)

STEPS: list[tuple[Schedule, int]] = [
    (FLAT, NONE),
    (Linear(0.1, 0.7, 30), 31),
    (Linear(0.1, 0.7, 2**62), 2**53),
    (Polynomial(0.1, 0.0, 50), 51),
    (Polynomial(0.1, 0.0, 50, cycle=True), 151),
    (Exponential(0.1, 0.9, 7), 307),
    (Exponential(0.1, 1.01), 464),
    (Exponential(0.1, 1.0), NONE),
    (Exponential(0.1, 0.0), 2),
    (Exponential.with_rate(0.1, -0.01), 462),
    (Exponential.with_rate(0.1, 0.0), NONE),
    (StepDecay(0.3, 0.1, 30), 61),
    (InverseTime(0.1, 0.5, 10), 201),
    (InverseTime(0.1, 0.0), NONE),
    (InverseTime(0.1, 1e-300), 2**53),
    (InverseSqrt(0.1, 100), 1001),
    (MultiStep(0.3, [10, 20, 20, 40], 0.1), 51),
    (MultiStep(0.3, [], 0.1), NONE),
    (Piecewise([5, 9], [1.0, 0.3, 0.1]), 13),
    (Interpolated([5, 9], [1.0, 0.3]), 10),
    (Interpolated([0], [1.0]), NONE),
    (Table([0.5, 0.1, 0.2]), 4),
    (FALL, 101),
    (Cosine(0.1, 50, periodic=True), 301),
    (CosineRestarts(0.1, 10, 2), 71),
    (OneCycle(0.1, 101), 102),
    (Cyclic(0.1, 0.7, 4, 7), 34),
    (WarmupStableDecay(0.3, 10, 50, 20), 81),
    (Lambda(float), NONE),
    (Join([FLAT, FALL], [45]), 146),
    (Join([FALL, FLAT], [80]), 101),
    (Join([FALL, FLAT], [0]), NONE),
    (Product(Linear(1.0, 0.0, 30), FALL), 101),
    (Product(FALL, FLAT), 101),
    (Product(FLAT, FLAT), NONE),
    (Sum(Linear(1.0, 0.0, 30), FALL), 101),
    (Sum(FLAT, FLAT), NONE),
    (Power(FALL, 2.0), 101),
    (Power(FLAT, 2.0), NONE),
    (Warmup(FALL, 20), 121),
    (Warmup(FLAT, 100), 401),
    (Warmup(FLAT, 0), NONE),
    (Cooldown(FALL, 50), 51),
    (Clip(FALL, 0.0, 1.0), 101),
    (Every(FALL, 3), 301),
    (Every(FLAT, 3), NONE),
    (Stride(FALL, 3), 35),
    (Stride(FALL, 500), 2),
    (Stride(FLAT, 3), NONE),
    (Shift(FALL, 40), 61),
    (Shift(FALL, 500), 2),
    (Repeat(FALL, 70), 211),
    (Plateau(FALL), 101),
    (NormGuard(), NONE),
    (LossScaled(FLAT, 1.0), NONE),
    (GradNormScaled(FALL, 1.0), 101),
]


@pytest.mark.parametrize(("schedule", "steps"), STEPS, ids=lambda value: str(value))
def test_default_steps(schedule: Schedule, steps: int) -> None:
    assert default_steps(schedule) == steps


def test_no_class_is_left_out() -> None:
    shown = {type(schedule).__name__ for schedule, _ in STEPS}
    assert shown == {*schedules.__all__, *feedback.__all__} - {"Feedback", "Schedule", "layerwise", "like"}
