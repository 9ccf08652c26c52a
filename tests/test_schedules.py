"""What a schedule is: immutable, comparable, hashable, printable, picklable; and what it refuses."""

# What the types forbid is what this file passes.
# mypy: disable-error-code="arg-type, attr-defined, call-arg, call-overload, list-item, misc, operator"

from __future__ import annotations

import copy
import inspect
import pickle
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import (
    Clip,
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
    Product,
    Schedule,
    StepDecay,
    Table,
    Warmup,
    WarmupStableDecay,
)
from schedule_cases import CASES, Case, inverse_step

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
printable = pytest.mark.parametrize(
    "case", [c for c in CASES.values() if type(c.schedule) is not Lambda], ids=lambda c: repr(c.schedule)
)


@printable
def test_repr_makes_an_equal_schedule(case: Case) -> None:
    s = case.schedule
    again = eval(repr(s), dict(vars(gs.schedules)))
    assert again == s
    assert type(again) is type(s)
    assert repr(again) == repr(s)
    assert again(17) == s(17)


@cases
def test_repr_names_every_parameter(case: Case) -> None:
    s = case.schedule
    inside = repr(s).split("(", 1)[1]
    assert inside.startswith(next(iter(s.params)) + "=")
    constructor = type(s).with_rate if "with_rate" in repr(s) else type(s)
    assert list(s.params) == list(inspect.signature(constructor).parameters)


def test_repr_reads_as_the_call() -> None:
    assert repr(Cosine(0.1, 1000)) == "Cosine(start=0.1, steps=1000, end=0.0, periodic=False)"
    assert repr(Table(np.array([1, 0.5]))) == "Table(values=(1.0, 0.5))"
    assert repr(Constant(1).then(Constant(2), 3)) == (
        "Join(schedules=(Constant(value=1.0), Constant(value=2.0)), at=(3,))"
    )


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@cases
def test_pickle_makes_an_equal_schedule(case: Case, protocol: int) -> None:
    s = case.schedule
    again = pickle.loads(pickle.dumps(s, protocol))
    assert again == s
    assert type(again) is type(s)
    assert hash(again) == hash(s)
    assert again(17) == s(17)


@cases
def test_copies_are_the_schedule_itself(case: Case) -> None:
    assert copy.copy(case.schedule) is case.schedule
    assert copy.deepcopy(case.schedule) is case.schedule
    assert copy.deepcopy([case.schedule])[0] is case.schedule


def test_equality_is_kind_and_arguments() -> None:
    schedules = [case.schedule for case in CASES.values()]
    for i, a in enumerate(schedules):
        for j, b in enumerate(schedules):
            assert (a == b) is (i == j)
            assert (a != b) is (i != j)
    assert len(set(schedules)) == len(schedules)


def test_equality_sees_values_not_types_of_numbers() -> None:
    assert Cosine(1, np.int32(10)) == Cosine(1.0, 10)
    assert hash(Cosine(1, np.int32(10))) == hash(Cosine(1.0, 10))
    assert MultiStep(1, np.array([1, 2]), 0.5) == MultiStep(1.0, (1, 2), 0.5)
    assert Cyclic(0, 1, up=4) == Cyclic(0, 1, up=4, down=4)
    assert Constant(1).warmup(3) == Constant(1).warmup(3, start=0.25)
    assert Exponential(0.1, 0.5) != StepDecay(0.1, 0.5, 1)
    assert Constant(1.0) != 1.0
    assert Constant(1.0) != "Constant(value=1.0)"
    assert Lambda(inverse_step) == Lambda(inverse_step)
    assert Lambda(lambda t: 0.1 / t) != Lambda(lambda t: 0.1 / t)
    assert 0.5 * Constant(1.0) == Constant(1.0) * 0.5 == np.float64(0.5) * Constant(1.0)


@pytest.mark.parametrize("name", ["start", "steps", "new"])
def test_schedules_are_immutable(name: str) -> None:
    s = Cosine(0.1, 10)
    with pytest.raises(AttributeError):
        setattr(s, name, 1.0)
    s.params["start"] = 5.0
    assert s.params == {"start": 0.1, "steps": 10, "end": 0.0, "periodic": False}
    with pytest.raises(AttributeError):
        s.params = {}


