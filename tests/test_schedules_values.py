"""The values of every schedule: against its closed form, against its parts, arrays against scalars."""

from __future__ import annotations

import os
import subprocess
import sys
from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs
from gradstep.schedules import Constant, Cosine, CosineRestarts, Exponential, Lambda, Linear, Schedule
from schedule_cases import CASES, FAR, Case

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def interesting_steps(case: Case) -> list[int]:
    steps = {0, 1, 2, 3, FAR}
    for boundary in case.boundaries:
        steps |= {max(boundary - 1, 0), boundary, boundary + 1, boundary // 2}
    return sorted(steps)


@cases
def test_value_equals_the_closed_form(case: Case) -> None:
    for t in interesting_steps(case):
        want = case.formula(t)
        # 1 + cos cancels in the textbook's form; 4e-16 is its own rounding, not ours.
        assert case.schedule(t) == pytest.approx(want, rel=2e-14, abs=4e-16), t


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in CASES.items() if case.end is not None]
)
def test_end_holds_exactly_and_for_ever(case: Case) -> None:
    end = case.boundaries[-1]
    for t in (end, end + 1, 10 * end, FAR, 2**53 + 1, 2**63 - 1):
        assert case.schedule(t) == case.end, t


@cases
def test_every_step_there_is_has_a_value(case: Case) -> None:
    assert np.isfinite(case.schedule(2**63 - 1))


def test_starts_are_exact() -> None:
    for start, end in [(0.1, 0.01), (3e-4, 0.0), (0.7, 0.1), (-0.3, 0.9)]:
        schedules = [Linear(start, end, 7), Cosine(start, 7, end), CosineRestarts(start, 7, end=end)]
        for schedule in schedules:
            assert schedule(0) == start


@given(start=st.floats(1e-6, 10), rate=st.floats(0, 0.01), t=st.integers(0, 50_000))
def test_rate_is_not_rounded_to_a_gamma(start: float, rate: float, t: int) -> None:
    assert Exponential.with_rate(start, rate)(t) == pytest.approx(start * exp(-rate * t), rel=1e-15)


@given(
    period=st.integers(1, 1000),
    mult=st.floats(1.0, 4.0),
    peak_mult=st.floats(0.1, 1.5),
    cycle=st.integers(0, 12),
)
def test_each_cycle_of_restarts_begins_at_its_peak(
    period: int, mult: float, peak_mult: float, cycle: int
) -> None:
    s = CosineRestarts(1.0, period, mult, peak_mult)
    begin = sum(period * mult**i for i in range(cycle))
    if abs(begin % 1 - 0.5) < 1e-6:
        return  # Either integer is the nearest.
    assert s(round(begin)) == pytest.approx(peak_mult**cycle, rel=1e-13)


@given(steps=st.integers(1, 10**6), t=st.integers(0, 10**15))
def test_a_periodic_wave_is_as_exact_late_as_early(steps: int, t: int) -> None:
    s = Cosine(0.1, steps, periodic=True)
    assert s(t) == s(t % (2 * steps))
    assert s(t % (2 * steps)) == s(2 * steps - t % (2 * steps))


@given(steps=st.integers(1, 10**9), part=st.fractions(0, 1))
def test_cosine_falls(steps: int, part: float) -> None:
    s = Cosine(1.0, steps)
    t = int(part * steps)
    assert 0.0 <= s(t + 1) <= s(t) <= 1.0


# Compositions equal the sum of their parts, whatever the parts are.

some_schedule = st.sampled_from([case.schedule for case in CASES.values()])
some_step = st.integers(0, 400) | st.integers(0, FAR)


@given(a=some_schedule, b=some_schedule, n=st.integers(0, 300), t=some_step)
def test_then_is_a_before_and_b_after(a: Schedule, b: Schedule, n: int, t: int) -> None:
    assert a.then(b, at=n)(t) == (a(t) if t < n else b(t - n))


@given(a=some_schedule, b=some_schedule, number=st.floats(-10, 10), t=some_step)
def test_product_multiplies(a: Schedule, b: Schedule, number: float, t: int) -> None:
    assert (a * b)(t) == a(t) * b(t)
    assert (a * number)(t) == (number * a)(t) == a(t) * number


@given(s=some_schedule, n=st.integers(1, 300), start=st.floats(0, 2), t=some_step)
def test_warmup_rises_to_the_first_value(s: Schedule, n: int, start: float, t: int) -> None:
    got = s.warmup(n, start)(t)
    if t >= n:
        assert got == s(t - n)
    else:
        assert got == pytest.approx(s(0) * (start + (1 - start) * t / n), rel=1e-14)
    assert s.warmup(n)(0) == pytest.approx(s(0) / (n + 1), rel=1e-14)


