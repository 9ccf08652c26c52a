"""What a step refuses: input, exception, message, and proof that it changed nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses

S = gs.schedules
NAN = float("nan")

W, B = np.full((3, 4), 0.5), np.full(4, 0.25, np.float32)
ZERO_D = np.array(1.0)

GRADS: list[tuple[Any, type[Exception], str]] = [
    (None, ValueError, "grads is None, but params is a dict"),
    (W, ValueError, "grads is an ndarray, but params is a dict"),
    ([W, [B]], ValueError, "grads is a list, but params is a dict"),
    ((), ValueError, "grads is a tuple, but params is a dict"),
    ({"w": W}, ValueError, "grads has no 'b', but params has it"),
    ({"w": W, "c": [B]}, ValueError, "grads has no 'b', but params has it"),
    ({"w": W, "b": [B], "c": B}, ValueError, "params has no 'c', but grads has it"),
    ({"w": W, "b": B}, ValueError, "grads['b'] is an ndarray, but params['b'] is a list or tuple"),
    ({"w": W, "b": {0: B}}, ValueError, "grads['b'] is a dict, but params['b'] is a list or tuple"),
    ({"w": W, "b": "x"}, ValueError, "grads['b'] is a str, but params['b'] is a list or tuple"),
    ({"w": W, "b": []}, ValueError, "grads['b'] has 0 entries, but params['b'] has 1"),
    ({"w": W, "b": (B, B)}, ValueError, "grads['b'] has 2 entries, but params['b'] has 1"),
    (
        {"w": W, "b": [B.tolist()]},
        TypeError,
        "grads['b.0'] is a list, not an ndarray; np.array(...) makes one of it",
    ),
    ({"w": W, "b": [0.5]}, TypeError, "grads['b.0'] is a float, not an ndarray"),
    ({"w": W, "b": [np.float32(1)]}, TypeError, "grads['b.0'] is a float32, not an ndarray"),
    ({"w": W.T, "b": [B]}, ValueError, "grads['w'] has shape (4, 3), but params['w'] has shape (3, 4)"),
    ({"w": W[:1], "b": [B]}, ValueError, "grads['w'] has shape (1, 4), but params['w'] has shape (3, 4)"),
    ({"w": W, "b": [B[None]]}, ValueError, "grads['b.0'] has shape (1, 4), but params['b.0'] has shape (4,)"),
    (
        {"w": W, "b": [np.array(1.0)]},
        ValueError,
        "grads['b.0'] has shape (), but params['b.0'] has shape (4,)",
    ),
    ({"w": W, "b": [np.ones(4, int)]}, TypeError, "grads['b.0'] has dtype int64, not a float dtype"),
    ({"w": W, "b": [np.ones(4, bool)]}, TypeError, "grads['b.0'] has dtype bool, not a float dtype"),
    ({"w": W, "b": [np.ones(4, object)]}, TypeError, "grads['b.0'] has dtype object, not a float dtype"),
    ({"w": W, "b": [np.ones(4, complex)]}, TypeError, "grads['b.0'] has dtype complex128, not a float dtype"),
    (
        {"w": W, "b": [np.zeros(4, [("a", "f4")])]},
        TypeError,
        "grads['b.0'] has dtype [('a', '<f4')], not a float dtype",
    ),
    ({"w": W, "b": [np.ma.ones(4)]}, TypeError, "grads['b.0'] is a masked array; its mask would be ignored"),
]


def make(**options: Any) -> tuple[dict[str, Any], gs.Optimizer]:
    """An optimizer that has made a step, and its parameters."""
    params: dict[str, Any] = {"w": np.arange(12.0).reshape(3, 4), "b": [np.arange(4, dtype=np.float32)]}
    opt = gs.SGD(params, **({"lr": 0.1, "momentum": 0.9} | options))
    opt.step({"w": W, "b": [B]})
    return params, opt


def everything(params: dict[str, Any], opt: gs.Optimizer) -> list[Any]:
    """All that a step may change, as bytes."""
    state = [(name, slot, x.tobytes()) for name, slots in opt.state.items() for slot, x in slots.items()]
    return [params["w"].tobytes(), params["b"][0].tobytes(), state, opt.step_count, opt.grad_norm]


@pytest.mark.parametrize(("grads", "error", "message"), GRADS, ids=[message for _, _, message in GRADS])
def test_gradients(grads: Any, error: type[Exception], message: str) -> None:
    params, opt = make(clip_value=10.0)
    before = everything(params, opt)
    with refuses(error, message):
        opt.step(grads)
    assert everything(params, opt) == before
    opt.step({"w": W, "b": [B]})
    assert everything(params, opt) != before
    assert opt.step_count == 2


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("large", [False, True])
def test_a_norm_that_is_not_finite(bad: float, large: bool) -> None:
    size = 200_000 if large else 5
    p, q, g = np.ones(size), np.ones(3), np.ones(size)
    g[size - 2] = bad
    opt = gs.Adam({"q": q, "p": p}, clip_norm=1.0)
    opt.step({"q": q, "p": np.ones(size)})
    params = {"w": p, "b": [q]}
    before = everything(params, opt)
    norm = "nan" if np.isnan(bad) else "inf"
    message = f"clip_norm needs a finite gradient norm, but that of grads['p'] is {norm}"
    with gs.num_threads(2), refuses(gs.NonFiniteError, message):
        opt.step({"q": q, "p": g})
    assert everything(params, opt) == before


@pytest.mark.parametrize(
    ("g", "message"),
    [
        (1, "grads is an int, not an ndarray"),
        (np.int64(1), "grads is an int64, not an ndarray"),
        (True, "grads is a bool, not an ndarray"),
        (1j, "grads has dtype complex128, not a float dtype"),
        ("1", "grads is a str, not an ndarray"),
        (
            [np.array(1.0)],
            "grads is a list, not an ndarray; the parameter is one array, and so is its gradient",
        ),
        ([1.0], "grads is a list, not an ndarray; np.array(...) makes one of it"),
        (np.array(1), "grads has dtype int64, not a float dtype"),
        (np.ma.masked, "grads is a masked array; its mask would be ignored"),
    ],
    ids=repr,
)
def test_scalars_that_are_no_floats(g: Any, message: str) -> None:
    p = np.array(1.0)
    opt = gs.SGD(p)
    with refuses(TypeError, message):
        opt.step(g)
    assert p[()] == 1.0
    assert opt.step_count == 0


def fails(t: int) -> float:
    raise ZeroDivisionError(f"no rate at {t}")


TURNS: list[tuple[str, Callable[[int], Any], type[Exception], str]] = [
    ("lr", lambda _: NAN, ValueError, "lr at step 1 must be finite and at least 0, got nan"),
    ("lr", lambda _: -0.5, ValueError, "lr at step 1 must be finite and at least 0, got -0.5"),
    ("lr", lambda _: "x", TypeError, "function(1) must be a number, got str"),
    ("lr", fails, ZeroDivisionError, "no rate at 1"),
    ("momentum", lambda _: 1, ValueError, "momentum at step 1 must be at least 0 and below 1, got 1.0"),
    ("momentum", fails, ZeroDivisionError, "no rate at 1"),
    (
        "weight_decay",
        lambda _: -1,
        ValueError,
        "weight_decay at step 1 must be finite and at least 0, got -1.0",
    ),
    ("clip_norm", lambda _: -1, ValueError, "clip_norm at step 1 must be at least 0, got -1.0"),
    ("clip_value", lambda _: NAN, ValueError, "clip_value at step 1 must be at least 0, got nan"),
    ("clip_value", fails, ZeroDivisionError, "no rate at 1"),
]


@pytest.mark.parametrize(("hyper", "turn", "error", "message"), TURNS)
def test_a_schedule_that_turns_bad(
    hyper: str, turn: Callable[[int], Any], error: type[Exception], message: str
) -> None:
    bad = True
    schedule = S.Lambda(lambda t: turn(t) if bad and t == 1 else 0.5)
    params, opt = make(**{hyper: schedule})
    before = everything(params, opt)
    with refuses(error, message):
        opt.step({"w": W, "b": [B]})
    assert everything(params, opt) == before
    bad = False
    opt.step({"w": W, "b": [B]})
    assert opt.step_count == 2


def test_a_group_is_named_where_its_schedule_turns_bad() -> None:
    opt = gs.SGD([{"params": np.ones(2)}, {"params": np.ones(2), "lr": S.Linear(1, -1, 2)}])
    opt.step_count = 2
    message = "lr of params[1] at step 2 must be finite and at least 0, got -1.0"
    with refuses(ValueError, message):
        opt.step([np.ones(2), np.ones(2)])


def read_only(params: dict[str, Any], _: gs.Optimizer) -> None:
    params["b"][0].flags.writeable = False


def reshaped(params: dict[str, Any], _: gs.Optimizer) -> None:
    params["b"][0].resize((2, 2), refcheck=False)


def grown(params: dict[str, Any], _: gs.Optimizer) -> None:
    params["b"][0].resize(100_000, refcheck=False)


CHANGES: list[tuple[Callable[..., None], str]] = [
    (read_only, "params['b.0'] is read-only, so it cannot be updated in place"),
    (reshaped, "params['b.0'] has changed: it has shape (2, 2), but had (4,) at first"),
    (grown, "params['b.0'] has changed: it has shape (100000,), but had (4,) at first"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_arrays_that_changed_since(change: Callable[..., None], message: str) -> None:
    params, opt = make()
    change(params, opt)
    before = everything(params, opt)
    with refuses(ValueError, message):
        opt.step({"w": W, "b": [B]})
    assert everything(params, opt) == before


COUNTS: list[tuple[Any, type[Exception], str]] = [
    (-1, ValueError, "{} must be at least 0, got -1"),
    (-(2**70), ValueError, f"{{}} must be at least 0, got {-(2**70)}"),
    (2**63, ValueError, f"{{}} must be below 2**63, got {2**63}"),
    (1.0, TypeError, "{} must be an integer, got float"),
    (np.float64(1), TypeError, "{} must be an integer, got float64"),
    (True, TypeError, "{} must be an integer, got bool"),
    ("1", TypeError, "{} must be an integer, got str"),
    (None, TypeError, "{} must be an integer, got None"),
]


@pytest.mark.parametrize(("count", "error", "message"), COUNTS)
def test_step_count(count: Any, error: type[Exception], message: str) -> None:
    _, opt = make()
    with refuses(error, message.format("step_count")):
        opt.step_count = count
    assert opt.step_count == 1
    with refuses(error, message.format("step")):
        gs.functional.sgd(np.ones(1), np.ones(1), step=count)


def test_the_last_step_that_can_be_counted() -> None:
    p = np.ones(3)
    opt = gs.Adam(p, lr=S.InverseSqrt(0.5, 1))
    opt.step_count = 2**63 - 2
    opt.step(np.ones(3))
    assert opt.step_count == 2**63 - 1
    before = p.copy()
    with refuses(ValueError, "step_count is 2**63 - 1, after which no update can be counted"):
        opt.step(np.ones(3))
    assert np.array_equal(p, before)
    assert opt.step_count == 2**63 - 1
    opt.step_count = 0
    opt.step(np.ones(3))
    assert opt.step_count == 1
    one, state = np.ones(3), [np.zeros(3), np.zeros(3)]
    gs.functional.adam(one, np.ones(3), *state, step=2**63 - 1, lr=0.5)
    assert (one < 1).all()


@pytest.mark.parametrize("convert", [np.float16, np.longdouble])
def test_a_refused_step_leaves_no_gradient_behind(convert: type[Any]) -> None:
    """Neither where gradients are copied to, nor what was seen of them, must be that of the refused step."""
    params = {"a": np.ones((2, 3)), "b": np.ones(2), "c": np.ones(2)}
    opt = gs.SGD(params, lr=1.0, clip_norm=1e9)

    def good(value: float) -> dict[str, Any]:
        return {"a": np.full((2, 3), value, convert), "b": np.full(2, value), "c": np.full(2, value, convert)}

    refused: list[tuple[Any, type[Exception]]] = [
        (good(7.0) | {"c": np.ones(3)}, ValueError),
        (good(7.0) | {"a": np.full((2, 3), np.inf, convert)}, ValueError),
        (good(7.0) | {"b": np.ones(2, int)}, TypeError),
        (good(7.0) | {"a": np.full((2, 3), "x")}, TypeError),
        (good(7.0) | {"a": np.full((3, 2), 7.0, convert).T.astype(object)}, TypeError),
    ]
    for made, (grads, error) in enumerate(refused):
        with pytest.raises(error):
            opt.step(grads)
        opt.step(good(0.25))
        for p in params.values():
            assert (p == 1 - 0.25 * (made + 1)).all()


class Broken:
    """A loss that cannot be read."""

    def __float__(self) -> float:
        raise ZeroDivisionError("no loss")


def test_what_reading_a_loss_raises_is_passed_on() -> None:
    opt = gs.SGD(np.ones(3), lr=gs.feedback.LossScaled(S.Constant(1.0), beta=1.0))
    with pytest.raises(ZeroDivisionError, match="no loss"):
        opt.step(np.ones(3), loss=Broken())
    with pytest.raises(TypeError, match=r"loss must be a number, got bool_?"):
        opt.observe(np.True_)
    with pytest.raises(ValueError, match="lr must fit into a float, got an integer of 1329 bits"):
        gs.SGD(np.ones(3), lr=10**400)
