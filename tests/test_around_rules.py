"""What goes on around every rule, by hand: bounds, l1, maximize, measure, scale, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
import reference
from bits import assert_same_bits
from drawings import OPTIMIZERS
from refusals import refuses
from trees import like, normal


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_parameters_stay_within_their_bounds(name: str) -> None:
    w = normal(1, 50)
    opt = OPTIMIZERS[name](w, lr=1.0, bounds=(-0.5, 0.25))
    for t in range(3):
        opt.step(normal(t, 50))
        assert (w.min(), w.max()) >= (-0.5, -0.5)
        assert w.max() <= 0.25
    assert {-0.5, 0.25} & set(w.tolist())


def test_one_bound_may_be_left_open_and_what_is_no_number_stays() -> None:
    for bounds, want in (
        ((None, 0.0), [-1.0, 0.0]),
        ((0.0, None), [0.0, 1.0]),
        ((None, None), [-1.0, 1.0]),
        (None, [-1.0, 1.0]),
        ((-np.inf, 0.5), [-1.0, 0.5]),
    ):
        w = np.array([-1.0, 1.0])
        gs.SGD(w, lr=0.0, bounds=bounds).step(np.ones(2))
        assert w.tolist() == want
    w = np.zeros(1)
    gs.SGD(w, bounds=(0.0, 1.0)).step(np.full(1, np.nan))
    assert np.isnan(w[0])


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ((1.0, 0.0), ValueError, "bounds must rise, got (1.0, 0.0)"),
        ((0.0, float("nan")), ValueError, "bounds[1] must be a number, got nan"),
        ((0.0,), TypeError, "bounds must be a pair (low, high), got tuple"),
        (1.0, TypeError, "bounds must be a pair (low, high), got float"),
        (("a", 1.0), TypeError, "bounds[0] must be a float, got str"),
    ],
)
def test_bounds_that_are_none_are_refused(bounds: Any, error: type[Exception], message: str) -> None:
    with refuses(error, message):
        gs.SGD(np.zeros(1), bounds=bounds)
    opt: Any = gs.SGD(np.zeros(1), bounds=(0.0, 1.0))
    with refuses(error, message):
        opt.bounds = bounds
    assert opt.bounds == (0.0, 1.0)


def test_l1_shrinks_towards_zero_and_stops_there() -> None:
    w = np.array([1.0, -1.0, 0.25, -0.25, 0.5, -0.0, 0.0])
    gs.SGD(w, lr=0.5, l1=1.0).step(np.zeros(7))
    assert_same_bits(w, np.array([0.5, -0.5, 0.0, -0.0, 0.0, -0.0, 0.0]), "w")


def test_l1_makes_what_does_not_matter_exactly_zero() -> None:
    """The lasso: of ten features, two matter."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 10))
    y = 3 * x[:, 2] - 2 * x[:, 5] + 0.1 * random.normal(size=200)
    w = np.zeros(10)
    opt: Any = gs.SGD(w, lr=0.1, l1=0.1)
    for _ in range(300):
        opt.step(x.T @ (x @ w - y) / 200)
    assert np.flatnonzero(w).tolist() == [2, 5]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_to_maximize_is_to_minimize_with_the_other_sign(name: str) -> None:
    up, down = normal(1, 60), normal(1, 60)
    opt = OPTIMIZERS[name](up, lr=0.1, maximize=True, weight_decay=0.1)
    want = OPTIMIZERS[name](down, lr=0.1, weight_decay=0.1)
    for t in range(3):
        opt.step(normal(t, 60))
        want.step(-normal(t, 60))
    assert_same_bits(up, down, "w")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_scale_is_what_the_gradients_are_multiplied_by(name: str) -> None:
    options: dict[str, Any] = {"lr": 0.1, "clip_norm": 0.5, "clip_value": 0.2}
    a, b = normal(1, 60), normal(1, 60)
    opt, want = OPTIMIZERS[name](a, **options), OPTIMIZERS[name](b, **options)
    for t in range(3):
        opt.step(128 * normal(t, 60), scale=1 / 128)
        want.step(normal(t, 60))
    assert_same_bits(a, b, "w")
    assert opt.grad_norm == want.grad_norm


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_measured_are_the_norms_of_the_update_and_of_the_parameters_before_it(
    name: str, threads: int
) -> None:
    params = {"w": normal(1, 300, 400), "b": normal(2, 7, dtype=np.float32)}
    opt = OPTIMIZERS[name](params, lr=0.1, measure=True)
    assert (opt.update_norm, opt.param_norm) == (None, None)
    with gs.num_threads(threads):
        for t in range(2):
            before = {key: p.copy() for key, p in params.items()}
            opt.step(like(params, t))
            changes = [params[key] - before[key] for key in params]
            assert opt.update_norm == reference.global_norm(changes)
            assert opt.param_norm == reference.global_norm(list(before.values()))


def test_what_is_not_measured_is_none() -> None:
    opt: Any = gs.SGD(np.ones(2), lr=0.5, measure=True)
    opt.step(np.ones(2))
    assert (opt.update_norm, opt.param_norm) == (0.5 * 2**0.5, 2**0.5)
    opt.measure = False
    opt.step(np.ones(2))
    assert (opt.update_norm, opt.param_norm) == (None, None)
    with refuses(TypeError, "measure must be a bool, got int"):
        opt.measure = 1


def test_the_ratio_of_evolution_strategies() -> None:
    """OpenAI's return ‖step‖/‖θ‖ for the log."""
    theta, g = normal(1, 20), normal(2, 20)
    opt: Any = gs.SGD.like("openai_es", theta, lr=0.1, measure=True)
    before = theta.copy()
    opt.step(g)
    assert opt.update_norm is not None
    assert opt.param_norm is not None
    ratio = np.linalg.norm(theta - before) / np.linalg.norm(before)
    assert opt.update_norm / opt.param_norm == pytest.approx(ratio, rel=1e-12)


def test_a_limit_on_each_array_comes_before_that_on_all() -> None:
    a, b = np.zeros(1), np.zeros(1)
    gs.SGD([a, b], lr=1.0, clip_norm_each=1.0, clip_norm=1.0, clip_eps=0.0).step(
        [np.full(1, 10.0), np.full(1, 1.0)]
    )
    np.testing.assert_allclose([a[0], b[0]], [-(0.5**0.5)] * 2)


def test_zero_is_a_limit_and_none_is_no_limit() -> None:
    made: Any = gs.SGD
    for option in ("clip_norm", "clip_norm_each", "clip_value"):
        w = np.zeros(1)
        made(w, lr=1.0, **{option: 0.0}).step(np.ones(1))
        assert w.tolist() == [0.0]
        made(w, lr=1.0, **{option: None}).step(np.ones(1))
        assert w.tolist() == [-1.0]
