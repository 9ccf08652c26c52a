"""What is done with gradients that are not finite, with and without a limit on a norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, digest
from drawings import OPTIMIZERS
from refusals import refuses
from trees import leaves, normal

LIMITS: list[dict[str, Any]] = [{}, {"clip_norm": 1.0}, {"clip_norm_each": 1.0}, {"clip_norm": float("inf")}]
VALUES = [np.nan, np.inf, -np.inf]


def made(name: str = "Adam", **options: Any) -> tuple[gs.Optimizer, dict[str, Any]]:
    params = {"w": normal(1, 600, 2), "b": normal(2, 3)}
    opt = OPTIMIZERS[name](params, lr=0.1, **options)
    opt.step({"w": normal(3, 600, 2), "b": normal(4, 3)})
    return opt, params


def spoilt(value: float, *, both: bool = False) -> dict[str, Any]:
    w, b = normal(5, 600, 2), normal(6, 3)
    w[599, 1] = w[7, 0] = value
    if both:
        b[1] = value
    return {"w": w, "b": b}


def all_bits(opt: gs.Optimizer, params: Any) -> str:
    return digest([*leaves(params), *(array for slots in opt.state.values() for array in slots.values())])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("value", VALUES)
def test_raise_names_the_arrays_and_the_counts_and_changes_nothing(
    name: str, limits: dict[str, Any], value: float
) -> None:
    opt, params = made(name, nonfinite="raise", **limits)
    before = all_bits(opt, params), opt.step_count, opt.counts, opt.grad_norm, opt.scalars
    with refuses(gs.NonFiniteError, "gradients are not finite: grads['w'] in 2 of 1200 elements"):
        opt.step(spoilt(value))
    with refuses(
        gs.NonFiniteError,
        "gradients are not finite: grads['w'] in 2 of 1200 elements, grads['b'] in 1 of 3 elements",
    ):
        opt.apply_gradients(spoilt(value, both=True), params)
    assert (all_bits(opt, params), opt.step_count, opt.counts, opt.grad_norm, opt.scalars) == before
    assert opt.skipped == 0


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("value", VALUES)
def test_skip_moves_nothing_but_the_number_of_the_skipped(
    name: str, limits: dict[str, Any], value: float
) -> None:
    opt, params = made(name, nonfinite="skip", **limits)
    before = all_bits(opt, params), opt.step_count, opt.counts, opt.grad_norm, opt.scalars
    assert opt.step(spoilt(value)) is False
    new = opt.apply_gradients(spoilt(value), params)
    assert_same_bits(new["w"], params["w"], "a copy")
    assert_same_bits(opt.updates(spoilt(value))["w"], np.zeros((600, 2)), "nothing to add")
    assert (all_bits(opt, params), opt.step_count, opt.counts, opt.grad_norm, opt.scalars) == before
    assert opt.skipped == 3
    assert opt.step({"w": normal(7, 600, 2), "b": normal(8, 3)})
    assert opt.skipped == 3


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("value", VALUES)
def test_propagate_lets_them_through(limits: dict[str, Any], value: float) -> None:
    opt, params = made("SGD", nonfinite="propagate", **limits)
    assert opt.step(spoilt(value)) is True
    assert opt.step_count == 2
    if limits.get("clip_norm") == 1.0:
        # A norm that is infinite leaves 0 of what is finite; one that is no number, nothing.
        assert np.isnan(params["b"]).all() == np.isnan(value)
    else:
        assert np.isfinite(params["b"]).all()
    assert not np.isfinite(params["w"][[7, 599], [0, 1]]).any()


@pytest.mark.parametrize("value", VALUES)
def test_none_refuses_them_where_a_norm_is_taken_for_a_limit(value: float) -> None:
    shown = "nan" if np.isnan(value) else "inf"
    for name in ("clip_norm", "clip_norm_each"):
        opt, params = made("Adam", **{name: 1.0})
        before = all_bits(opt, params)
        with refuses(
            gs.NonFiniteError, f"{name} needs a finite gradient norm, but that of grads['w'] is {shown}"
        ):
            opt.step(spoilt(value))
        assert all_bits(opt, params) == before
    opt, params = made("SGD")
    assert opt.step(spoilt(value))
    assert not np.isfinite(params["w"][7, 0])


@pytest.mark.parametrize("nonfinite", ["raise", "skip", "propagate"])
@pytest.mark.parametrize("limits", LIMITS)
def test_finite_gradients_are_no_different(nonfinite: Any, limits: dict[str, Any]) -> None:
    opt, params = made(nonfinite=nonfinite, **limits)
    plain, same = made(**limits)
    for one in (opt, plain):
        one.step({"w": normal(7, 600, 2), "b": normal(8, 3)})
    assert all_bits(opt, params) == all_bits(plain, same)


def test_a_sum_of_squares_that_overflows_is_no_element_that_is_infinite() -> None:
    """1e200² is infinite, 1e200 is not: there is nothing to skip; a limit cannot do with it."""
    g = np.full(2, 1e200)
    for nonfinite in ("raise", "skip"):
        w = np.zeros(2)
        opt: Any = gs.SGD(w, lr=1.0, nonfinite=nonfinite)
        assert opt.step(g)
        assert w.tolist() == [-1e200, -1e200]
        limited: Any = gs.SGD(np.zeros(2), nonfinite=nonfinite, clip_norm=1.0)
        with refuses(gs.NonFiniteError, "clip_norm needs a finite gradient norm, but that of grads is inf"):
            limited.step(g)


def test_it_is_an_error_of_value() -> None:
    assert issubclass(gs.NonFiniteError, ValueError)
    opt: Any = gs.SGD(np.zeros(1), nonfinite="raise")
    with refuses(gs.NonFiniteError, "gradients are not finite: grads in 1 of 1 elements"):
        opt.step(np.full(1, np.nan))


def test_not_more_than_eight_arrays_are_named() -> None:
    opt: Any = gs.SGD([np.zeros(1) for _ in range(11)], nonfinite="raise")
    with pytest.raises(gs.NonFiniteError, match=r"grads\['7'\] in 1 of 1 elements, and 3 more$"):
        opt.step([np.full(1, np.inf) for _ in range(11)])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_gradients_of_any_kind_are_looked_at(dtype: Any, order: Any) -> None:
    g = np.ones((5, 7), dtype, order)
    g[3, 2] = np.inf
    opt: Any = gs.SGD([np.zeros((5, 7))], nonfinite="raise")
    with refuses(gs.NonFiniteError, "gradients are not finite: grads['0'] in 1 of 35 elements"):
        opt.step([g])


def test_one_that_overflows_in_the_dtype_of_its_parameter_counts() -> None:
    opt: Any = gs.SGD([np.zeros(2, np.float32)], nonfinite="skip")
    with np.errstate(over="ignore"):
        assert opt.step([np.array([1.0, 1e300])]) is False
    assert opt.skipped == 1


def test_one_of_several_gradients_is_skipped_by_itself() -> None:
    """The window goes on with the next: k finite gradients make an update."""
    w = np.zeros(2)
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2, nonfinite="skip")
    assert not opt.step(np.ones(2))
    assert not opt.step(np.array([np.nan, 1.0]))
    assert (opt.skipped, opt.micro_step) == (1, 1)
    assert opt.step(np.full(2, 3.0))
    assert w.tolist() == [-2.0, -2.0]


@pytest.mark.parametrize("options", [{"nonfinite": "raise"}, {"clip_norm": 1.0}])
def test_one_of_several_gradients_is_refused_by_itself(options: dict[str, Any]) -> None:
    w = np.zeros(2)
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2, **options)
    for finite in (np.zeros(2), np.full(2, 0.5)):
        with pytest.raises(gs.NonFiniteError, match="grads"):
            opt.step(np.array([np.nan, 1.0]))
        opt.step(finite)
    assert w.tolist() == [-0.25, -0.25]


def test_a_skipped_step_tells_feedback_nothing() -> None:
    rate = gs.feedback.LossScaled(gs.schedules.Constant(1.0), beta=1.0)
    opt: Any = gs.SGD(np.zeros(1), lr=rate, nonfinite="skip")
    opt.step(np.full(1, np.nan), loss=3.0)
    assert opt.feedback_state[0]["loss"] == 0.0


def test_what_has_no_gradient_is_not_looked_at() -> None:
    opt: Any = gs.SGD({"w": np.zeros(1), "b": np.zeros(1)}, nonfinite="raise")
    assert opt.step({"w": None, "b": np.ones(1)})
    opt.freeze("w")
    assert opt.step({"w": np.full(1, np.nan), "b": np.ones(1)})


def test_it_can_be_assigned() -> None:
    made: Any = gs.SGD
    opt = made(np.zeros(1))
    assert opt.nonfinite is None
    opt.nonfinite = "skip"
    assert opt.nonfinite == "skip"
    assert opt.step(np.full(1, np.nan)) is False
    with refuses(ValueError, "nonfinite must be None, 'raise', 'skip' or 'propagate', got 'ignore'"):
        opt.nonfinite = "ignore"
    with refuses(TypeError, "nonfinite must be a str or None, got bool"):
        made(np.zeros(1), nonfinite=True)
