"""The state of feedback schedules: plain numbers that JSON has, checked before they are restored."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

import gradstep as gs
from gradstep.feedback import Feedback, GradNormScaled, LossScaled, Plateau
from gradstep.schedules import Constant, Schedule
from refusals import refuses
from test_feedback import CASES


@pytest.fixture(params=CASES, ids=str)
def make(request: pytest.FixtureRequest) -> Callable[[Schedule], Feedback]:
    return CASES[request.param]


def test_the_state_is_strict_json_at_any_time(make: Callable[[Schedule], Feedback]) -> None:
    s = make(Constant(1.0))
    opt = gs.SGD(np.ones(1), lr=s)
    for norm in (None, 2.0, 1e-300, 1e100, 1e150, 1e150, 1e150):
        if norm is not None:
            opt.step(np.array([norm]), loss=norm)
        text = json.dumps(opt.feedback_state, allow_nan=False)
        fresh = make(Constant(1.0))
        fresh.state = json.loads(text)[0]
        assert fresh.state == s.state
        assert fresh(0) == s(0)
        s.observe(0.5)
        fresh.observe(0.5)
        assert fresh.state == s.state


@pytest.mark.parametrize("mode", ["min", "max"])
def test_before_the_first_observation_there_is_no_best(mode: Literal["min", "max"]) -> None:
    start = {"best": None, "bad": 0.0, "cooldown": 0.0, "scale": 1.0}
    assert Plateau(Constant(1.0), mode=mode).state == start
    for best in (None, math.inf, -math.inf):
        s = Plateau(Constant(1.0), mode=mode)
        s.observe(3.0)
        s.state = start | {"best": best}
        assert s.state == start
    s.state = start
    s.observe(5.0)
    assert s.state["best"] == 5.0


@pytest.mark.parametrize(("beta", "compound"), [(1e10, False), (1.0, True)])
def test_a_divisor_beyond_all_floats_stops_the_rate(beta: float, compound: bool) -> None:
    s = GradNormScaled(Constant(1.0), beta, compound)
    opt = gs.SGD(np.zeros(1), lr=s)
    for _ in range(3):
        opt.step(np.array([1e150]))
        assert s(0) < 1e-149
    assert math.isfinite(s.state["divisor"] or math.nan)


GOOD = {"best": 2.0, "bad": 1.0, "cooldown": 0.0, "scale": 0.25}


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("best", math.nan, "a number, got nan"),
        ("bad", -1.0, "whole and at least 0, got -1.0"),
        ("bad", 1.5, "whole and at least 0, got 1.5"),
        ("bad", math.inf, "whole and at least 0, got inf"),
        ("cooldown", -2, "whole and at least 0, got -2.0"),
        ("scale", 1.5, "at least 0 and at most 1, got 1.5"),
        ("scale", -0.5, "at least 0 and at most 1, got -0.5"),
        ("scale", math.nan, "at least 0 and at most 1, got nan"),
        ("divisor", 0.5, "finite and at least 1, got 0.5"),
        ("divisor", math.inf, "finite and at least 1, got inf"),
        ("loss", math.inf, "a finite number, got inf"),
        ("loss", -0.5, "above -1/beta = -0.5, got -0.5"),
    ],
)
def test_a_number_of_the_state_out_of_range(name: str, number: float, message: str) -> None:
    """Nothing is restored then, not even of the other schedules."""
    rates: list[Feedback] = [
        Plateau(Constant(1.0)),
        GradNormScaled(Constant(1.0), 1.0),
        LossScaled(Constant(1.0), 2.0),
    ]
    opt = gs.SGD([{"params": np.zeros(1), "lr": rate} for rate in rates])
    good = (GOOD, {"divisor": 3.0}, {"loss": 0.5})
    bad = [state | {name: number} if name in state else state for state in good]
    before = opt.feedback_state
    with refuses(ValueError, f"state['{name}'] must be {message}"):
        opt.feedback_state = bad
    assert opt.feedback_state == before
    opt.feedback_state = good
    assert opt.feedback_state == good


@pytest.mark.parametrize("name", ["bad", "cooldown", "scale"])
def test_only_the_best_may_be_none(name: str) -> None:
    s = Plateau(Constant(1.0))
    with refuses(TypeError, f"state['{name}'] must be a number, got None"):
        s.state = GOOD | {name: None}


def test_pickles_that_have_an_infinity_still_load() -> None:
    s = Plateau(Constant(1.0))
    s.observe(1.0)
    s.__setstate__({"best": math.inf, "bad": 0.0, "cooldown": 0.0, "scale": 1.0})
    assert s.state["best"] is None


def test_a_deep_copy_keeps_what_is_shared_shared() -> None:
    shared = LossScaled(Constant(1.0), 1.0)
    s = (shared * shared).then(shared.warmup(2), at=3)
    twin = copy.deepcopy(s)
    twin.observe(1.0)
    assert (twin(0), twin(9), s(0)) == (0.25, 0.5, 1.0)
    outside, inside = copy.deepcopy([shared, s])
    outside.observe(3.0)
    assert inside(9) == 0.25
