"""NormGuard: what it limits, what it learns, and that without a spike a step is as without a guard."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradstep as gs
from gradstep.feedback import NormGuard, Plateau
from gradstep.schedules import Constant, Lambda
from refusals import refuses


def limit(norms: list[float], window: int, quantile: float, factor: float) -> float:
    """The limit of the next norm, by sorting."""
    last = sorted(norms[-window:])
    rank = max(1, math.ceil(quantile * len(last)))
    if not last or len(last) == rank < window or last[rank - 1] == 0:
        return math.inf
    return factor * last[rank - 1]


def optimizer(guard: Any, **options: Any) -> gs.SGD:
    return gs.SGD(np.zeros(1), lr=1.0, clip_norm=guard, clip_eps=0.0, **options)


@given(
    st.lists(st.one_of(st.floats(1e-100, 10), st.sampled_from([0.0, 1.0, 1e6])), max_size=60),
    st.integers(1, 20),
    st.sampled_from([0.0, 0.5, 0.8, 0.9, 0.99, 1.0]),
    st.sampled_from([1.0, 1.5, 3.0]),
    st.booleans(),
)
def test_it_is_its_formula(
    norms: list[float], window: int, quantile: float, factor: float, skips: bool
) -> None:
    opt = optimizer(NormGuard(window, quantile, factor, "skip" if skips else "clip"))
    expected, skipped = 0.0, 0
    for t, norm in enumerate(norms):
        highest = limit(norms[:t], window, quantile, factor)
        is_above = norm > highest
        assert opt.step(np.array([norm])) is not (is_above and skips)
        skipped += is_above and skips
        if not (is_above and skips):
            expected -= norm * (highest / norm) if is_above else norm
        assert opt.params == pytest.approx(expected, rel=1e-12)
        assert opt.clip_norm == (highest if is_above and not skips else math.inf)
    assert opt.skipped == skipped
    assert opt.step_count == len(norms) - skipped


@pytest.mark.parametrize("action", ["clip", "skip"])
@pytest.mark.parametrize("eps", [0.0, 1e-6])
def test_without_a_spike_the_bits_are_those_without_a_guard(action: Any, eps: float) -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(5, 7)).astype(np.float32)
    plain, guarded = start.copy(), start.copy()
    opts = [gs.Adam(plain), gs.Adam(guarded, clip_norm=NormGuard(10, 0.9, 1.5, action), clip_eps=eps)]
    for t in range(60):
        # Of a length that hardly changes, and next to nothing.
        g = rng.normal(size=(5, 7)).astype(np.float32)
        g *= np.float32(1e-9 * (1 + 0.01 * (t % 3)) / np.linalg.norm(g))
        for opt in opts:
            opt.step(g)
    assert (plain == guarded).all()
    assert opts[1].skipped == 0


@pytest.mark.parametrize("action", ["clip", "skip"])
@pytest.mark.parametrize(
    ("window", "quantile", "factor"), [(100, 0.99, 2.0), (20, 0.5, 1.0), (7, 0.0, 1.0), (1, 1.0, 1.0)]
)
def test_a_lasting_new_level_is_accepted_within_a_window(
    window: int, quantile: float, factor: float, action: Any
) -> None:
    opt = optimizer(NormGuard(window, quantile, factor, action))
    for _ in range(2 * window):
        assert opt.step(np.array([1.0]))
    limited = 0
    for _ in range(2 * window):
        limited += not opt.step(np.array([1000.0])) or opt.clip_norm != math.inf
    assert 0 < limited <= window
    assert limited == window - max(1, math.ceil(quantile * window)) + 1
    assert opt.step(np.array([1000.0])) and opt.clip_norm == math.inf  # noqa: PT018


def test_as_many_spikes_as_lie_above_the_quantile_change_nothing() -> None:
    opt = optimizer(NormGuard(window=20, quantile=0.9))
    for t in range(200):
        opt.step(np.array([1e9 if t >= 20 and t % 10 == 0 else 1.0]))
        assert opt.clip_norm == (2.0 if t >= 20 and t % 10 == 0 else math.inf)


@pytest.mark.parametrize("action", ["clip", "skip"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("nonfinite", "error"),
    [(None, gs.NonFiniteError), ("raise", gs.NonFiniteError), ("propagate", ValueError), ("skip", None)],
)
def test_a_norm_that_is_not_finite_never_comes_through(
    action: Any, bad: float, nonfinite: Any, error: Any
) -> None:
    opt = optimizer(NormGuard(5, 0.8, 2.0, action), nonfinite=nonfinite)
    for norm in (1.0, 2.0, 1.0, 1.0, 1.0, 9.0):
        opt.step(np.array([norm]))
    before = copy.deepcopy((opt.params, opt.feedback_state, opt.step_count))
    if error is None:
        assert opt.step(np.array([bad])) is False
    else:
        with pytest.raises(error, match="finite"):
            opt.step(np.array([bad]))
    assert (opt.params, opt.feedback_state, opt.step_count) == before


@pytest.mark.parametrize("action", ["clip", "skip"])
def test_a_step_that_fails_rolls_it_back(action: Any) -> None:
    def fails(t: int) -> float:
        if failing:
            raise KeyError(t)
        return 0.5

    failing = False
    opt = gs.SGD(np.zeros(1), lr=Lambda(fails), clip_norm=NormGuard(4, 0.75, 2.0, action))
    for norm in (1.0, 2.0, 3.0, 1.0, 2.0, 50.0, 2.0):
        opt.step(np.array([norm]))
        before = copy.deepcopy((opt.params, opt.feedback_state, opt.step_count))
        failing = True
        with pytest.raises(KeyError):
            opt.step(np.array([2.5]))
        failing = False
        assert (opt.params, opt.feedback_state, opt.step_count) == before


def test_a_loss_that_is_refused_rolls_it_back() -> None:
    opt = gs.SGD(np.zeros(1), lr=Plateau(Constant(0.1)), clip_norm=NormGuard(3))
    opt.step(np.array([1.0]), loss=1.0)
    before = opt.feedback_state
    with refuses(ValueError, "loss must be finite, got nan"):
        opt.step(np.array([2.0]), loss=math.nan)
    assert opt.feedback_state == before


def test_a_skipped_step_tells_nobody_else() -> None:
    opt = gs.SGD(np.zeros(1), lr=Plateau(Constant(0.1)), clip_norm=NormGuard(3, 0.6, 2.0, "skip"))
    for norm in (1.0, 1.0, 1.0):
        opt.step(np.array([norm]), loss=5.0)
    rate, guard = opt.feedback_state
    assert opt.step(np.array([9.0]), loss=1.0) is False
    after = opt.feedback_state
    assert after[0] == rate
    assert after[1]["norms"] == [1.0, 1.0, 9.0] != guard["norms"]


def norm_of(t: int) -> float:
    return 100.0 if t % 13 == 12 else 1.0 + (t * 7 % 5) / 5


@pytest.mark.parametrize("action", ["clip", "skip"])
@pytest.mark.parametrize("way", ["feedback_state", "state_dict", "pickle", "deepcopy"])
def test_a_run_in_two_parts_is_one_in_one(action: Any, way: str) -> None:
    def make() -> gs.Adam:
        return gs.Adam(np.zeros(3), lr=0.1, clip_norm=NormGuard(12, 0.9, 2.0, action))

    def run(opt: gs.Adam, begin: int, end: int) -> list[Any]:
        return [(opt.step(np.full(3, norm_of(t))), opt.clip_norm) for t in range(begin, end)]

    whole = make()
    expected = run(whole, 0, 80)
    opt = make()
    got = run(opt, 0, 41)
    other = make()
    if way == "feedback_state":
        other.load_state_dict(opt.state_dict() | {"feedback": [{"limit": None, "norms": []}]})
        other.feedback_state = json.loads(json.dumps(opt.feedback_state, allow_nan=False))
        copy_params(opt, other)
    elif way == "state_dict":
        other.load_state_dict(json_like(opt.state_dict()))
        copy_params(opt, other)
    else:
        other = pickle.loads(pickle.dumps(opt)) if way == "pickle" else copy.deepcopy(opt)
    got += run(other, 41, 80)
    assert got == expected
    np.testing.assert_array_equal(other.params, whole.params)
    assert (other.feedback_state, other.skipped) == (whole.feedback_state, whole.skipped)


def copy_params(source: Any, target: Any) -> None:
    target.params[...] = source.params


def json_like(saved: dict[str, Any]) -> dict[str, Any]:
    return pickle.loads(pickle.dumps(saved))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("state", "kind", "message"),
    [
        ({"norms": []}, ValueError, "state has no 'limit'; it has ['norms']"),
        ({"limit": None}, ValueError, "state has no 'norms'; it has ['limit']"),
        (
            {"limit": None, "norms": [], "x": 1},
            ValueError,
            "state has ['limit', 'norms', 'x'], but only limit, norms are wanted",
        ),
        ({"limit": -1.0, "norms": []}, ValueError, "state['limit'] must be at least 0, got -1.0"),
        ({"limit": None, "norms": 3.0}, TypeError, "state['norms'] must be a list, got float"),
        ({"limit": None, "norms": [1.0, "a"]}, TypeError, "state['norms'][1] must be a number, got str"),
        (
            {"limit": None, "norms": [1.0, -2.0]},
            ValueError,
            "state['norms'][1] must be finite and at least 0, got -2.0",
        ),
        (
            {"limit": None, "norms": [math.nan]},
            ValueError,
            "state['norms'][0] must be finite and at least 0, got nan",
        ),
        (
            {"limit": None, "norms": [1.0] * 4},
            ValueError,
            "state['norms'] must be at most as long as the window (3 norms), got 4",
        ),
    ],
)
def test_a_state_that_is_refused(state: dict[str, Any], kind: Any, message: str) -> None:
    guard = NormGuard(3)
    guard.state = {"limit": 2.0, "norms": [1.0, 2.0]}
    with refuses(kind, message):
        guard.state = state
    assert guard.state == {"limit": 2.0, "norms": [1.0, 2.0]}


def test_the_sign_of_a_zero_does_not_matter() -> None:
    guard = NormGuard(3, 0.6)
    guard.state = {"limit": None, "norms": [-0.0, 1.0, -0.0]}
    opt = optimizer(guard)
    opt.step(np.array([5.0]))
    assert guard.state["norms"] == [1.0, 0.0, 5.0]
    assert opt.clip_norm == math.inf


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"window": 0}, ValueError, "window must be at least 1, got 0"),
        ({"window": 10**6 + 1}, ValueError, "window must be at most 1000000, got 1000001"),
        ({"window": 1.5}, TypeError, "window must be an integer, got float"),
        ({"quantile": 1.5}, ValueError, "quantile must be at least 0 and at most 1, got 1.5"),
        ({"factor": 0.5}, ValueError, "factor must be finite and at least 1, got 0.5"),
        ({"action": "raise"}, ValueError, "action must be one of 'clip', 'skip', got 'raise'"),
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], kind: Any, message: str) -> None:
    with refuses(kind, message):
        NormGuard(**arguments)


def test_a_composition_of_it_limits_too() -> None:
    opt = optimizer(NormGuard(4, 0.75).clip(0.0, 1.5))
    for norm in (1.0, 1.0, 1.0, 1.0, 1.6, 0.5):
        opt.step(np.array([norm]))
    assert opt.params == pytest.approx(-6.0)


@pytest.mark.parametrize("action", ["clip", "skip"])
def test_of_several_gradients_the_mean_is_guarded(action: Any) -> None:
    opt = optimizer(NormGuard(4, 0.75, 2.0, action), accumulate=2)
    grads = [1.0] * 8 + [1.0, 99.0] + [1.0] * 2
    done = [opt.step(np.array([g])) for g in grads]
    assert done[9] is (action == "clip")
    assert done[11] is True
    assert opt.skipped == (action == "skip")
    assert opt.params == pytest.approx(-5.0 if action == "skip" else -7.0)


def test_other_call_shapes_are_guarded_too() -> None:
    opt = gs.SGD(lr=1.0, clip_norm=NormGuard(2, 0.5, 2.0, "skip"))
    params = np.zeros(1)
    for norm in (1.0, 1.0, 100.0, 1.0):
        params = opt.apply_gradients(np.array([norm]), params)
    assert params == -3.0
    assert opt.skipped == 1


def test_a_long_window() -> None:
    opt = optimizer(NormGuard(10**6, 0.5, 1.0))
    for t in range(2000):
        opt.step(np.array([float(t % 10 + 1)]))
    assert opt.step(np.array([7.0]))
    assert opt.clip_norm == 5.0
