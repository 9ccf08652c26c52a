"""Runs that are left in the middle and gone on with: how an optimizer may get from here to there."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import gradstep as gs
from drawings import OPTIMIZERS
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

#: By name of a rule and of what it is told.
CASES: dict[str, tuple[str, OptionsOf]] = {
    f"{name}-{option}": (name, make)
    for name in OPTIMIZERS
    for option, make in [
        *((option, lambda name=name, given=given: known(name, given)) for option, given in OPTIONS.items()),
        *MANY.items(),
    ]
}


def parameters() -> dict[str, Any]:
    """Several dtypes, shapes and orders."""
    random = np.random.default_rng(0)
    return {
        "w": np.asarray(random.normal(size=(5, 7)), order="F"),
        "b": random.normal(size=3).astype(np.float32),
        "z": random.normal(size=4) + 1j * random.normal(size=4),
    }


def make(case: str, params: Any) -> gs.Optimizer:
    """A fresh optimizer."""
    name, options = CASES[case]
    optimizer: gs.Optimizer = OPTIMIZERS[name](params, **options())
    return optimizer


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


def by_file(case: str, opt: gs.Optimizer, params: Any) -> tuple[gs.Optimizer, Any]:
    """A fresh optimizer of other parameters, and a file."""
    params_of_fresh = {name: np.zeros_like(array) for name, array in params.items()}
    fresh = make(case, params_of_fresh)
    with tempfile.TemporaryDirectory() as folder:
        gs.save(Path(folder, "run.npz"), opt)
        assert gs.load(Path(folder, "run.npz"), fresh) == {}
    return fresh, params_of_fresh


WAYS = {"state dict": by_state_dict, "file": by_file, "pickle": by_pickle, "deepcopy": by_deepcopy}
