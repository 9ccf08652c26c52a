"""Runs that are left in the middle and gone on with: how an optimizer may get from here to there."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

import gradstep as gs
from drawings import CHOICES, OPTIMIZERS
from settings import OPTIONS, known
from trees import copied, like

#: Updates before and after; with accumulate=2 the break is in the middle of a window.
BREAK, END = 5, 11

#: What all has a memory, at once.
MANY: dict[str, Callable[[], dict[str, Any]]] = {
    "window": lambda: {"accumulate": 3, "ema": 0.75, "nonfinite": "skip"},
    "feedback": lambda: {
        "lr": gs.feedback.Plateau(gs.schedules.Constant(0.125), factor=0.5, patience=1).warmup(3),
        "clip_norm": gs.feedback.LossScaled(gs.schedules.Constant(4.0), beta=0.25),
    },
    "norms": lambda: {
        "lr": gs.feedback.GradNormScaled(gs.schedules.Constant(0.125), beta=0.5),
        "clip_norm_each": 0.5,
        "measure": True,
    },
    "groups": lambda: {"groups": {"b": {"lr": 0.5, "maximize": True}}, "ema": 0.5},
}

OptionsOf = Callable[[], dict[str, Any]]

#: Numbers of rules that decide on the formula or the state, and a value that is not the default.
AMOUNTS = {
    "momentum": 0.75,
    "initial_accumulator_value": 0.125,
    "eps_root": 0.01,
    "first_count": 2.0,
    "beta3": 0.9,
    "warmup_steps": 7,
}

#: What a switch cannot be without.
NEEDS = {"nesterov": {"momentum": 0.75}, "momentum_form": {"momentum": 0.75}}

#: How many pairs are drawn for each rule.
PAIRS = 8


def switches(name: str) -> dict[str, OptionsOf]:
    """Every value of what decides on the formula of a rule, as its signature has it."""
    found: dict[str, OptionsOf] = {}
    for option, parameter in signature(OPTIMIZERS[name]).parameters.items():
        default = parameter.default
        if isinstance(default, bool | str):
            values: list[Any] = CHOICES.get(option, [False, True])
        elif parameter.kind is parameter.KEYWORD_ONLY or option in AMOUNTS:
            values = [AMOUNTS[option]]
        else:
            continue
        for value in values:
            if value != default:
                given = NEEDS.get(option, {}) | {option: value}
                found[f"{option}={value}"] = partial(known, name, given)
    return found


def pairs(name: str, single: dict[str, OptionsOf]) -> dict[str, OptionsOf]:
    """Two of them at once: others for each rule, but the same at each run, as processes must agree."""
    random = Random(name)
    found: dict[str, OptionsOf] = {}
    while len(found) < PAIRS:
        a, b = sorted(random.sample(sorted(single), 2))
        one, other = single[a](), single[b]()
        if all(one[option] == other[option] for option in one.keys() & other):
            found[f"{a} and {b}"] = partial(both, single[a], single[b])
    return found


def both(one: OptionsOf, other: OptionsOf) -> dict[str, Any]:
    """What two of them say."""
    return one() | other()


def options_of(name: str) -> dict[str, OptionsOf]:
    """All that a rule is told in turn."""
    single: dict[str, OptionsOf] = {
        **{option: partial(known, name, given) for option, given in OPTIONS.items()},
        **MANY,
        **switches(name),
    }
    return single | pairs(name, single)


class Case(NamedTuple):
    """A rule, what it is told, and the parameters."""

    rule: str
    options: OptionsOf
    parameters: Callable[[], dict[str, Any]]


def small() -> dict[str, Any]:
    """Several dtypes, shapes and orders."""
    random = np.random.default_rng(0)
    return {
        "w": np.asarray(random.normal(size=(5, 7)), order="F"),
        "b": random.normal(size=3).astype(np.float32),
        "z": random.normal(size=4) + 1j * random.normal(size=4),
        "c": np.asarray(random.normal(size=2) - 1j, np.complex64),
        "s": np.array(0.5),
    }


def large() -> dict[str, Any]:
    """So many elements that several threads take part."""
    random = np.random.default_rng(0)
    return {
        "w": random.normal(size=(400, 350)).astype(np.float32),
        "b": random.normal(size=350),
        "z": random.normal(size=4) + 1j * random.normal(size=4),
    }


#: By name of a rule and of what it is told.
CASES: dict[str, Case] = {
    f"{name}-{option}": Case(name, make, small)
    for name in OPTIMIZERS
    for option, make in options_of(name).items()
} | {f"{name}-large": Case(name, MANY["norms"], large) for name in OPTIMIZERS}


def make(case: str, params: Any) -> gs.Optimizer:
    """A fresh optimizer."""
    name, options, _ = CASES[case]
    optimizer: gs.Optimizer = OPTIMIZERS[name](params, **options())
    return optimizer


def zeros(params: Any) -> Any:
    """What a fresh process has in the place of trained parameters."""
    return {name: np.zeros_like(array) for name, array in params.items()}


def load(path: Path, case: str) -> tuple[gs.Optimizer, Any]:
    """Make a fresh optimizer, and bring it to where the run is that was written to a file."""
    params = zeros(CASES[case].parameters())
    opt = make(case, params)
    assert gs.load(path, opt) == {}
    return opt, params


def run(opt: gs.Optimizer, params: Any, begin: int, end: int) -> None:
    """Steps with losses, of which some have gradients that are missing, frozen or not finite."""
    for t in range(begin, end):
        grads = like(params, t)
        if t == 1:
            opt.freeze("z")
        elif t == BREAK + 2:
            opt.unfreeze("z")
        if t in (2, BREAK):
            grads["b"] = None
        if t == 3 and opt.nonfinite == "skip":
            grads["w"][0, 0] = np.nan
        opt.step(grads, loss=float(t))


def by_state_dict(case: str, opt: gs.Optimizer, params: Any) -> tuple[gs.Optimizer, Any]:
    """A fresh optimizer of copies, and the state as it is saved."""
    params = copied(params)
    fresh = make(case, params)
    assert fresh.load_state_dict(pickle.loads(pickle.dumps(opt.state_dict()))) == {}
    return fresh, params


def by_pickle(_: str, opt: gs.Optimizer, params: Any) -> tuple[gs.Optimizer, Any]:
    """One pickle of both."""
    both: tuple[gs.Optimizer, Any] = pickle.loads(pickle.dumps((opt, params)))
    return both


def by_deepcopy(_: str, opt: gs.Optimizer, params: Any) -> tuple[gs.Optimizer, Any]:
    """Copies of both."""
    return copy.deepcopy((opt, params))


def by_file(case: str, opt: gs.Optimizer, _: Any) -> tuple[gs.Optimizer, Any]:
    """A fresh optimizer of other parameters, and a file."""
    with tempfile.TemporaryDirectory() as folder:
        gs.save(Path(folder, "run.npz"), opt)
        return load(Path(folder, "run.npz"), case)


WAYS = {"state dict": by_state_dict, "file": by_file, "pickle": by_pickle, "deepcopy": by_deepcopy}
