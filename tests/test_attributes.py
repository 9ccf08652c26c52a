"""The attributes of an optimizer: hyperparameters are live, and no assignment is lost in silence."""

# What the types forbid is what this file does.
# mypy: disable-error-code="attr-defined, misc, method-assign, assignment"

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits, assert_same_state
from drawings import CHOICES, OPTIMIZERS, defaults
from gradstep.optimizers.hypers import Hyper, Limit, Option
from refusals import refuses

LIMITS = ("clip_norm", "clip_value")

#: Two values of each hyperparameter that differ from the default and from each other.
VALUES: dict[str, tuple[float, float]] = {
    "lr": (0.5, 0.25),
    "weight_decay": (0.5, 0.125),
    "momentum": (0.5, 0.75),
    "dampening": (0.5, 0.25),
    "lr_decay": (0.5, 0.25),
    "eps": (0.5, 0.25),
    "alpha": (0.5, 0.75),
    "beta1": (0.1, 0.95),
    "beta2": (0.5, 0.75),
    "beta3": (0.5, 0.75),
    "rho": (0.5, 0.75),
    "momentum_decay": (0.5, 0.25),
    "eta_minus": (0.5, 0.25),
    "eta_plus": (1.5, 1.25),
    "step_min": (0.5, 0.25),
    "step_max": (0.011, 0.0105),
    "eps_root": (0.5, 0.25),
    "first_count": (0.5, 0.25),
    "clip_norm": (0.5, 0.25),
    "clip_value": (0.5, 0.25),
}
#: What the state or the memory starts from.
AT_THE_START = {"initial_accumulator_value": "sum"}
#: What has an effect at the first step only.
FIRST_STEP = {"reps_rel": (0.5, 0.25)}

#: What leaves every sign as it is does nothing to a rule that looks at nothing else.
INERT = {("Rprop", "clip_norm"), ("Rprop", "clip_value")}
#: As many steps as RAdam needs to rectify its rate.
LAST = 12

LIVE = [
    (name, hyper)
    for name in OPTIMIZERS
    for hyper, default in [*defaults(OPTIMIZERS[name]).items(), *((limit, None) for limit in LIMITS)]
    if not isinstance(default, bool | str) and hyper not in AT_THE_START and (name, hyper) != ("Rprop", "lr")
]
FLAGS = [
    (name, hyper)
    for name in OPTIMIZERS
    for hyper, default in defaults(OPTIMIZERS[name]).items()
    if isinstance(default, bool) and hyper not in CHOICES
]


def made(name: str, **options: Any) -> tuple[Array, Any]:
    """With a buffer where there may be one."""
    needed = {"momentum": 0.9} if "momentum" in defaults(OPTIMIZERS[name]) else {}
    p = np.linspace(-1, 1, 5)
    return p, OPTIMIZERS[name](p, **(needed | options))


def steps(opt: Any, first: int, last: int) -> None:
    for t in range(first, last):
        opt.step(np.cos(np.arange(5.0) + t))


@pytest.mark.parametrize(("name", "hyper"), LIVE)
def test_an_assigned_hyperparameter_is_used(name: str, hyper: str) -> None:
    """As if it had been a schedule from the start that changes at the same step."""
    first, second = (VALUES | FIRST_STEP)[hyper]
    change = 1 if hyper in VALUES else 0
    p, opt = made(name, **{hyper: first})
    assert getattr(opt, hyper) == first
    steps(opt, 0, change)
    setattr(opt, hyper, second)
    assert getattr(opt, hyper) == second
    assert opt.hyperparameters[0][hyper] == second
    steps(opt, change, LAST)
    changing = gs.schedules.Piecewise([1], [first, second]) if change else second
    q, want = made(name, **{hyper: changing})
    steps(want, 0, LAST)
    assert_same_bits(p, q, "p")
    assert_same_state(opt.state, want.state)
    same, unchanged = made(name, **{hyper: first})
    steps(unchanged, 0, LAST)
    assert np.array_equal(p, same) == ((name, hyper) in INERT), f"{hyper} has no effect here"


@pytest.mark.parametrize(("name", "hyper"), LIVE)
def test_an_assigned_schedule_is_read_at_the_next_step(name: str, hyper: str) -> None:
    first, second = (VALUES | FIRST_STEP)[hyper]
    _, opt = made(name)
    schedule = gs.schedules.Table([first, second])
    setattr(opt, hyper, schedule)
    assert getattr(opt, hyper) == first
    opt.step_count = 1
    assert getattr(opt, hyper) == second
    assert opt.hyperparameters[0][hyper] == schedule


