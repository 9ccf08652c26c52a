"""What cannot be made into an optimizer: input, exception, message. `test_bad_steps.py` has the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array
from refusals import refuses

ANY_ORDER = "C order, F order or a transpose of these is wanted"
OPTIONS = ", decoupled, l1, maximize, ema, clip_norm_each, state_dtype, bounds"
SWITCHES = "eps_hat, eps_root, bias_correction, initial_accumulator_value, first_count"
GROUP = f"a group takes params, lr, weight_decay, beta1, beta2, eps, amsgrad, {SWITCHES}{OPTIONS}"
FLOATS_WANTED = "not float32, float64, complex64 or complex128"
WANTED = "an ndarray, or a list, tuple or dict of ndarrays is wanted"


def w() -> Array:
    return np.ones(3)


def read_only() -> Array:
    p = w()
    p.flags.writeable = False
    return p


def containing_itself() -> list[Any]:
    params: list[Any] = [w()]
    params.append(params)
    return params


TWICE = w()
MISALIGNED = np.ndarray(3, np.float64, bytearray(25), 1)
BUFFER = np.arange(24.0)
MATRIX = BUFFER.reshape(4, 6)

PARAMS: list[tuple[Any, type[Exception], str]] = [
    (3.0, TypeError, f"params is a float; {WANTED} (np.array(0.0) for a number)"),
    ("w", TypeError, f"params is a str; {WANTED}"),
    (np.float64(1), TypeError, f"params is a float64; {WANTED}"),
    (iter([w()]), TypeError, f"params is a list_iterator; {WANTED}"),
    ([1.0, 2.0], TypeError, f"params['0'] is a float; {WANTED} (np.array(0.0) for a number)"),
    ([w(), None], TypeError, f"params['1'] is None; {WANTED}"),
    ({"a": {"b": 2}}, TypeError, f"params['a.b'] is an int; {WANTED}"),
    (np.ma.ones(3), TypeError, "params is a masked array; its mask would be ignored"),
    (np.ones(3, int), TypeError, f"params has dtype int64, {FLOATS_WANTED}"),
    (np.ones(3, bool), TypeError, f"params has dtype bool, {FLOATS_WANTED}"),
    (np.ones(3, object), TypeError, f"params has dtype object, {FLOATS_WANTED}"),
    (np.ones(3, np.float16), TypeError, f"params has dtype float16, {FLOATS_WANTED}"),
    (
        np.ones(3, np.longdouble),
        TypeError,
        f"params has dtype {np.dtype(np.longdouble)}, {FLOATS_WANTED}",
    ),
    (np.zeros(3, [("a", "f4")]), TypeError, f"params has dtype [('a', '<f4')], {FLOATS_WANTED}"),
    (np.array(["a"]), TypeError, f"params has dtype <U1, {FLOATS_WANTED}"),
    (np.ones(3, ">f8"), ValueError, "params has dtype >f8, which is not in this machine's byte order"),
    (
        {"w": np.ones(3, ">f4")},
        ValueError,
        "params['w'] has dtype >f4, which is not in this machine's byte order",
    ),
    (
        np.ndarray(3, "f8", bytearray(25), 1),
        ValueError,
        "params is not aligned in memory for its dtype float64",
    ),
    (read_only(), ValueError, "params is read-only, so it cannot be updated in place"),
    (np.broadcast_to(w(), (2, 3)), ValueError, "params is read-only, so it cannot be updated in place"),
    (
        BUFFER[::2],
        ValueError,
        f"params is not dense in memory: it has shape (12,) with strides (16,) bytes; {ANY_ORDER}",
    ),
    (
        {"w": MATRIX[:, :3]},
        ValueError,
        f"params['w'] is not dense in memory: it has shape (4, 3) with strides (48, 8) bytes; {ANY_ORDER}",
    ),
    (
        BUFFER[::-1],
        ValueError,
        f"params is not dense in memory: it has shape (24,) with strides (-8,) bytes; {ANY_ORDER}",
    ),
    ([BUFFER[:5], BUFFER[4:]], ValueError, "params['0'] and params['1'] share memory"),
    ({"z": BUFFER[4:], "a": {"b": BUFFER[:5]}}, ValueError, "params['z'] and params['a.b'] share memory"),
    ([TWICE, w(), TWICE], ValueError, "params['0'] and params['2'] share memory"),
    ({"a": BUFFER, "b": MATRIX[1]}, ValueError, "params['a'] and params['b'] share memory"),
    ([BUFFER, BUFFER[3:4].view(np.float32)], ValueError, "params['0'] and params['1'] share memory"),
    ([{"params": TWICE}, {"params": TWICE}], ValueError, "params['0'] and params['1'] share memory"),
    ([], ValueError, "params holds no array"),
    ({}, ValueError, "params holds no array"),
    ([[], {}], ValueError, "params holds no array"),
    ([{"params": []}], ValueError, "params holds no array"),
    (
        {"a": {"\ud800": w()}},
        ValueError,
        "params['a'] has a key that UTF-8 cannot hold: '\\ud800'",
    ),
    (containing_itself(), ValueError, "params is nested more than 100 deep; does it contain itself?"),
    (
        {1: w(), "1": w()},
        ValueError,
        "two arrays are named params['1']: a key holds a dot or nothing, or an int and a string are alike",
    ),
    (
        {"a.b": w(), "a": {"b": w()}},
        ValueError,
        "two arrays are named params['a.b']: a key holds a dot or nothing, or an int and a string are alike",
    ),
    (
        [{"params": w()}, w()],
        ValueError,
        "params[1] is an ndarray without the key 'params', but other entries are groups, which have it",
    ),
    (
        [{"lr": 0.1}, {"params": w()}],
        ValueError,
        "params[0] is a dict without the key 'params', but other entries are groups, which have it",
    ),
    (
        [{"params": w(), "foo": 1}],
        ValueError,
        f"params[0] has the key 'foo'; {GROUP}",
    ),
    (
        [{"params": w()}, {"params": w(), "clip_norm": 1.0}],
        ValueError,
        f"params[1] has the key 'clip_norm'; {GROUP}",
    ),
    ([{"params": w(), 3: 1}], TypeError, "params[0] has the key 3, not a string"),
    ([{"params": w(), "lr": -1}], ValueError, "lr of params[0] must be finite and at least 0, got -1.0"),
    (
        [{"params": w()}, {"params": w(), "beta1": "x"}],
        TypeError,
        "beta1 of params[1] must be a float or a schedule, got str",
    ),
    ([{"params": w(), "amsgrad": 1}], TypeError, "amsgrad of params[0] must be a bool or a str, got int"),
]


@pytest.mark.parametrize(("params", "error", "message"), PARAMS, ids=[message for _, _, message in PARAMS])
def test_params(params: Any, error: type[Exception], message: str) -> None:
    with refuses(error, message):
        gs.Adam(params)


def test_an_optimizer_that_was_not_initialised() -> None:
    opt: Any = gs.Adam.__new__(gs.Adam)
    for use in (lambda: opt.step(w()), lambda: opt.state, lambda: opt.lr, lambda: repr(opt)):
        with refuses(RuntimeError, "this optimizer's __init__ has not run"):
            use()
