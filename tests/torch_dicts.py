"""State dicts of torch's optimizers, as recorded, and what they are loaded into."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np

import gradstep as gs

RECORDED = json.loads((Path(__file__).parent / "trajectories" / "torch_dicts.json").read_text())
CASES = {f"{case['rule']}-{i}": case for i, case in enumerate(RECORDED["cases"])}
#: The path names here, in torch's order.
NAMES = [f"{i}.{name}" for i, names in enumerate(RECORDED["groups"]) for name in names]


def theirs(case: Any) -> dict[str, Any]:
    """The dict as torch gave it: JSON has text for keys, and lists for tensors."""
    state = {
        int(i): {key: None if value is None else np.array(value) for key, value in of_one.items()}
        for i, of_one in case["state_dict"]["state"].items()
    }
    return {"state": state, "param_groups": copy.deepcopy(case["state_dict"]["param_groups"])}


def grouped(arrays: dict[str, Any]) -> list[dict[str, Any]]:
    """Arrays of a recording in their groups."""
    return [{name: np.array(arrays[name]) for name in names} for names in RECORDED["groups"]]


def by_names(params: Any) -> dict[str, Any]:
    return {f"{i}.{name}": array for i, of_group in enumerate(params) for name, array in of_group.items()}


def fresh(case: Any) -> tuple[gs.Optimizer, list[dict[str, Any]]]:
    """An optimizer here that is like the one there, and its parameters at the break."""
    params = grouped(case["params"])
    options = case["options"]
    groups: list[dict[str, Any]] = [{"params": params[0]}, {"params": params[1], "lr": options["lr"] / 2}]
    return getattr(gs, case["rule"])(groups, **options), params


def loaded(case: Any) -> tuple[gs.Optimizer, list[dict[str, Any]]]:
    opt, params = fresh(case)
    counted: Any = {"step_count": 3} if case["rule"] == "SGD" else {}
    saved = gs.from_torch_state_dict(theirs(case), by_names(params), **counted)
    assert opt.load_state_dict(saved) == {}
    return opt, params