@pytest.mark.parametrize(("name", "hyper"), LIVE)
def test_a_refused_value_replaces_none(name: str, hyper: str) -> None:
    _, opt = made(name, **{hyper: (VALUES | FIRST_STEP)[hyper][0]})
    before = opt.hyperparameters
    for bad, error in [(-1.0, ValueError), ("x", TypeError), (True, TypeError), ((0.5, 0.5), ValueError)]:
        with pytest.raises((error, TypeError) if hyper in LIMITS else error):
            setattr(opt, hyper, bad)
        assert opt.hyperparameters == before


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_taken_away(limit: str) -> None:
    p, opt = made("SGD", **{limit: 0.25})
    setattr(opt, limit, None)
    assert getattr(opt, limit) is None
    steps(opt, 0, 2)
    q, want = made("SGD")
    steps(want, 0, 2)
    assert_same_bits(p, q, "p")


@pytest.mark.parametrize(("name", "flag"), FLAGS)
def test_a_flag_can_be_read_only(name: str, flag: str) -> None:
    _, opt = made(name, **{flag: True})
    assert getattr(opt, flag) is True
    settable = ", ".join(settable_of(OPTIMIZERS[name]))
    message = f"{name}.{flag} cannot be changed; those that can be assigned to are {settable}"
    with refuses(AttributeError, message):
        setattr(opt, flag, False)
    assert getattr(opt, flag) is True


@pytest.mark.parametrize("hyper", AT_THE_START)
def test_what_the_state_started_from_cannot_be_changed(hyper: str) -> None:
    opt: Any = OPTIMIZERS["Adagrad"](np.ones(2), **{hyper: 0.5})
    with refuses(AttributeError, f"{hyper} is what the state started from, and cannot be changed"):
        setattr(opt, hyper, 0.25)
    assert getattr(opt, hyper) == 0.5


@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
def test_a_momentum_without_a_buffer(name: str) -> None:
    opt = OPTIMIZERS[name](np.ones(2))
    message = (
        "momentum cannot be set from a constant 0 to something else, because there is no momentum_buffer: "
        "make the optimizer with a value above 0, or with a schedule"
    )
    for value in (0.5, gs.schedules.Constant(0.0)):
        with refuses(ValueError, message):
            opt.momentum = value
    opt.momentum = 0.0
    opt.step(np.ones(2))


def settable_of(kind: type[Any]) -> list[str]:
    hypers = [name for name in dir(kind) if isinstance(getattr(kind, name), (Hyper, Limit, Option))]
    return [*hypers, "step_count", "counts", "scalars", "feedback_state"]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_attribute_that_does_not_exist(name: str) -> None:
    _, opt = made(name)
    settable = ", ".join(settable_of(OPTIMIZERS[name]))
    for attribute in ("learning_rate", "betas", "lrr"):
        message = f"{name}.{attribute} does not exist; those that can be assigned to are {settable}"
        with refuses(AttributeError, message):
            setattr(opt, attribute, 0.5)
        assert not hasattr(opt, attribute)
    for attribute in ("params", "hyperparameters", "grad_norm", "rule", "decoupled_weight_decay"):
        message = f"{name}.{attribute} cannot be changed; those that can be assigned to are {settable}"
        before = getattr(opt, attribute)
        with refuses(AttributeError, message):
            setattr(opt, attribute, None)
        assert np.array_equal(getattr(opt, attribute), before)


class Mine(gs.SGD):
    """With something of its own."""

    label = "mine"

    def __init__(self, params: Any, **options: Any) -> None:
        self._history: list[float] = []
        super().__init__(params, **options)


def test_a_subclass_has_attributes_of_its_own() -> None:
    opt = Mine(np.ones(2), lr=0.5)
    opt.label = "yours"
    opt._history.append(1.0)
    opt.step = opt._history.append  # as a wrapper would
    opt.step(2.0)
    assert (opt.label, opt._history) == ("yours", [1.0, 2.0])
    with pytest.raises(
        AttributeError, match=r"^Mine\.lable does not exist; those that can be assigned to are "
    ):
        opt.lable = "x"


def test_an_unknown_option_of_a_subclass_is_refused() -> None:
    takes = "it takes params, lr, weight_decay, momentum, dampening, nesterov, momentum_form, "
    with pytest.raises(TypeError, match=rf"^Mine\(\) got an unexpected keyword argument 'rho'; {takes}"):
        Mine(np.ones(2), rho=0.5)
    with refuses(TypeError, "Bare has no rule of its own; take one such as gradstep.Adam"):
        type("Bare", (gs.Optimizer,), {})(np.ones(2))
