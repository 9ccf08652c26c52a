"""What no hyperparameter takes: value, exception, message."""

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


def w() -> Array:
    return np.ones(3)


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
        (S.Cosine, "type; a schedule is made by calling its class, as Cosine(0.1, 1000)"),
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
