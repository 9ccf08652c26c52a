"""Schedules at the far end: t, lengths and boundaries up to 2⁶³ − 1, against exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import cos, exp, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from processes import printed

LAST = 2**63 - 1
STEPS = [0, 1, 2, 3, 2**53 - 1, 2**53, 2**53 + 1, 2**62 - 1, 2**62, 2**62 + 1, LAST - 1, LAST]
LENGTHS = [1, 2, 3, 2**53 - 1, 2**53 + 1, 2**62, 2**62 + 1, LAST - 1, LAST]


def wave(x: Fraction) -> float:
    return (1 + cos(pi * x)) / 2


def one_cycle(t: int, n: int) -> float:
    """`OneCycle(1.0, n, 0.25)` with a quarter to rise."""
    t, top, low, end = min(t, n - 1), Fraction(n, 4) - 1, 1 / 25.0, 1 / 25.0 / 1e4
    begin, finish, a, b = (Fraction(0), top, low, 1.0) if t <= top else (top, Fraction(n - 1), 1.0, end)
    left = (finish - t) / (finish - begin) if finish > t else Fraction(0)
    return b + (a - b) * wave(1 - left)


def cyclic(t: int, up: int, down: int) -> float:
    phase = t % (up + down)
    return float(Fraction(phase, up) if phase <= up else 1 - Fraction(phase - up, down))


def wsd(t: int, w: int, stable: int, decay: int) -> float:
    if t < w:
        return float(Fraction(t + 1, w + 1))
    return float(1 - Fraction(min(max(t - w - stable, 0), decay), decay))


#: A schedule of one length, and its value in exact arithmetic up to the last operation.
OF_A_LENGTH: dict[str, tuple[Callable[[int], Schedule], Callable[[int, int], float]]] = {
    "Linear": (lambda n: Linear(1.0, 0.0, n), lambda t, n: float(1 - Fraction(min(t, n), n))),
    "Polynomial": (
        lambda n: Polynomial(1.0, 0.0, n, 2.0),
        lambda t, n: float(1 - Fraction(min(t, n), n)) ** 2,
    ),
    "Polynomial, cycle": (
        lambda n: Polynomial(1.0, 0.0, n, 0.5, cycle=True),
        lambda t, n: sqrt(1 - Fraction(t, n * max(1, -(-t // n)))),
    ),
    "Exponential": (lambda n: Exponential(1.0, 0.5, n), lambda t, n: 0.5 ** float(Fraction(t, n))),
    "Exponential, staircase": (
        lambda n: Exponential(1.0, 0.5, n, staircase=True),
        lambda t, n: 0.5 ** float(t // n),
    ),
    "StepDecay": (lambda n: StepDecay(1.0, 0.5, n), lambda t, n: 0.5 ** float(t // n)),
    "Exponential.with_rate": (
        lambda n: Exponential.with_rate(1.0, 1 / n),
        lambda t, n: exp(-float(Fraction(1 / n) * t)),
    ),
    "InverseTime": (lambda n: InverseTime(1.0, 0.5, n), lambda t, n: 1 / (1 + 0.5 * float(Fraction(t, n)))),
    "InverseSqrt": (lambda n: InverseSqrt(1.0, n), lambda t, n: sqrt(Fraction(n, max(t, n)))),
    "Cosine": (lambda n: Cosine(1.0, n), lambda t, n: wave(Fraction(min(t, n), n))),
    "Cosine, periodic": (
        lambda n: Cosine(1.0, n, periodic=True),
        lambda t, n: wave(Fraction(min(t % (2 * n), 2 * n - t % (2 * n)), n)),
    ),
    "CosineRestarts": (lambda n: CosineRestarts(1.0, n), lambda t, n: wave(Fraction(t % n, n))),
    "OneCycle": (lambda n: OneCycle(1.0, n, 0.25), one_cycle),
    "MultiStep": (lambda n: MultiStep(1.0, [n, n], 0.5), lambda t, n: 1.0 if t < n else 0.25),
    "Piecewise": (lambda n: Piecewise([n - 1], [1.0, 0.5]), lambda t, n: 1.0 if t < n - 1 else 0.5),
    "Table": (lambda n: Table([0.1] * min(n, 9) + [0.5]), lambda t, n: 0.1 if t < min(n, 9) else 0.5),
}


@pytest.mark.parametrize("name", OF_A_LENGTH)
def test_a_length(name: str) -> None:
    make, value = OF_A_LENGTH[name]
    for n in LENGTHS:
        agrees(make(n), lambda t, n=n: value(t, n))  # type: ignore[misc]


def test_two_lengths() -> None:
    for up, down in product(LENGTHS, LENGTHS):
        agrees(Cyclic(0.0, 1.0, up, down), lambda t, up=up, down=down: cyclic(t, up, down))  # type: ignore[misc]


def test_three_lengths() -> None:
    for w, stable, decay in product([0, *LENGTHS], [0, *LENGTHS], LENGTHS):
        s = WarmupStableDecay(1.0, w, stable, decay)
        agrees(s, lambda t, w=w, stable=stable, decay=decay: wsd(t, w, stable, decay))  # type: ignore[misc]


def agrees(schedule: Schedule, value: Callable[[int], float]) -> None:
    """Scalars are the values, and an array has their bits."""
    got = [schedule(t) for t in STEPS]
    # 1 + cos cancels in the textbook's form.
    assert got == pytest.approx([value(t) for t in STEPS], rel=1e-14, abs=4e-16), schedule
    assert schedule(np.array(STEPS, np.uint64)).tolist() == got


#: What a composition shows its parts, in integers.
SHOWS: dict[str, tuple[Callable[[Schedule, int], Schedule], Callable[[int, int], int]]] = {
    "shift": (lambda s, n: s.shift(n), lambda t, n: min(t + n, LAST)),
    "shift twice": (lambda s, n: s.shift(n).shift(n), lambda t, n: min(t + 2 * n, LAST)),
    "every": (lambda s, n: s.every(n), lambda t, n: t // n),
    "repeat": (lambda s, n: s.repeat(n), lambda t, n: t % n),
    "warmup": (lambda s, n: s.warmup(n), lambda t, n: max(t - n, 0)),
    "then": (lambda s, n: Constant(1.0).then(s, n - 1), lambda t, n: max(t - (n - 1), -1)),
    "Join": (lambda s, n: Join([s, s], [n]), lambda t, n: t if t < n else t - n),
}


@pytest.mark.parametrize("name", SHOWS)
def test_a_composition_counts_in_integers(name: str) -> None:
    compose, shown = SHOWS[name]
    seen: list[int] = []
    inner = Lambda(lambda t: seen.append(t) or 1.0)  # type: ignore[func-returns-value]
    for n in LENGTHS:
        s = compose(inner, n)
        for t in STEPS:
            seen.clear()
            s(t)
            assert seen == [step for step in [shown(t, n)] if step >= 0], (s, t)
        for t in STEPS:
            seen.clear()
            s(np.array([t] * 3, np.uint64))
            assert set(seen) == {step for step in [shown(t, n)] if step >= 0}, (s, t)


# Restarts: cycles that grow.


def test_growth_beyond_all_floats_is_no_endless_search() -> None:
    code = "from gradstep.schedules import CosineRestarts; s = CosineRestarts(1.0, 8, period_mult=1e308)"
    assert printed(f"{code}; print(s(7) < 0.05, s(8), s(2**63 - 1), s(9) <= 1.0)") == "True 1.0 1.0 True"


def test_a_cycle_that_ends_beyond_the_last_step_has_its_full_length() -> None:
    s = CosineRestarts(1.0, 8, period_mult=1e10)
    begin, length = 8 + 8 * 10**10, 8 * 10**20
    for t in (begin, 2**60, 2**62, LAST):
        assert s(t) == pytest.approx(wave(Fraction(t - begin, length)), rel=1e-14)


near_1 = st.integers(1, 2**20).map(lambda k: 1.0 + k * 2.0**-52)
multiples = st.one_of(
    st.integers(2, 100).map(float), near_1, st.floats(1.0, 1.001), st.floats(1.0, 10.0), st.floats(1.0, 1e308)
)
some_step = st.one_of(
    st.integers(0, 10**4), st.integers(0, 2**53), st.integers(0, LAST), st.sampled_from(STEPS)
)


@given(period=some_step.map(lambda t: max(t, 1)), mult=multiples, steps=st.lists(some_step, min_size=1))
def test_restarts_are_what_exact_arithmetic_says(period: int, mult: float, steps: list[int]) -> None:
    s = CosineRestarts(1.0, period, mult)
    got = [s(t) for t in steps]
    assert s(np.array(steps, np.uint64)).tolist() == got
    for t, value in zip(steps, got, strict=True):
        assert 0.0 <= value <= 1.0
        begin, end = cycle(period, Decimal(mult), t)
        # Where a cycle begins is known to some bits of t, and to an integer.
        blur = max(Decimal(1), Decimal(t) / 2**50)
        if min(t - begin, end - t) > 2 * blur:
            want = wave(Fraction((t - begin) / (end - begin)))
            assert value == pytest.approx(want, abs=float(2 * pi * float(blur / (end - begin))) + 1e-14)


@given(period=st.integers(1, 1000), mult=st.integers(2, 9), number=st.integers(0, 50))
def test_whole_cycles_begin_exactly(period: int, mult: int, number: int) -> None:
    s = CosineRestarts(1.0, period, mult, peak_mult=0.5)
    begin = period * (mult**number - 1) // (mult - 1)
    if begin < 2**53:
        assert s(begin) == 0.5**number
        assert begin == 0 or s(begin - 1) <= 0.5 ** (number - 1)


def cycle(period: int, mult: Decimal, t: int) -> tuple[Decimal, Decimal]:
    """Where the cycle of t begins and ends, to 100 digits."""
    with localcontext() as context:
        context.prec = 100
        context.Emax = 10**15
        growth = mult - 1
        if growth == 0:
            begin = Decimal(t // period * period)
            return begin, begin + period
        number = int((1 + growth * t / period).ln() / mult.ln())

        def begins(i: int) -> Decimal:
            return period * (mult**i - 1) / growth

        number += begins(number + 1) <= t
        return begins(number), begins(number + 1)
