"""What cannot be made into an optimizer: input, exception, message. `test_bad_steps.py` has the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array
from drawings import CHOICES, OPTIMIZERS, SHARES, defaults
from refusals import refuses

S = gs.schedules
NAN, INF = float("nan"), float("inf")
ANY_ORDER = "C order, F order or a transpose of these is wanted"
OPTIONS = ", decoupled, l1, maximize, ema, clip_norm_each, bounds"
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


#: For each hyperparameter, or that of a class where its name means something else, what is out of range and
#: how the range reads.
LIMIT = ([-1.0, -1e-300, NAN, -INF], "at least 0")
AT_LEAST_0 = ([-1.0, -1e-300, NAN, INF, -INF, np.float32(-1)], "finite and at least 0")
BELOW_1 = ([-0.1, 1.0, 1, 2.0, NAN, INF, np.float64(1.5)], "at least 0 and below 1")
INSIDE = ([0.0, 1.0, -0.1, 1.5, NAN, INF], "above 0 and below 1")
RANGES: dict[str, tuple[list[Any], str]] = {
    "lr": AT_LEAST_0,
    "weight_decay": AT_LEAST_0,
    "lr_decay": AT_LEAST_0,
    "initial_accumulator_value": AT_LEAST_0,
    "reps_rel": ([0.0, -1.0, np.inf, np.nan], "finite and above 0"),
    "first_count": ([0, -1, INF, NAN], "finite and above 0"),
    "eps_root": ([-1e-9, INF, NAN], "finite and at least 0"),
    "eps": AT_LEAST_0,
    "clip_norm": LIMIT,
    "clip_value": LIMIT,
    "momentum": BELOW_1,
    "alpha": BELOW_1,
    "beta1": BELOW_1,
    "beta2": BELOW_1,
    "beta3": BELOW_1,
    "rho": BELOW_1,
    "AdEMAMix.alpha": AT_LEAST_0,
    "momentum_decay": AT_LEAST_0,
    "eta_minus": BELOW_1,
    "eta_plus": ([0.0, 0.5, INF, NAN], "finite and at least 1"),
    "step_min": AT_LEAST_0,
    "step_max": AT_LEAST_0,
    "dampening": ([-0.1, 1.1, NAN], "at least 0 and at most 1"),
    "trust_coefficient": AT_LEAST_0,
    "warmup_steps": ([-1, 2.5, INF, NAN], "whole and at least 0"),
    "r": AT_LEAST_0,
    "weight_lr_power": AT_LEAST_0,
    "d0": ([0.0, -1.0, INF, NAN], "finite and above 0"),
    "d_coef": ([0.0, -1.0, INF, NAN], "finite and above 0"),
    "growth_rate": ([0.99, 0.0, -INF, NAN], "at least 1"),
}


def ranges(name: str, hyper: str) -> tuple[list[Any], str]:
    """Give values that a hyperparameter of a class does not take, and how they are refused."""
    return INSIDE if (name, hyper) in SHARES else RANGES.get(f"{name}.{hyper}") or RANGES[hyper]


FLOATS = [
    (name, hyper)
    for name in OPTIMIZERS
    for hyper, default in [*defaults(OPTIMIZERS[name]).items(), ("clip_norm", None), ("clip_value", None)]
    if not isinstance(default, bool | str)
]
NOT_NONE = [(name, hyper) for name, hyper in FLOATS if defaults(OPTIMIZERS[name]).get(hyper) is not None]
FLAGS = [
    (name, hyper)
    for name in OPTIMIZERS
    for hyper, default in defaults(OPTIMIZERS[name]).items()
    if isinstance(default, bool) and hyper not in CHOICES
]


@pytest.mark.parametrize(("name", "hyper"), FLOATS)
def test_every_hyperparameter_has_a_range(name: str, hyper: str) -> None:
    values, range_ = ranges(name, hyper)
    for value in values:
        with refuses(ValueError, f"{hyper} must be {range_}, got {float(value)!r}"):
            OPTIMIZERS[name](w(), **{hyper: value})


@pytest.mark.parametrize(("name", "hyper"), FLOATS)
def test_a_scheduled_value_out_of_range_is_refused_at_its_step(name: str, hyper: str) -> None:
    values, range_ = ranges(name, hyper)
    p = w()
    with refuses(ValueError, f"{hyper} at step 0 must be {range_}, got {float(values[0])!r}"):
        OPTIMIZERS[name](p, **{hyper: S.Constant(values[0])}).step(w())
    np.testing.assert_array_equal(p, 1)


@pytest.mark.parametrize(("name", "hyper"), FLOATS)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "bool"),
        (np.True_, type(np.True_).__name__),
        (np.array(True), "a 0-d array of bool"),
        ("0.1", "str"),
        (np.array("0.1"), "a 0-d array of <U3"),
        ([0.1], "list"),
        (0.1j, "complex"),
        (np.complex128(0.1), "complex128"),
        (np.array(0.1j), "a 0-d array of complex128"),
        (np.array([0.1]), "an array of shape (1,)"),
        (np.array([[0.1, 0.2]]), "an array of shape (1, 2)"),
        (np.ma.masked, "a masked array"),
        (np.timedelta64(1), "timedelta64"),
        (float, "type; gs.schedules.Lambda makes one of a function"),
        (len, "builtin_function_or_method; gs.schedules.Lambda makes one of a function"),
    ],
)
def test_every_hyperparameter_is_a_float_or_a_schedule(name: str, hyper: str, value: Any, kind: str) -> None:
    with refuses(TypeError, f"{hyper} must be a float or a schedule, got {kind}"):
        OPTIMIZERS[name](w(), **{hyper: value})


@pytest.mark.parametrize(("name", "hyper"), NOT_NONE)
def test_none_is_no_hyperparameter(name: str, hyper: str) -> None:
    with refuses(TypeError, f"{hyper} must be a float or a schedule, got None"):
        OPTIMIZERS[name](w(), **{hyper: None})


@pytest.mark.parametrize(("name", "flag"), FLAGS)
@pytest.mark.parametrize(
    ("value", "kind"), [(1, "int"), ("yes", "str"), (None, "None"), (S.Constant(1), "Constant")]
)
def test_every_flag_is_a_bool(name: str, flag: str, value: Any, kind: str) -> None:
    with refuses(TypeError, f"{flag} must be a bool, got {kind}"):
        OPTIMIZERS[name](w(), **{flag: value})


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({}, "momentum 0.0 and dampening 0.0"),
        ({"momentum": 0.9, "dampening": 0.1}, "momentum 0.9 and dampening 0.1"),
        ({"momentum": 0.9, "dampening": S.Constant(0)}, "momentum 0.9 and dampening a schedule"),
    ],
    ids=repr,
)
def test_nesterov_wants_momentum(options: dict[str, Any], got: str) -> None:
    wants = "False unless momentum is above 0 and dampening is the constant 0"
    with refuses(ValueError, f"nesterov must be {wants}, got True with {got}"):
        gs.SGD(w(), nesterov=True, **options)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_unknown_keywords(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        OPTIMIZERS[name](w(), betas=(0.9, 0.99))
    hint = "betas=(a, b) is written beta1=a, beta2=b"
    start = f"{name}() got an unexpected keyword argument 'betas'; {hint}; it takes params, lr, "
    assert str(caught.value).startswith(start)
    assert ", clip_norm, clip_value, " in str(caught.value)
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rate'; it takes"):
        OPTIMIZERS[name](w(), learning_rate=0.1)


@pytest.mark.parametrize("value", [1, np.float32(0.5), np.float64(0.5), np.int64(1), np.array(0.5)], ids=repr)
def test_numbers_of_any_kind_are_floats(value: Any) -> None:
    assert gs.SGD(w(), lr=value).lr == float(value)


def test_an_optimizer_that_was_not_initialised() -> None:
    opt: Any = gs.Adam.__new__(gs.Adam)
    for use in (lambda: opt.step(w()), lambda: opt.state, lambda: opt.lr, lambda: repr(opt)):
        with refuses(RuntimeError, "this optimizer's __init__ has not run"):
            use()