def test_parameters_are_plain_python() -> None:
    s = CosineRestarts(np.float32(0.5), np.uint8(10), np.int64(2), Fraction(1, 2), np.float64(0))
    assert [type(value) for value in s.params.values()] == [float, int, float, float, float, bool]
    assert s.params == {
        "start": 0.5, "period": 10, "period_mult": 2.0, "peak_mult": 0.5, "end": 0.0, "rounded": True
    }  # fmt: skip
    assert type(Cosine(1.0, 10, periodic=np.True_).params["periodic"]) is bool


def test_deep_compositions_end_in_an_error_and_not_in_a_crash() -> None:
    s: Schedule = Constant(1.0)
    for _ in range(63):
        s = s.clip(0.0, 2.0)
    with pytest.raises(ValueError, match="schedules nest at most 64 deep, got 65"):
        s.warmup(1)
    assert s(10) == 1.0
    assert eval(repr(s), dict(vars(gs.schedules))) == pickle.loads(pickle.dumps(s)) == s
    np.testing.assert_array_equal(s(np.arange(300_000)), np.ones(300_000))


one = Constant(1.0)

BAD_TYPES: list[tuple[Any, str]] = [
    (lambda: Constant("1"), "value must be a number, got str"),
    (lambda: Constant(None), "value must be a number, got None"),
    (lambda: Constant(True), "value must be a number, got bool"),
    (lambda: Constant(np.True_), "value must be a number, got bool"),
    (lambda: Constant(np.ones(2)), r"value must be a number, got an array of shape \(2,\)"),
    (lambda: Constant(np.array(True)), "value must be a number, got a 0-d array of bool"),
    (lambda: Constant(np.array("1")), "value must be a number, got a 0-d array of <U1"),
    (lambda: Constant(np.array(1j)), "value must be a number, got a 0-d array of complex128"),
    (lambda: Constant(np.ma.masked), "value must be a number, got a masked array"),
    (lambda: Constant(1j), "value must be a number, got complex"),
    (lambda: Cosine(0.1, 10.0), "steps must be an integer, got float"),
    (lambda: Cosine(0.1, True), "steps must be an integer, got bool"),
    (lambda: Cosine(0.1, np.float64(10)), "steps must be an integer, got float64"),
    (lambda: Cosine(0.1, 10, periodic=1), "periodic must be a bool, got int"),
    (lambda: Cosine(0.1, 10, end=None), "end must be a number, got None"),
    (lambda: Cyclic(0, 1, 5, mode=3), "mode must be a string, got int"),
    (lambda: MultiStep(0.1, 5, 0.5), "milestones must be a list, tuple or 1-d array, got int"),
    (lambda: MultiStep(0.1, {5, 9}, 0.5), "milestones must be a list, tuple or 1-d array, got set"),
    (lambda: MultiStep(0.1, "59", 0.5), "milestones must be a list, tuple or 1-d array, got str"),
    (lambda: MultiStep(0.1, [5, 9.0], 0.5), r"milestones\[1\] must be an integer, got float"),
    (lambda: Table([0.1, "x"]), r"values\[1\] must be a number, got str"),
    (
        lambda: Table(np.ones((2, 2))),
        r"values must be a list, tuple or 1-d array, got an array of shape \(2, 2\)",
    ),
    (lambda: Table(np.array(1.0)), "values must be a list, tuple or 1-d array, got a 0-d array of float64"),
    (lambda: Lambda(0.1), "function must be callable, got float"),
    (lambda: one.then(0.5, at=3), r"schedules\[1\] must be a schedule, got float"),
    (lambda: Join(one, [1]), "schedules must be a list, tuple or 1-d array, got Constant"),
    (lambda: one.warmup(2.5), "steps must be an integer, got float"),
    (lambda: one.warmup("2"), "steps must be an integer, got str"),
    (lambda: Warmup(0.1, 5), "schedule must be a schedule, got float"),
    (lambda: one * "x", "value must be a number, got str"),
    (lambda: one * np.ones(3), r"value must be a number, got an array of shape \(3,\)"),
    (lambda: np.ones(3) * one, r"value must be a number, got an array of shape \(3,\)"),
    (lambda: Product(0.5, one), "a must be a schedule, got float"),
    (lambda: one.every(None), "k must be an integer, got None"),
    (lambda: one(0.5), "t must be an integer or an integer array, got float"),
    (lambda: one(np.float64(3)), "t must be an integer or an integer array, got float64"),
    (lambda: one(True), "t must be an integer or an integer array, got bool"),
    (lambda: one("3"), "t must be an integer or an integer array, got str"),
    (lambda: one(None), "t must be an integer or an integer array, got None"),
    (lambda: one([1, 2]), "t must be an integer or an integer array, got list"),
    (lambda: one(np.arange(3.0)), "t must be an integer .* got an array of float64"),
    (lambda: one(np.array([True])), "t must be an integer .* got an array of bool"),
    (lambda: one(np.array([1], object)), "t must be an integer .* got an array of object"),
    (lambda: one(np.array([1], "m8[s]")), "t must be an integer .* got an array of timedelta64"),
    (lambda: one(np.ma.masked_array([1, 2], [0, 1])), "t must be an integer .* got a masked array"),
    (lambda: Schedule(), "missing"),
    (lambda: Schedule("Nothing"), "there is no schedule 'Nothing'"),
    (lambda: Schedule("Constant"), "missing argument 'value'"),
    (lambda: Schedule("Constant", 1, 2), "expected 1 arguments, got 2"),
]

