"""Lists of millions: read in no time, kept as arrays, and all that a short one can do."""

# What the types forbid is what this file passes.
# mypy: disable-error-code="arg-type, list-item"

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import Constant, Join, Linear, MultiStep, Piecewise, Schedule, Table

RNG = np.random.default_rng(5)
LENGTHS = [1, 1000, 1001, 5000]
lengths = pytest.mark.parametrize("n", LENGTHS)


NAN = float("nan")
MASKED = np.ma.array([1.0, 2.0], mask=[False, True])
FAR = np.array([1, 2**63], np.uint64)


def steps(milestones: Any) -> Schedule:
    return MultiStep(1.0, milestones, 0.5)


def values(n: int) -> list[float]:
    return [float(value) for value in RNG.normal(size=n)]


MAKE: dict[str, Callable[[int], Schedule]] = {
    "Table": lambda n: Table(values(n)),
    "MultiStep": lambda n: MultiStep(1.0, range(n), 0.999),
    "Piecewise": lambda n: Piecewise(range(3, n + 3), values(n + 1)),
    "Join": lambda n: Join([Constant(float(i)) for i in range(n + 1)], range(1, n + 1)),
    "nested": lambda n: (Table(values(n)) * Table(values(n))).warmup(3).then(Table(values(n)), at=7),
}
kinds = pytest.mark.parametrize("kind", MAKE)


@kinds
@lengths
def test_what_a_schedule_can_do(kind: str, n: int) -> None:
    s = MAKE[kind](n)
    again = eval(repr(s), dict(vars(gs.schedules)))
    for twin in (again, pickle.loads(pickle.dumps(s)), copy.deepcopy(s), type(s)(*s.params.values())):
        assert twin == s
        assert hash(twin) == hash(s)
        assert repr(twin) == repr(s)
    steps = np.arange(0, 2 * n, 7)
    assert again(steps).tolist() == [s(int(t)) for t in steps]


@kinds
def test_one_item_makes_two_schedules(kind: str) -> None:
    assert MAKE[kind](2000) != MAKE[kind](2001)
    long = values(2000)
    assert Table(long) != Table([*long[:1234], 0.5, *long[1235:]])
    assert Table(long) != Table([*long, 0.5])
    assert MultiStep(1.0, range(2000), 0.5) != MultiStep(1.0, range(1, 2001), 0.5)


def test_zeros_of_both_signs_are_equal() -> None:
    for n in LENGTHS:
        assert Table([-0.0] * n) == Table([0.0] * n)
        assert hash(Table([-0.0] * n)) == hash(Table([0.0] * n))


def test_the_formula_holds_for_the_late_milestones_too() -> None:
    s = MultiStep(2.0, range(10, 5010), 0.999)
    for t in (0, 10, 1032, 1033, 1034, 5008, 5009, 10**6):
        assert s(t) == 2.0 * 0.999 ** min(max(t - 9, 0), 5000)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "g", "i1", "u4", "i8", "u8"])
@lengths
def test_an_array_is_read_as_its_items(dtype: str, n: int) -> None:
    array = (RNG.random(2 * n) * 100).astype(dtype)[::-2]
    assert Table(array) == Table([float(item) for item in array])
    if array.dtype.kind in "iu":
        steps = np.sort(array)
        assert MultiStep(1.0, steps, 0.5) == MultiStep(1.0, [int(item) for item in steps], 0.5)


def test_a_list_is_kept_for_ever() -> None:
    source = np.ones(2000)
    s = Table(source)
    before, text = hash(s), repr(s)
    source[:] = 7.0
    kept = s.params["values"]
    assert (kept.dtype, kept.shape) == (np.float64, (2000,))
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 7.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        kept.flags.writeable = True
    assert (s(0), hash(s), repr(s)) == (1.0, before, text)
    assert MultiStep(1.0, range(2000), 0.5).params["milestones"].dtype == np.int64
    assert type(Table(np.ones(1000)).params["values"]) is tuple


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Table([1.0] * 2000 + ["x"]), TypeError, r"values\[2000\] must be a number, got str"),
    (lambda: Table([1.0] * 2000 + [NAN]), ValueError, r"values\[2000\] must be a finite number, got nan"),
    (lambda: Table(np.array([1.0, NAN])), ValueError, r"values\[1\] must be a finite number, got nan"),
    (lambda: Table(np.ones(3, bool)), TypeError, r"values\[0\] must be a number, got bool"),
    (lambda: Table(np.ones(3, complex)), TypeError, r"values\[0\] must be a number, got complex128"),
    (lambda: Table(np.array(["1"])), TypeError, r"values\[0\] must be a number, got str_?"),
    (lambda: Table(MASKED), TypeError, r"values\[1\] must be a number, got a masked array"),
    (lambda: steps(np.ones(3)), TypeError, r"milestones\[0\] must be an integer, got float64"),
    (lambda: steps(np.r_[0:2000, -1]), ValueError, r"milestones\[2000\] must be at least 1999, got -1"),
    (lambda: steps(FAR), ValueError, r"milestones\[1\] must be below 2\*\*63, got 9223372036854775808"),
    (lambda: steps(range(2**62)), MemoryError, "^$"),
    (lambda: Join([Constant(1.0)] * 2000 + [1], []), TypeError, r"schedules\[2000\] must be a schedule"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_bad_items_are_named(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_ten_million_values_take_no_time() -> None:
    array = np.ones(10**7)
    begin = time.process_time()
    Table(array)
    assert time.process_time() - begin < 1.0


def test_an_optimizer_is_printed_on_a_line() -> None:
    table, few = Table(np.ones(5000)), Table([1.0] * 10)
    text = repr(gs.SGD(np.ones(1), lr=table, weight_decay=few))
    assert f"(lr=Table(values=<5000 values>), weight_decay={few}, momentum=0.0" in text
    joined = Join([Linear(1.0, 0.0, 9)] * 11, range(1, 11)).warmup(3) * table
    assert (
        "lr=Product(a=Warmup(schedule=Join(schedules=<11 schedules>, at=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)), "
        "steps=3, start=0.25, shape='linear'), b=Table(values=<5000 values>))"
    ) in repr(gs.SGD(np.ones(1), lr=joined))
    large: Schedule = few
    for _ in range(8):
        large = large * large
    assert len(repr(gs.SGD(np.ones(1), lr=large))) < 3000 < len(repr(large))
