"""The numbers that a rule remembers beside the state: kept, restored, and untouched by a refused step."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from refusals import refuses

S = gs.schedules


def dog(*params: Array, **options: Any) -> gs.DoG:
    return gs.DoG(list(params), reps_rel=0.01, **options)


def test_most_rules_remember_none() -> None:
    assert gs.Adam([{"params": np.ones(2)}, {"params": np.ones(1)}]).scalars == ({}, {})
    assert gs.LAMB(np.ones(2)).scalars == ({},), "its ratio does not outlast the step"


def test_they_follow_from_all_arrays_together() -> None:
    p, q = np.array([3.0, 0.0]), np.array([[4.0]])
    opt = dog(p, q)
    opt.step([np.array([0.0, 2.0]), np.array([[1.0]])])
    (scalars,) = opt.scalars
    max_dist = 0.01 * (1 + 5)
    assert scalars == {"max_dist": max_dist, "sum_sq_grads": 5.0, "rate": max_dist / np.sqrt(5 + 1e-8)}
    np.testing.assert_array_equal(p, [3.0, -scalars["rate"] * 2.0])


def test_groups_see_the_same_sums_and_remember_by_themselves() -> None:
    p, q = np.array([3.0, 0.0]), np.array([4.0])
    opt = gs.DoG([{"params": p}, {"params": q, "reps_rel": 0.5, "lr": 2.0}], reps_rel=0.01)
    opt.step([np.array([0.0, 2.0]), np.array([1.0])])
    first, second = opt.scalars
    assert first["sum_sq_grads"] == second["sum_sq_grads"] == 5.0
    assert first["max_dist"] == 0.01 * 6
    assert second["max_dist"] == 0.5 * 6
    assert second["rate"] == 2.0 * 3.0 / np.sqrt(5 + 1e-8)


def test_a_refused_step_leaves_them() -> None:
    p = np.ones(3)
    opt = dog(p, clip_value=S.Table([1.0, 1.0, -1.0, 1.0]))
    for _ in range(2):
        opt.step([np.ones(3)])
    before, kept = opt.scalars, p.copy()
    with refuses(ValueError, "clip_value at step 2 must be at least 0, got -1.0"):
        opt.step([np.ones(3)])
    assert opt.scalars == before
    assert_same_bits(p, kept, "p")
    opt.step_count = 3
    opt.step([np.ones(3)])
    assert opt.scalars != before


def test_a_new_hyperparameter_leaves_them() -> None:
    opt = dog(np.ones(3))
    opt.step([np.ones(3)])
    before = opt.scalars
    opt.lr = 0.5
    opt.eps = S.Constant(0.1)
    assert opt.scalars == before


def test_they_are_set() -> None:
    opt = dog(np.ones(3))
    opt.scalars = [{"rate": 0.5, "max_dist": 1, "sum_sq_grads": float("inf")}]
    assert opt.scalars == ({"max_dist": 1.0, "sum_sq_grads": float("inf"), "rate": 0.5},)


@pytest.mark.parametrize(
    ("scalars", "error", "message"),
    [
        ([], ValueError, "scalars has 0 entries, but there are 1 groups"),
        ([{}, {}], ValueError, "scalars has 2 entries, but there are 1 groups"),
        ([1], TypeError, "scalars[0] must be a dict, got int"),
        ([{"rate": 1.0}], ValueError, "scalars[0] has no 'max_dist'; it has ['rate']"),
        (
            [{"rate": "1", "max_dist": 1.0, "sum_sq_grads": 0.0}],
            TypeError,
            "scalars[0]['rate'] must be a number, got str",
        ),
        (
            [{"rate": None, "max_dist": 1.0, "sum_sq_grads": 0.0}],
            TypeError,
            "scalars[0]['rate'] must be a number, got None",
        ),
        (
            [{"rate": 0.0, "max_dist": 1.0, "sum_sq_grads": 0.0, "more": 1.0}],
            ValueError,
            "scalars[0] has ['rate', 'max_dist', 'sum_sq_grads', 'more'], "
            "but only max_dist, sum_sq_grads, rate are wanted",
        ),
    ],
)
def test_what_is_not_theirs_is_refused_and_nothing_changes(
    scalars: Any, error: type[Exception], message: str
) -> None:
    opt = dog(np.ones(3))
    opt.step([np.ones(3)])
    before = opt.scalars
    with refuses(error, message):
        opt.scalars = scalars
    assert opt.scalars == before


@pytest.mark.parametrize(
    ("scalars", "error"),
    [
        (np.zeros(2), ValueError),
        (np.zeros(3, np.float32), TypeError),
        (np.zeros((3, 1)), TypeError),
        ([0.0, 0.0, 0.0], TypeError),
    ],
)
def test_a_function_wants_an_array_of_them(scalars: Any, error: type[Exception]) -> None:
    message = "scalars must be a writeable float64 array of shape (3,) for max_dist, sum_sq_grads, rate"
    with pytest.raises(error, match=re.escape(message)):
        gs.functional.dog(np.ones(2), np.ones(2), np.ones(2), scalars, step=1)


def test_a_function_does_not_write_into_an_array_that_is_read_only() -> None:
    scalars = np.zeros(3)
    scalars.flags.writeable = False
    with pytest.raises(ValueError, match="writeable"):
        gs.functional.dog(np.ones(2), np.ones(2), np.ones(2), scalars, step=0)
