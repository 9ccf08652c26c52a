"""Runs of two hundred steps: an optimizer of gradstep beside one of a library, from the same start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import gradstep as gs
from gradstep.optimizers.dialects import DIALECTS

Params = dict[str, NDArray[Any]]
#: What a library makes of a case: the parameters after each step, for ever.
Path = Iterator[Params]

STEPS = 200
#: The largest difference of an array's elements, over the largest that one of them has been.
TOLERANCES = {"float64": 1e-12, "float32": 1e-5}

_random = np.random.default_rng(20261124)
START: Params = {"w": _random.normal(size=(6, 5)), "b": _random.normal(size=7), "gain": np.array([0.25])}
CURVATURE: Params = {name: _random.uniform(0.05, 1.0, p.shape) for name, p in START.items()}
NOISE: list[Params] = [
    {name: _random.normal(size=p.shape) for name, p in START.items()} for _ in range(STEPS)
]


class Case(NamedTuple):
    """A rule with options in gradstep's words, on top of the library's defaults."""

    rule: str
    options: dict[str, Any]
    #: The last step that can be compared in float32, for rules that a rounding sends another way.
    float32_steps: int = STEPS
    #: In place of the tolerance in float32, for what a library itself knows less well.
    float32_tolerance: float = TOLERANCES["float32"]

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"{self.rule}({options})"


def start(dtype: str) -> Params:
    """Give the parameters to start from, in new arrays."""
    return {name: p.astype(dtype) for name, p in START.items()}


def gradient(params: Params, t: int) -> Params:
    """Give the gradient at a step: that of a bowl, and noise as of samples."""
    return {
        name: (CURVATURE[name] * p + NOISE[t][name]).astype(p.dtype, copy=False) for name, p in params.items()
    }


def variants(rule: str, *options: dict[str, Any], **of_case: Any) -> list[Case]:
    """Make a case of each of the options of a rule."""
    return [Case(rule, given, **of_case) for given in options]


def compare(
    library: str,
    case: Case,
    dtype: str,
    follow: Callable[[Case, Params], Path],
    record: Callable[[str, object], None],
) -> None:
    """Take the steps with both, compare after each, and record the largest difference for the table.

    A library that no `like` knows is what the rule's class computes.
    """
    params = start(dtype)
    kind = getattr(gs, case.rule)
    make = partial(kind.like, library) if library in DIALECTS else kind
    opt = make(params, **case.options)
    steps = case.float32_steps if dtype == "float32" else STEPS
    tolerance = case.float32_tolerance if dtype == "float32" else TOLERANCES[dtype]
    path = follow(case, start(dtype))
    largest = {name: np.max(np.abs(p)) for name, p in params.items()}
    worst = 0.0
    for t in range(steps):
        opt.step(gradient(params, t))
        for name, theirs in next(path).items():
            largest[name] = max(largest[name], np.max(np.abs(theirs)))
            error = float(np.max(np.abs(params[name] - theirs)) / largest[name])
            assert error <= tolerance, (
                f"{case} like {library} in {dtype}: after step {t + 1} of {steps} params[{name!r}] differs "
                f"by {error:.2g} of its largest element so far, but {tolerance:g} is allowed; "
                f"ours {params[name].ravel()[:3]}, theirs {np.ravel(theirs)[:3]}"
            )
            worst = max(worst, error)
    for name, value in {"library": library, "rule": case.rule, "dtype": dtype, "error": worst}.items():
        record(name, value)
