"""`gradstep.functional`: each function is its class on one array; what it refuses."""

from __future__ import annotations

import ast
import inspect
import pathlib
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradstep as gs
from bits import Array, assert_same_bits
from drawings import OPTIMIZERS, arrays, at, gradients, hypers
from gradstep import signatures
from refusals import refuses

S = gs.schedules
BUFFER = np.ones(8)


def function(name: str) -> Any:
    return getattr(gs.functional, name.lower())


def test_there_is_one_for_each_class() -> None:
    assert sorted(gs.functional.__all__) == sorted(name.lower() for name in OPTIMIZERS)
    with pytest.raises(AttributeError, match="has no attribute 'newton'"):
        function("newton")


def state_of(opt: gs.Optimizer) -> dict[str, Array]:
    """Copies of all that a function wants, in its order."""
    state = {slot: array.copy(order="K") for slot, array in opt.state["0"].items()}
    scalars = np.array([*opt.scalars[0].values()])
    return state | ({"scalars": scalars} if scalars.size else {})


@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(max_examples=40)
@given(data=st.data())
def test_bit_for_bit_its_class(name: str, data: st.DataObject) -> None:
    values = data.draw(hypers(OPTIMIZERS[name]), label="hypers")
    p = data.draw(arrays(), label="p")
    grads = data.draw(gradients({"p": p}, finite=False), label="grads")
    mine = p.copy(order="K")
    opt = OPTIMIZERS[name](p, **values)
    state = state_of(opt)
    with np.errstate(all="ignore"):
        for t in range(10):
            g = grads()["p"]
            opt.step(g)
            # With and without schedules: what counts is the value at this step.
            now = values if t % 2 or "momentum_buffer" in state else at(values, t)
            function(name)(mine, g, *state.values(), step=t, **now)
            assert_same_bits(mine, p, f"after step {t}, p")
            for slot, array in state_of(opt).items():
                assert_same_bits(state[slot], array, f"after step {t}, {slot}")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_defaults_are_those_of_the_class(name: str) -> None:
    p, mine = np.linspace(-1, 1, 9), np.linspace(-1, 1, 9)
    opt = OPTIMIZERS[name](p)
    state = state_of(opt).values()
    for t in range(5):
        g = np.cos(np.arange(9.0) + t)
        opt.step(g)
        assert function(name)(mine, g, *state, step=t) is None
    assert_same_bits(mine, p, "p")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_far_on(name: str) -> None:
    p, mine = np.ones(3), np.ones(3)
    opt = OPTIMIZERS[name](p, lr=S.InverseSqrt(0.1, 100))
    state = state_of(opt).values()
    opt.step_count = 10**6
    opt.step(np.ones(3))
    function(name)(mine, np.ones(3), *state, step=np.int64(10**6), lr=S.InverseSqrt(0.1, 100))
    assert_same_bits(mine, p, "p")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_a_person_sees_of_it(name: str) -> None:
    assert function(name).__name__ == name.lower()
    assert function(name).__module__ == "gradstep.functional"
    assert name in (inspect.getdoc(function(name)) or "")


def zeros(*shape: int, dtype: Any = np.float64, order: Any = "C") -> Array:
    return np.zeros(shape, dtype, order)


SAME = zeros(3)
READ_ONLY = np.broadcast_to(1.0, 3)

FUNCTIONAL: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    ("sgd", (None, zeros(3)), {}, TypeError, "p is None, not an ndarray"),
    ("sgd", ([1.0], zeros(1)), {}, TypeError, "p is a list, not an ndarray"),
    ("sgd", (zeros(3), None), {}, TypeError, "g is None, not an ndarray"),
    ("sgd", (zeros(3), zeros(4)), {}, ValueError, "g has shape (4,), but p has shape (3,)"),
    ("sgd", (READ_ONLY, zeros(3)), {}, ValueError, "p is read-only, so it cannot be updated in place"),
    ("sgd", (zeros(3), zeros(3)), {"lr": -1}, ValueError, "lr must be finite and at least 0, got -1.0"),
    ("sgd", (zeros(3), zeros(3)), {"lr": True}, TypeError, "lr must be a float or a schedule, got bool"),
    (
        "sgd",
        (zeros(3), zeros(3)),
        {"lr": S.Linear(1, -1, 2), "step": 2},
        ValueError,
        "lr at step 2 must be finite and at least 0, got -1.0",
    ),
    (
        "sgd",
        (zeros(3), zeros(3)),
        {"clip_norm": 1.0},
        TypeError,
        "sgd() got an unexpected keyword argument 'clip_norm'",
    ),
    (
        "sgd",
        (zeros(3), zeros(3), zeros(3)),
        {},
        TypeError,
        "the state has 1 arrays, but with these options 0",
    ),
    (
        "adam",
        (zeros(3), zeros(3), zeros(3)),
        {},
        TypeError,
        "adam() missing 1 required positional argument: 'exp_avg_sq'",
    ),
    (
        "adam",
        (zeros(3), zeros(3), zeros(3), zeros(3)),
        {"amsgrad": True},
        TypeError,
        "the state has 2 arrays, but with these options 3: exp_avg, exp_avg_sq, max_exp_avg_sq",
    ),
    (
        "adam",
        (zeros(3), zeros(3), zeros(3), zeros(4)),
        {},
        ValueError,
        "exp_avg_sq has shape (4,), but p has shape (3,)",
    ),
    (
        "adam",
        (zeros(3), zeros(3), zeros(3, dtype=np.float32), zeros(3)),
        {},
        ValueError,
        "exp_avg has dtype float32, but p has dtype float64",
    ),
    (
        "adagrad",
        (zeros(2, 3), zeros(2, 3), zeros(2, 3, order="F")),
        {},
        ValueError,
        "sum has strides (8, 16) bytes, but p has strides (24, 8)",
    ),
    ("adagrad", (zeros(3), zeros(3), [0.0] * 3), {}, TypeError, "sum is a list, not an ndarray"),
    (
        "adam",
        (zeros(3), zeros(3), SAME, SAME),
        {},
        ValueError,
        "exp_avg of p and exp_avg_sq of p share memory",
    ),
    ("adagrad", (SAME, zeros(3), SAME), {}, ValueError, "p and sum of p share memory"),
]


