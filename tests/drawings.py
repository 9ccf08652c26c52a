"""What hypothesis draws: optimizers with their hyperparameters, parameters, gradients."""

from __future__ import annotations

import inspect
import os
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import gradstep as gs
from gradstep.schedules import Schedule

Array = NDArray[Any]

#: Updates of one drawn run.
STEPS = 50

#: What is looked at once, before the first update, or is no rate, or may not fall to nothing.
AT_THE_START = {"initial_accumulator_value", "reps_rel", "first_count", "eta_plus"}

settings.register_profile("gradstep", deadline=None, derandomize="CI" in os.environ, max_examples=120)
settings.load_profile("gradstep")

#: Every optimizer class, found by itself.
OPTIMIZERS: dict[str, type[Any]] = {
    name: value
    for name in gs.__all__
    if inspect.isclass(value := getattr(gs, name))
    and issubclass(value, gs.Optimizer)
    and value is not gs.Optimizer
}

_decay = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999]) | st.floats(0.0, 1.0, exclude_max=True)
_amount = st.sampled_from([0.0, 0.01]) | st.floats(0.0, 2.0, allow_subnormal=False)
_eps = st.sampled_from([1e-8, 1e-10, 1e-3, 0.0])

#: Where the values of a hyperparameter lie. A new name needs a line here.
HYPERS: dict[str, st.SearchStrategy[float]] = {
    "lr": st.sampled_from([0.0, 1e-3, 0.1]) | st.floats(0.0, 2.0),
    "momentum": st.just(0.0) | _decay,
    "dampening": st.sampled_from([0.0, 0.0, 0.5, 1.0]) | st.floats(0.0, 1.0),
    "weight_decay": _amount,
    "lr_decay": _amount,
    "initial_accumulator_value": _amount,
    "alpha": _decay,
    "beta1": _decay,
    "beta2": _decay,
    "beta3": _decay,
    "rho": _decay,
    "momentum_decay": st.sampled_from([0.0, 4e-3, 1.0, 30.0]) | st.floats(0.0, 1.0),
    "eta_minus": _decay,
    "eta_plus": st.sampled_from([1.0, 1.2]) | st.floats(1.0, 3.0),
    "step_min": st.sampled_from([0.0, 1e-6]) | st.floats(0.0, 0.1),
    "step_max": st.sampled_from([50.0, 0.1]) | st.floats(0.0, 100.0),
    "eps": _eps,
    "eps_root": _eps,
    "first_count": st.sampled_from([1.0, 2.0, 1.0]),
    "reps_rel": st.sampled_from([1e-6, 1e-2, 1.0]),
}

#: The values of an option that is a name or a bool.
CHOICES: dict[str, list[Any]] = {
    "amsgrad": [False, True, "corrected"],
    "momentum_form": ["torch", "keras"],
    "difference_form": ["optax", "paper"],
}

_limits = st.sampled_from([0.0, 1.0, 1e9]) | st.floats(1e-6, 1e6)

#: Sizes on both sides of the widths of vector registers.
_sizes = st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65])


def defaults(optimizer: type[Any]) -> dict[str, Any]:
    """The hyperparameters and flags of a class, with their defaults."""
    parameters = inspect.signature(optimizer).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name != "params"}


@st.composite
def scheduled(draw: st.DrawFn, values: st.SearchStrategy[float]) -> Schedule:
    """A schedule that stays between values that were drawn."""
    a, b, steps = draw(values), draw(values), draw(st.integers(1, STEPS))
    schedules = [
        gs.schedules.Table([a, b, draw(values)]),
        gs.schedules.Linear(a, b, steps),
        gs.schedules.Cosine(max(a, b), steps, end=min(a, b)),
        gs.schedules.StepDecay(a, 0.5, steps),
        gs.schedules.Constant(a).warmup(steps),
        gs.schedules.Lambda(lambda t: a if t % 2 else b),
    ]
    return draw(st.sampled_from(schedules))


