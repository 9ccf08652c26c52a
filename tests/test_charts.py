"""Curves drawn with characters, and how many steps of a schedule are drawn by default."""

from __future__ import annotations

import re

import numpy as np
import pytest

import gradstep as gs
from gradstep.charts import ASCII, BLOCKS
from gradstep.cli.chart import HEIGHT, chart
from gradstep.horizons import default_steps
from gradstep.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseSqrt,
    InverseTime,
    Join,
    Lambda,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Polynomial,
    Schedule,
    StepDecay,
    Table,
    WarmupStableDecay,
)


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (Constant(0.1), 1000),
        (Lambda(abs), 1000),
        (Linear(1, 0, 50), 51),
        (Polynomial(1, 0, 50, cycle=True), 151),
        (Cosine(1, 50, periodic=True), 301),
        (OneCycle(1, 50), 51),
        (Exponential(1, 0.1, every=10), 21),
        (Exponential(1, 1.0), 1000),
        (Exponential.with_rate(1, -0.1), 48),
        (Exponential.with_rate(1, 0.0), 1000),
        (Exponential(1, 0.0), 2),
        (StepDecay(1, 0.1, 30), 61),
        (InverseTime(1, 0.5, every=10), 201),
        (InverseTime(1, 0.0), 1000),
        (InverseSqrt(1, 100), 1001),
        (MultiStep(1, [40, 80], 0.1), 101),
        (MultiStep(1, [], 0.1), 1000),
        (Piecewise([80], [1, 2]), 101),
        (Table([1, 2, 3]), 4),
        (CosineRestarts(1, 10, period_mult=2), 71),
        (Cyclic(0, 1, 5, 10), 46),
        (WarmupStableDecay(1, 2, 3, 4), 10),
        (Cosine(1, 50).warmup(10), 61),
        (Constant(1).warmup(10), 41),
        (Constant(1).warmup(0), 1000),
        (Cosine(1, 50).then(Constant(1), at=80), 101),
        (Constant(1).then(Cosine(1, 50), at=80), 131),
        (Join([Constant(1)], at=[]), 1000),
        (Cosine(1, 50) * Linear(1, 0, 70), 71),
        (0.5 * Constant(1), 1000),
        (Cosine(1, 50).every(10), 501),
        (Cosine(1, 50).shift(20), 31),
        (Cosine(1, 50).shift(60), 2),
        (Cosine(1, 50).repeat(30), 91),
        (Cosine(1, 50).clip(0, 1), 51),
        (gs.feedback.Plateau(Cosine(1, 50)), 51),
        (Cosine(1, 2**62).every(2**62), 2**53),
        (Exponential.with_rate(1, 1e-320), 2**53),
        (InverseTime(1, 1e-320), 2**53),
        (CosineRestarts(1, 10, period_mult=1e200), 2**53),
    ],
    ids=repr,
)  # fmt: skip
def test_default_number_of_steps(schedule: Schedule, steps: int) -> None:
    assert default_steps(schedule) == steps


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "no-such-encoding"])
@pytest.mark.parametrize("width", [1, 2, 29, 30, 80, 400])
@pytest.mark.parametrize(
    "schedule",
    [
        Cosine(0.1, 1000).warmup(100),
        Constant(0.0),
        Constant(-1.0),
        Linear(1, -1, 100),
        Exponential(1.0, 0.9),
        Exponential(1.0, 2.0),
        Constant(1e308) * 1e308,
        Exponential(1.0, 2.0) * Piecewise([3], [1, 0]),
    ],
    ids=str,
)
def test_chart_fits_any_terminal(schedule: Schedule, width: int, encoding: str) -> None:
    facts, *lines = chart(schedule, 1234, width, encoding).split("\n")
    assert re.fullmatch(r"first \S+ at step 0, last \S+ at step 1,233, min \S+, max \S+", facts)
    assert max(map(len, lines)) <= width
    bars = "".join(line.partition("|")[2] if width >= 30 else line for line in lines[:HEIGHT])
    assert set(bars) <= set(BLOCKS if encoding == "utf-8" else ASCII)


def test_chart_is_the_curve() -> None:
    lines = chart(Table(np.arange(65) / 64), 65, 12 + 65, "utf-8").split("\n")[1:]
    bars = [line.partition("|")[2].ljust(65) for line in lines[:HEIGHT]]
    assert [sum(BLOCKS.index(bar[i]) for bar in bars) for i in range(65)] == list(range(65))
    assert lines[0].startswith("         1 |")
    assert lines[HEIGHT - 1].startswith("         0 |")
    assert lines[HEIGHT] == " " * 12 + "0" + "64".rjust(64)


def test_chart_is_logarithmic_where_a_picture_is() -> None:
    lines = chart(Exponential(1.0, 0.5), 101, 80, "utf-8").split("\n")[1:]
    assert lines[-1].startswith("     (log)  0")
    assert lines[0].startswith("         1 |")
    assert lines[HEIGHT - 1].startswith(" 7.889e-31 |")