nan, inf = float("nan"), float("inf")

BAD_VALUES: list[tuple[Any, str]] = [
    (lambda: Constant(nan), "value must be a finite number, got nan"),
    (lambda: Constant(inf), "value must be a finite number, got inf"),
    (lambda: Constant(10**400), "value must fit into a float, got an integer of 1329 bits$"),
    (lambda: Constant(-(10**5000)), "value must fit into a float, got an integer of 16610 bits$"),
    (lambda: Linear(-inf, 0, 5), "start must be a finite number, got -inf"),
    (lambda: Linear(0, nan, 5), "end must be a finite number, got nan"),
    (lambda: Linear(0, 1, 0), "steps must be at least 1, got 0"),
    (lambda: Linear(0, 1, -5), "steps must be at least 1, got -5"),
    (lambda: Linear(0, 1, 2**63), r"steps must be below 2\*\*63, got 9223372036854775808"),
    (lambda: Polynomial(1, 0, 5, power=0), "power must be finite and above 0, got 0.0"),
    (lambda: Polynomial(1, 0, 0), "steps must be at least 1, got 0"),
    (lambda: Exponential(1, -0.1), "gamma must be finite and at least 0, got -0.1"),
    (lambda: Exponential(1, 0.1, every=0), "every must be at least 1, got 0"),
    (lambda: Exponential.with_rate(1, nan), "rate must be a finite number, got nan"),
    (lambda: StepDecay(1, inf, 3), "gamma must be finite and at least 0, got inf"),
    (lambda: StepDecay(1, 0.1, -3), "every must be at least 1, got -3"),
    (lambda: MultiStep(1, [30, 20], 0.1), r"milestones\[1\] must be at least 30, got 20"),
    (lambda: MultiStep(1, [-1, 20], 0.1), r"milestones\[0\] must be at least 0, got -1"),
    (lambda: MultiStep(1, [1], nan), "gamma must be finite and at least 0, got nan"),
    (lambda: Piecewise([5, 5], [1, 2, 3]), r"boundaries\[1\] must be at least 6, got 5"),
    (lambda: Piecewise([-5], [1, 2]), r"boundaries\[0\] must be at least 0, got -5"),
    (lambda: Piecewise([5], [1]), r"values must be one longer than boundaries \(2 values\), got 1"),
    (lambda: Piecewise([5], [1, nan]), r"values\[1\] must be a finite number, got nan"),
    (lambda: InverseTime(1, -1), "rate must be finite and at least 0, got -1.0"),
    (lambda: InverseTime(1, 1, 0), "every must be at least 1, got 0"),
    (lambda: InverseSqrt(1, 0), "timescale must be at least 1, got 0"),
    (lambda: Cosine(nan, 5), "start must be a finite number, got nan"),
    (lambda: Cosine(1, -5), "steps must be at least 1, got -5"),
    (lambda: CosineRestarts(1, 0), "period must be at least 1, got 0"),
    (lambda: CosineRestarts(1, 5, 0.5), "period_mult must be finite and at least 1, got 0.5"),
    (lambda: CosineRestarts(1, 5, peak_mult=-1), "peak_mult must be finite and at least 0, got -1.0"),
    (lambda: OneCycle(1, 0), "steps must be at least 1, got 0"),
    (lambda: OneCycle(1, 9, pct_start=1.5), "pct_start must be at least 0 and at most 1, got 1.5"),
    (lambda: OneCycle(1, 9, pct_start=nan), "pct_start must be at least 0 and at most 1, got nan"),
    (lambda: OneCycle(1, 9, div=0), "div must be finite and above 0, got 0.0"),
    (lambda: OneCycle(1, 9, final_div=-1), "final_div must be finite and above 0, got -1.0"),
    (lambda: OneCycle(1, 9, anneal="exp"), "anneal must be one of 'cos', 'linear', got 'exp'"),
    (lambda: Cyclic(1, 0.5, 5), "high must be at least low = 1.0, got 0.5"),
    (lambda: Cyclic(0, 1, 0), "up must be at least 1, got 0"),
    (lambda: Cyclic(0, 1, 5, 0), "down must be at least 1, got 0"),
    (lambda: Cyclic(0, 1, 5, mode="square"), "mode must be one of 'triangular', .* got 'square'"),
    (lambda: Cyclic(0, 1, 5, gamma=1.1), "gamma must be at least 0 and at most 1, got 1.1"),
    (lambda: WarmupStableDecay(1, -1, 5, 5), "warmup must be at least 0, got -1"),
    (lambda: WarmupStableDecay(1, 5, -1, 5), "stable must be at least 0, got -1"),
    (lambda: WarmupStableDecay(1, 5, 5, 0), "decay must be at least 1, got 0"),
    (lambda: WarmupStableDecay(1, 5, 5, 5, shape="x"), "shape must be one of .* got 'x'"),
    (lambda: Table([]), "values must be at least one value, got none"),
    (lambda: Table([1, inf]), r"values\[1\] must be a finite number, got inf"),
    (lambda: Join([], []), "schedules must be at least one schedule, got none"),
    (lambda: Join([one, one], [1, 2]), r"at must be one shorter than schedules \(1 steps\), got 2"),
    (lambda: Join([one, one, one], [5, 5]), r"at\[1\] must be at least 6, got 5"),
    (lambda: one.then(one, at=-1), r"at\[0\] must be at least 0, got -1"),
    (lambda: one.warmup(-1), "steps must be at least 0, got -1"),
    (lambda: one.warmup(5, start=-0.1), "start must be finite and at least 0, got -0.1"),
    (lambda: one.warmup(5, start=0, shape="exponential"), "start must be finite and above 0, got 0.0"),
    (lambda: one.warmup(5, shape="root"), "shape must be one of .* got 'root'"),
    (lambda: Clip(one, 1, 0), "high must be at least low = 1.0, got 0.0"),
    (lambda: Clip(one, nan, 0), "low must be a finite number, got nan"),
    (lambda: one.every(0), "k must be at least 1, got 0"),
    (lambda: one.shift(-1), "n must be at least 0, got -1"),
    (lambda: one.repeat(0), "period must be at least 1, got 0"),
    (lambda: one * nan, "value must be a finite number, got nan"),
    (lambda: one(-1), "t must be at least 0, got -1"),
    (lambda: one(np.int64(-3)), "t must be at least 0, got -3"),
    (lambda: one(-(10**30)), "t must be at least 0, got -1000"),
    (lambda: one(10**5000), r"t must be below 2\*\*63, got an integer of 16610 bits$"),
    (lambda: Linear(0, 1, -(10**5000)), "steps must be at least 0, got an integer of 16610 bits$"),
    (lambda: one.warmup(10**5000), r"steps must be below 2\*\*63, got an integer of 16610 bits$"),
    (lambda: one(2**63), r"t must be below 2\*\*63, got 9223372036854775808"),
    (lambda: one(np.array([1, -2, 3])), "t must be at least 0, got -2"),
    (lambda: one(np.array(-2, np.int8)), "t must be at least 0, got -2"),
    (lambda: one(np.r_[np.zeros(200_000, int), -7, 0]), "t must be at least 0, got -7"),
    (lambda: one(np.array([2**63], np.uint64)), r"t must be below 2\*\*63, got 9223372036854775808"),
    (lambda: Lambda(float)(np.array([5, -1])), "t must be at least 0, got -1"),
]


@pytest.mark.parametrize(("make", "message"), BAD_TYPES, ids=[re.sub(r"\W+", "-", m) for _, m in BAD_TYPES])
def test_wrong_types_are_named(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(("make", "message"), BAD_VALUES, ids=[re.sub(r"\W+", "-", m) for _, m in BAD_VALUES])
def test_wrong_values_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