@pytest.mark.parametrize(("name", "arrays", "options", "error", "message"), FUNCTIONAL)
def test_refusals(
    name: str, arrays: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    before = [np.array(array) for array in arrays if array is not None]
    with refuses(error, message):
        getattr(gs.functional, name)(*arrays, **({"step": 0} | options))
    for array, old in zip([array for array in arrays if array is not None], before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_the_first_momentum_is_the_gradient_whatever_the_buffer_held() -> None:
    p, buffer = np.ones(3), np.full(3, 7.0)
    gs.functional.sgd(p, np.full(3, 2.0), buffer, step=0, lr=0.5, momentum=0.9)
    assert (buffer == 2.0).all()
    assert (p == 0.0).all()


def test_the_first_momentum_of_a_buffer_that_was_never_filled() -> None:
    p, buffer = np.ones(3), np.full(3, np.nan)
    gs.functional.sgd(p, np.full(3, 2.0), buffer, step=0, lr=0.5, momentum=0.9, nesterov=True)
    assert (buffer == 2.0).all()
    assert p == pytest.approx(1 - 0.5 * (2 + 0.9 * 2))


def test_the_stub_is_written_from_the_classes() -> None:
    stub = pathlib.Path(gs.functional.__file__).with_suffix(".pyi")
    assert ast.dump(ast.parse(stub.read_text())) == ast.dump(ast.parse(signatures.stub())), "make stubs"


@pytest.mark.parametrize("name", sorted(gs.functional.__all__))
def test_out_takes_the_new_parameter(name: str) -> None:
    """As a copy that is updated in place; the parameter may be read-only."""
    rule = signatures.Signature(name)
    scalars = {"dog": 3, "prodigy": 4, "schedulefreesgd": 4, "schedulefreeadamw": 4}.get(name, 0)
    p, g = np.linspace(-1, 1, 7), np.cos(np.arange(7.0))
    state = [np.ones(scalars) if s == "scalars" else np.full(7, 0.5) for s in rule.slots]
    copy, copies = p.copy(), [array.copy() for array in state]
    p.flags.writeable = False
    out = np.empty(7)
    call: Any = getattr(gs.functional, name)
    call(p, g, *state, step=3, lr=0.1, out=out)
    call(copy, g, *copies, step=3, lr=0.1)
    assert_same_bits(out, copy, "out")
    for a, b in zip(state, copies, strict=True):
        assert_same_bits(a, b, "state")
    np.testing.assert_array_equal(p, np.linspace(-1, 1, 7))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty(6), "p has shape (7,), but out has shape (6,)"),
        (np.empty(7, np.float32), "p has dtype float64, but out has dtype float32"),
        (np.empty(14)[::2], "out is not dense in memory"),
        (BUFFER[1:], "p and out, or the state, share memory"),
    ],
)
def test_out_that_does_not_fit(out: Array, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        gs.functional.sgd(BUFFER[:-1], np.ones(7), step=0, out=out)


def test_out_may_be_the_parameter() -> None:
    p = np.ones(3)
    gs.functional.sgd(p, np.ones(3), step=0, lr=0.5, out=p)
    np.testing.assert_array_equal(p, 0.5)


def test_options_that_change_from_call_to_call_are_read() -> None:
    """Those of the last call are kept, and must not be taken for others."""
    p, want = np.zeros(3), np.zeros(3)
    calls: list[tuple[gs.Rate, bool, float]] = [
        (0.5, False, 0.5),
        (0.5, False, 0.5),
        (0.25, False, 0.25),
        (0.5, True, 0.5),
        (S.Constant(0.125), False, 0.125),
        (0.5, False, 0.5),
    ]
    for lr, nesterov, rate in calls:
        buffer = np.zeros(3)
        gs.functional.sgd(p, np.ones(3), buffer, step=0, lr=lr, momentum=0.5, nesterov=nesterov)
        want -= rate * (1.5 if nesterov else 1.0)
        np.testing.assert_array_equal(p, want)