def rates(values: st.SearchStrategy[float]) -> st.SearchStrategy[float | Schedule]:
    """A float, or a schedule of such."""
    return st.one_of(values, values, values, scheduled(values))


@st.composite
def hypers(draw: st.DrawFn, optimizer: type[Any]) -> dict[str, Any]:
    """Values for all hyperparameters and flags of a class."""
    values = {}
    for name, default in defaults(optimizer).items():
        of_run = (
            isinstance(default, bool | str) or name in AT_THE_START or (name, optimizer) == ("lr", gs.Rprop)
        )
        if isinstance(default, bool | str):
            strategy = st.sampled_from(CHOICES.get(name, [False, True]))
        else:
            strategy = HYPERS[name]
        values[name] = draw(strategy if of_run else rates(strategy), label=name)
    if values.get("nesterov"):
        # A combination that the rule forbids, and below another one.
        values["momentum"] = values["momentum"] or 0.9
        values["dampening"] = 0.0
    if optimizer is gs.SGD:
        values["momentum_form"] = draw(st.sampled_from(["torch", "torch", "keras", "average"]))
        values["dampening"] = values["dampening"] if values["momentum_form"] == "torch" else 0.0
    return values


@st.composite
def clips(draw: st.DrawFn) -> dict[str, Any]:
    """Limits on the gradients, or none."""
    return {name: draw(st.none() | rates(_limits), label=name) for name in ("clip_norm", "clip_value")}


def at(values: dict[str, Any], t: int) -> dict[str, Any]:
    """The values at update number t."""
    return {name: value(t) if isinstance(value, Schedule) else value for name, value in values.items()}


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """A parameter of up to four axes, in any memory order, that may be a view into a larger buffer."""
    shape: list[int] = draw(
        st.just([]) | _sizes.map(lambda n: [n]) | st.lists(st.integers(0, 4), min_size=2, max_size=4)
    )
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    offset = draw(st.integers(0, 3))
    axes = draw(st.permutations(range(len(shape))))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = int(np.prod(shape))
    buffer = random.normal(size=offset + size + 1).astype(dtype)
    buffer[random.random(buffer.size) < 0.05] = -0.0
    return buffer[offset : offset + size].reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))


class Gradients:
    """Gradients for some arrays, another set at each call."""

    def __init__(self, like: dict[str, Array], seed: int, dtypes: list[str], finite: bool) -> None:
        self.random = np.random.default_rng(seed)
        self.like, self.dtypes, self.finite = like, dtypes, finite

    def __call__(self) -> dict[str, Array]:
        return {name: self._one(p) for name, p in self.like.items()}

    def _one(self, p: Array) -> Array:
        random = self.random
        dtype = np.dtype(self.dtypes[random.integers(len(self.dtypes))])
        largest = 4 if dtype == np.float16 else 6
        g = 10 ** random.uniform(-8, largest, p.shape) * random.choice([-1.0, 1.0], p.shape)
        g = np.where(random.random(p.shape) < 0.1, random.choice([0.0, -0.0], p.shape), g)
        if not self.finite:
            g = np.where(random.random(p.shape) < 0.01, random.choice([np.inf, -np.inf, np.nan], p.shape), g)
        g = np.asarray(g, dtype)
        match random.integers(4):
            case 0:  # the parameter's own order
                same = np.empty_like(p, dtype)
                same[...] = g
                return same
            case 1:
                return np.asarray(g, order="F")
            case 2 if g.ndim:  # negative strides
                return np.ascontiguousarray(g[::-1])[::-1]
            case 2:  # a NumPy scalar
                return g[()]
        return g


@st.composite
def gradients(draw: st.DrawFn, like: dict[str, Array], finite: bool) -> Gradients:
    """A source of gradients for these parameters; from 1e-8 to 1e6 in magnitude, and zeros."""
    dtypes = draw(st.lists(st.sampled_from(["float32", "float64", "float16"]), min_size=1, max_size=3))
    return Gradients(like, draw(st.integers(0, 2**32 - 1)), dtypes, finite or draw(st.booleans()))