@given(s=some_schedule, n=st.integers(1, 300), low=st.floats(-1, 1), width=st.floats(0, 1), t=some_step)
def test_clip_every_shift_repeat(s: Schedule, n: int, low: float, width: float, t: int) -> None:
    assert s.clip(low, low + width)(t) == min(max(s(t), low), low + width)
    assert s.every(n)(t) == s(t // n)
    assert s.shift(n)(t) == s(t + n)
    assert s.repeat(n)(t) == s(t % n)


# Arrays.

INTEGERS = [np.dtype(code) for code in "bBhHiIlLqQ"]


@cases
def test_array_has_the_bits_of_the_scalars(case: Case) -> None:
    steps = np.array([*range(700), *interesting_steps(case), *range(300, 0, -7)])
    want = np.array([case.schedule(int(t)) for t in steps])
    np.testing.assert_array_equal(case.schedule(steps), want, strict=True)


@pytest.mark.parametrize("dtype", [*INTEGERS, *(d.newbyteorder() for d in INTEGERS)], ids=str)
def test_every_integer_dtype(dtype: np.dtype[np.integer]) -> None:
    s = Cosine(0.1, 100).warmup(9)
    steps = np.arange(120).astype(dtype)
    np.testing.assert_array_equal(s(steps), s(np.arange(120)), strict=True)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1],
        lambda a: a[3::7],
        lambda a: a.reshape(4, 5, 6).T,
        lambda a: np.asfortranarray(a.reshape(12, 10)),
        lambda a: a.reshape(12, 10)[::-2, 1::3],
        lambda a: np.broadcast_to(a[:5], (3, 5)),
        lambda a: a[7:8].reshape(()),
        lambda a: a[:0].reshape(3, 0),
        lambda a: np.frombuffer(b"\0" + a.tobytes(), dtype=np.uint8)[1:].view(a.dtype),
        lambda a: np.frombuffer(a.tobytes(), dtype=a.dtype),
    ],
    ids=["reversed", "strided", "transposed", "F order", "2-d strided", "broadcast", "0-d", "empty",
         "misaligned", "read-only"],
)  # fmt: skip
def test_every_memory_layout(view: object) -> None:
    s = Cosine(0.1, 100).warmup(9)
    steps = view(np.arange(120))  # type: ignore[operator]
    got = s(steps)
    assert isinstance(got, np.ndarray)
    assert got.flags.c_contiguous
    assert got.flags.writeable
    want = np.array([s(int(t)) for t in steps.ravel()]).reshape(steps.shape)
    np.testing.assert_array_equal(got, want, strict=True)


def test_scalars_of_every_kind() -> None:
    s = Linear(1.0, 0.0, 10)
    for t in (5, np.int8(5), np.uint64(5), np.int64(5)):
        value = s(t)
        assert type(value) is float
        assert value == 0.5


def test_large_arrays_have_the_same_bits_at_any_thread_count() -> None:
    steps = np.arange(300_001)
    s = Cosine(0.1, 200_000).warmup(70_000) * Linear(1.0, 0.5, 250_000)
    parts = np.concatenate([s(part) for part in np.array_split(steps, 301)])
    for threads in (1, 2, 3):
        with gs.num_threads(threads):
            np.testing.assert_array_equal(s(steps), parts, strict=True)


TIER_SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import hashlib
import numpy as np
from schedule_cases import CASES
steps = np.array([*range(1500), 10**12, 2**53 + 1, 2**63 - 1])
for name, case in CASES.items():
    values = case.schedule(steps)
    assert values.tolist() == [case.schedule(int(t)) for t in steps], name
    print(name, hashlib.sha256(values.tobytes()).hexdigest())
"""


def digests(tier: str) -> tuple[int, str, str]:
    run = subprocess.run(
        [sys.executable, "-c", TIER_SCRIPT, str(Path(__file__).parent)],
        env={**os.environ, "GRADSTEP_SIMD": tier},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


@pytest.mark.parametrize("tier", ["avx2", "avx512"])
def test_every_simd_tier_gives_the_same_bits(tier: str) -> None:
    code, values, error = digests(tier)
    if code != 0 and "GRADSTEP_SIMD must be one of" in error:
        pytest.skip(f"this machine has no {tier}")
    assert code == 0, error
    assert values == digests("baseline")[1]


# Lambda.


def test_lambda_raises_what_the_function_raises() -> None:
    def fails_at_three(t: int) -> float:
        calls.append(t)
        if t == 3:
            raise KeyError("three")
        return float(t)

    calls: list[int] = []
    s = Lambda(fails_at_three)
    composed = [s, s.warmup(0), s * Constant(1.0), Constant(1.0) * s, s.clip(0, 9), s.then(s, at=9)]
    for schedule in composed:
        assert schedule(2) == 2.0
        with pytest.raises(KeyError, match="three"):
            schedule(3)
        calls.clear()
        with pytest.raises(KeyError, match="three"):
            schedule(np.arange(8))
        assert calls == [0, 1, 2, 3], "nothing is called after a failure"
        np.testing.assert_array_equal(schedule(np.array([4, 2])), [4.0, 2.0])


def test_lambda_takes_numbers_only() -> None:
    assert Lambda(lambda t: np.float32(t / 2))(1) == 0.5  # type: ignore[arg-type,return-value]
    assert Lambda(lambda t: t)(7) == 7.0
    with pytest.raises(TypeError, match=r"function\(7\) must be a number, got str"):
        Lambda(str)(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"function\(0\) must be a number, got None"):
        Lambda({}.get)(np.zeros(3, int))  # type: ignore[arg-type]


def test_lambda_may_use_schedules_itself() -> None:
    inner = Lambda(lambda t: t + 1.0)
    outer = Lambda(lambda t: inner(t) * 2)
    np.testing.assert_array_equal(outer(np.arange(3)), [2.0, 4.0, 6.0])


def test_public_api_has_a_case_for_every_class() -> None:
    covered = {type(case.schedule).__name__ for case in CASES.values()} | {"Schedule", "layerwise", "like"}
    assert covered == set(gs.schedules.__all__)
