"""The options of all optimizers with values that do something."""

from __future__ import annotations

from inspect import signature
from typing import Any

import gradstep as gs
import reference

#: Every option of all optimizers, alone.
OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "decay": {"weight_decay": 0.1},
    "coupled": {"weight_decay": 0.1, "decoupled": False},
    "decoupled": {"weight_decay": 0.1, "decoupled": True},
    "after": {"weight_decay": 0.1, "decoupled": "after"},
    "l1": {"l1": 0.3},
    "maximize": {"maximize": True},
    "bounds": {"bounds": (-0.5, 0.4)},
    "ema": {"ema": 0.75},
    "accumulate": {"accumulate": 2},
    "clip_norm_each": {"clip_norm_each": 0.5},
    "clip_norm": {"clip_norm": 0.5, "clip_eps": 0.0},
    "clip_value": {"clip_value": 0.25},
    "measure": {"measure": True},
    "nonfinite": {"nonfinite": "skip"},
    "schedule": {"lr": gs.schedules.Linear(0.5, 0.1, 3)},
}


def known(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Those that a class has: a rule with a decay of its own has no place for it."""
    if "weight_decay" in signature(reference.RULES[name]).parameters:
        return {option: value for option, value in options.items() if option != "decoupled"}
    return options
