"""`accumulate=k`: k gradients make one update, with their mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state, digest
from drawings import OPTIMIZERS
from refusals import refuses
from trees import copied, leaves, like, mapped, normal


def params() -> dict[str, Any]:
    return {
        "w": normal(1, 40, 30),
        "b": normal(2, 7, dtype=np.float32),
        "z": normal(3, 2, dtype=np.complex128),
    }


def exact(tree: Any, seed: int) -> Any:
    """Gradients with few bits, whose sums and halves are exact in either dtype."""
    return mapped(lambda g: (np.round(g * 64) / 64).astype(g.dtype), like(tree, seed))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize(
    "options", [{}, {"clip_norm": 1.0, "ema": 0.9}, {"weight_decay": 0.1, "clip_value": 0.1}]
)
def test_the_same_bits_as_one_step_with_the_mean(name: str, k: int, options: dict[str, Any]) -> None:
    """The mean of a power of two of such gradients is exact, and so in whichever way it is taken."""
    now, whole = params(), params()
    opt = OPTIMIZERS[name](now, lr=0.1, accumulate=k, **options)
    want = OPTIMIZERS[name](whole, lr=0.1, **options)
    for t in range(3):
        given = [exact(now, 10 * t + i) for i in range(k)]
        before = digest(leaves(now))
        for i, g in enumerate(given):
            assert opt.micro_step == i
            assert digest(leaves(now)) == before
            assert opt.step(g) == (i == k - 1)
        assert opt.micro_step == 0
        want.step(mapped(lambda *gs: sum(gs[1:], gs[0]) / len(gs), *given))
        for got, expected in zip(leaves(now), leaves(whole), strict=True):
            assert_same_bits(got, expected.astype(got.dtype), f"after update {t}")
    assert (opt.step_count, opt.counts, opt.grad_norm) == (want.step_count, want.counts, want.grad_norm)
    state = {
        key: {slot: array for slot, array in slots.items() if slot != "accumulated"}
        for key, slots in opt.state.items()
    }
    assert_same_state(state, want.state)


def test_schedules_see_updates_only() -> None:
    w = np.zeros(1)
    opt: Any = gs.SGD(w, lr=gs.schedules.Table([1.0, 10.0]), accumulate=2)
    for count in (0, 0, 1, 1):
        assert opt.step_count == count
        opt.step(np.ones(1))
    assert w.tolist() == [-11.0]


def test_gradients_of_any_kind_are_added_up() -> None:
    w = np.zeros((2, 3))
    opt: Any = gs.SGD(w, lr=1.0, accumulate=4)
    wide = np.ones((2, 6))[:, ::2]
    for g in (
        np.ones((2, 3), np.float16),
        np.asfortranarray(np.ones((2, 3))),
        wide,
        np.broadcast_to(1.0, (2, 3)),
    ):
        opt.step(g)
    assert w.tolist() == [[-1.0] * 3] * 2


def test_what_is_given_may_be_used_again_at_once() -> None:
    w, g = np.zeros(2), np.ones(2)
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2)
    opt.step(g)
    g *= 3
    opt.step(g)
    assert w.tolist() == [-2.0, -2.0]


def test_the_scale_stays_while_gradients_are_added_up() -> None:
    w = np.zeros(1)
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2)
    opt.step(np.full(1, 8.0), scale=0.25)
    message = "scale must stay 0.25 until the gradients that were added up make an update, got "
    for scale, said in ((0.5, "0.5"), (None, "1")):
        with refuses(ValueError, message + said):
            opt.step(np.full(1, 8.0), scale=scale)
    assert (opt.micro_step, w.tolist()) == (1, [0.0])
    assert opt.step(np.full(1, 8.0), scale=0.25)
    assert w.tolist() == [-2.0]
    assert not opt.step(np.ones(1))
    assert opt.step(np.ones(1))
    assert w.tolist() == [-3.0]


@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        ("much", TypeError, "scale must be a float, got str"),
        (True, TypeError, "scale must be a float, got bool"),
        (np.inf, ValueError, "scale must be a finite number, got inf"),
        (np.nan, ValueError, "scale must be a finite number, got nan"),
    ],
)
def test_a_scale_that_is_none_is_refused(scale: Any, error: type[Exception], message: str) -> None:
    opt: Any = gs.SGD(np.zeros(1))
    for call in (opt.step, opt.updates, lambda g, **named: opt.apply_gradients(g, np.zeros(1), **named)):
        with refuses(error, message):
            call(np.ones(1), scale=scale)


def test_the_loss_is_the_mean_of_those_that_were_told() -> None:
    opt: Any = gs.SGD(
        np.zeros(1), lr=gs.feedback.LossScaled(gs.schedules.Constant(1.0), beta=1.0), accumulate=3
    )
    opt.step(np.ones(1), loss=1.0)
    opt.step(np.ones(1))
    assert opt.feedback_state[0]["loss"] == 0.0
    opt.step(np.ones(1), loss=2.0)
    assert opt.feedback_state[0]["loss"] == 1.5


def test_assigning_step_count_forgets_what_was_added_up() -> None:
    w = np.zeros(1)
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2)
    opt.step(np.full(1, 100.0), scale=0.5)
    opt.step_count = 5
    assert opt.micro_step == 0
    assert not opt.step(np.ones(1))
    assert opt.step(np.ones(1))
    assert (w.tolist(), opt.step_count) == ([-1.0], 6)


def test_a_gradient_that_is_refused_leaves_the_window_as_it_was() -> None:
    w = {"a": np.zeros(1), "b": np.zeros(2)}
    opt: Any = gs.SGD(w, lr=1.0, accumulate=2)
    opt.step({"a": np.ones(1), "b": np.ones(2)})
    sums = digest([slots["accumulated"] for slots in opt.state.values()])
    with refuses(ValueError, "grads['b'] has shape (3,), but params['b'] has shape (2,)"):
        opt.step({"a": np.ones(1), "b": np.ones(3)})
    assert opt.micro_step == 1
    assert digest([slots["accumulated"] for slots in opt.state.values()]) == sums
    opt.step({"a": np.ones(1), "b": np.ones(2)})
    assert w["b"].tolist() == [-1.0, -1.0]


def test_a_hyperparameter_out_of_range_at_the_update_leaves_the_window_as_it_was() -> None:
    w = np.zeros(1)
    rate = [1.0]
    opt: Any = gs.SGD(w, lr=gs.schedules.Lambda(lambda _: rate[0]), accumulate=2)
    opt.step(np.ones(1))
    rate[0] = -1.0
    with pytest.raises(ValueError, match="lr"):
        opt.step(np.ones(1))
    assert (opt.micro_step, w.tolist()) == (1, [0.0])
    rate[0] = 1.0
    assert opt.step(np.ones(1))
    assert w.tolist() == [-1.0]


def test_apply_gradients_and_updates_wait_too() -> None:
    p = {"w": normal(1, 3)}
    opt: Any = gs.SGD(lr=0.5, accumulate=2)
    first = opt.apply_gradients({"w": np.ones(3)}, p)
    assert_same_bits(first["w"], p["w"], "first")
    second = opt.apply_gradients({"w": np.full(3, 3.0)}, first)
    assert_same_bits(second["w"], p["w"] - 0.5 * 2.0, "second")
    assert_same_bits(opt.updates({"w": np.ones(3)})["w"], np.zeros(3), "waiting")
    assert_same_bits(opt.updates({"w": np.ones(3)})["w"], np.full(3, -0.5), "update")


def test_it_cannot_be_changed_and_takes_a_count() -> None:
    opt: Any = gs.SGD(np.zeros(1), accumulate=2)
    assert opt.accumulate == 2
    with pytest.raises(AttributeError, match="accumulate"):
        opt.accumulate = 3
    made: Any = gs.SGD
    for bad, error, message in (
        (0, ValueError, "accumulate must be at least 1, got 0"),
        (1.5, TypeError, "accumulate must be an integer, got float"),
        (True, TypeError, "accumulate must be an integer, got bool"),
        (None, TypeError, "accumulate must be an integer, got None"),
    ):
        with refuses(error, message):
            made(np.zeros(1), accumulate=bad)


def test_the_sums_are_in_the_state() -> None:
    opt: Any = gs.Adam({"w": np.zeros(2)}, accumulate=2)
    opt.step({"w": np.array([1.0, 2.0])})
    assert opt.state["w"]["accumulated"].tolist() == [1.0, 2.0]
    assert "accumulated" not in gs.Adam({"w": np.zeros(2)}).state["w"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_run_may_change_its_arrays_within_a_window(name: str) -> None:
    now, whole = {"w": normal(1, 4, 3)}, {"w": normal(1, 4, 3)}
    opt, want = (OPTIMIZERS[name](p, lr=0.1, accumulate=2) for p in (now, whole))
    opt.step(like(now, 0))
    want.step(like(now, 0))
    now = copied(now)
    opt.bind(now)
    opt.step(like(now, 1))
    want.step(like(now, 1))
    assert_same_bits(now["w"], whole["w"], "w")
