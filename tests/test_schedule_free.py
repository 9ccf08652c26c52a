"""The two points of the schedule-free rules: the one that is trained, and the average."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import gradstep as gs
from bits import Array
from refusals import refuses

S = gs.schedules
CLASSES = [gs.ScheduleFreeSGD, gs.ScheduleFreeAdamW]


def gradient(y: Array, t: int) -> Array:
    return (y - np.arange(y.size)) * np.linspace(0.5, 2.0, y.size) + np.cos(t + np.arange(y.size))


@pytest.mark.parametrize("warmup_steps", [0, 7])
@pytest.mark.parametrize(
    "momentum", [0.9, S.Linear(0.5, 0.95, 20), S.Table([0.9, 0.9, 0.2, 0.99])], ids=["same", "rises", "jumps"]
)
def test_both_points_are_those_of_the_three_lines_of_the_paper(momentum: Any, warmup_steps: int) -> None:
    """Also where the share of the average in the trained point changes, which does not move the average."""
    lr, power, r = 0.3, 2.0, 1.0
    y = np.linspace(-1.0, 1.0, 5)
    x = z = want = y.copy()
    opt = gs.ScheduleFreeSGD(y, lr=lr, momentum=momentum, warmup_steps=warmup_steps, r=r)
    total = 0.0
    for t in range(40):
        opt.step(gradient(y, t))
        rate = lr * min(1.0, (t + 1) / max(warmup_steps, 1))
        weight = (t + 1) ** r * rate**power
        total += weight
        z = z - rate * gradient(want, t)
        x = x + weight / total * (z - x)
        β = momentum(t) if isinstance(momentum, S.Schedule) else momentum
        want = (1 - β) * z + β * x
        np.testing.assert_allclose(y, want, rtol=0, atol=1e-12)
        np.testing.assert_allclose(opt.state["0"]["z"], z, rtol=0, atol=1e-12)
        assert isinstance(opt.averaged, np.ndarray)
        np.testing.assert_allclose(opt.averaged, x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cls", CLASSES)
def test_another_share_leaves_the_average(cls: type[Any]) -> None:
    y = np.linspace(-1.0, 1.0, 5)
    opt = cls(y)
    for t in range(3):
        opt.step(gradient(y, t))
    before = opt.averaged
    setattr(opt, "momentum" if cls is gs.ScheduleFreeSGD else "beta1", 0.5)
    np.testing.assert_array_equal(opt.averaged, before)


class Layer(NamedTuple):
    w: Array
    b: Array


@pytest.mark.parametrize("cls", CLASSES)
def test_the_average_has_the_structure_of_the_parameters(cls: type[Any]) -> None:
    w = np.asarray(np.arange(6.0).reshape(2, 3), order="F")
    b, c, d = np.ones(3, np.float32), np.array(2.0), np.zeros(0)
    opt = cls({"first": [Layer(w, b)], "second": (c, {"d": d})})
    for _ in range(2):
        opt.step({"first": [[np.ones((2, 3)), np.ones(3)]], "second": [1.0, {"d": np.zeros(0)}]})
    averaged: Any = opt.averaged
    assert isinstance(averaged["first"][0], Layer)
    assert isinstance(averaged["second"], tuple)
    found: list[Array] = [*averaged["first"][0], averaged["second"][0], averaged["second"][1]["d"]]
    given: list[Array] = [w, b, c, d]
    for y, x, slots in zip(given, found, opt.state.values(), strict=True):
        assert (x.dtype, x.shape, x.strides) == (y.dtype, y.shape, y.strides)
        assert not np.shares_memory(x, y)
        np.testing.assert_allclose(y, 0.1 * slots["z"] + 0.9 * x, rtol=1e-6)


@pytest.mark.parametrize("cls", CLASSES)
def test_each_group_has_its_own_share(cls: type[Any]) -> None:
    share = "momentum" if cls is gs.ScheduleFreeSGD else "beta1"
    p, q = np.zeros(2), np.zeros(1)
    opt = cls([{"params": [p], share: 0.5}, {"params": {"q": q}}])
    for _ in range(2):
        opt.step([[np.ones(2)], {"q": np.ones(1)}])
    (x,), rest = opt.averaged
    first, second = (slots["z"] for slots in opt.state.values())
    np.testing.assert_allclose(p, 0.5 * first + 0.5 * x, rtol=1e-12)
    np.testing.assert_allclose(q, 0.1 * second + 0.9 * rest["q"], rtol=1e-12)


@pytest.mark.parametrize("cls", CLASSES)
def test_before_the_first_update_all_points_are_one(cls: type[Any]) -> None:
    p = np.arange(3.0)
    opt = cls(p)
    np.testing.assert_array_equal(opt.averaged, p)
    assert not np.shares_memory(opt.averaged, p)
    with pytest.raises(AttributeError, match=r"averaged cannot be changed"):
        opt.averaged = p


@pytest.mark.parametrize("momentum", [0.0, 1.0])
def test_a_point_that_is_only_one_of_both_is_refused(momentum: float) -> None:
    with refuses(ValueError, f"momentum must be above 0 and below 1, got {momentum}"):
        gs.ScheduleFreeSGD(np.ones(2), momentum=momentum)


def test_a_warmup_is_counted_in_whole_updates() -> None:
    with refuses(ValueError, "warmup_steps must be whole and at least 0, got 2.5"):
        gs.ScheduleFreeSGD(np.ones(2), warmup_steps=2.5)


def test_rates_of_zero_count_for_nothing() -> None:
    p = np.ones(2)
    opt = gs.ScheduleFreeSGD(p, lr=S.Table([0.0, 0.0, 0.5]))
    for _ in range(2):
        opt.step(np.ones(2))
    np.testing.assert_array_equal(p, 1.0)
    opt.step(np.ones(2))
    np.testing.assert_array_equal(opt.averaged, 0.5)
