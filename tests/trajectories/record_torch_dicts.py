"""Writes torch_dicts.json: state dicts of torch, and where its steps lead from there.

Run by hand, with a Python that has torch; no test imports it.

python tests/trajectories/record_torch_dicts.py
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import torch

BREAK, END = 3, 6
SHAPES = {"w": (2, 2), "late": (2,), "b": (1,)}
#: The groups; the second has half the rate. What is late has no gradient before the break.
GROUPS = [["w", "late"], ["b"]]

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.25, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True},
    ],
    "Adagrad": [{"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}],
    "RMSprop": [{"lr": 0.1}, {"lr": 0.1, "alpha": 0.9, "momentum": 0.5, "centered": True}],
    "Adam": [
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "beta1": 0.8, "beta2": 0.5, "amsgrad": True, "maximize": True},
    ],
    "AdamW": [{"lr": 0.1, "beta2": 0.5, "amsgrad": True}],
    "Adadelta": [{"lr": 0.5, "rho": 0.8}],
    "Adamax": [{"lr": 0.1, "beta1": 0.8}],
    "NAdam": [{"lr": 0.1, "momentum_decay": 0.05, "weight_decay": 0.1, "decoupled": True}],
    "RAdam": [{"lr": 0.1, "beta2": 0.7, "weight_decay": 0.1}],
    "Rprop": [{"lr": 0.1, "eta_minus": 0.4, "step_max": 0.15}],
}

PAIRS = {
    "betas": (("beta1", 0.9), ("beta2", 0.999)),
    "etas": (("eta_minus", 0.5), ("eta_plus", 1.2)),
    "step_sizes": (("step_min", 1e-6), ("step_max", 50.0)),
}


def in_torchs_words(options: dict[str, Any]) -> dict[str, Any]:
    """Put the numbers of a pair together, and give the rest its name."""
    theirs = {key: value for key, value in options.items() if key != "decoupled"}
    if "decoupled" in options:
        theirs["decoupled_weight_decay"] = options["decoupled"]
    for pair, names in PAIRS.items():
        if any(name in options for name, _ in names):
            theirs[pair] = tuple(theirs.pop(name, default) for name, default in names)
    return theirs


def plain(value: Any) -> Any:
    """Make lists of tensors."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.tolist() if isinstance(value, torch.Tensor) else value


def trained(rule: str, options: dict[str, Any], start: Any, grads: Any) -> dict[str, Any]:
    """Take the steps, and write down the break and the end."""
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in start.items()}
    groups = [{"params": [tensors[name] for name in names]} for names in GROUPS]
    groups[1]["lr"] = options["lr"] / 2
    opt = getattr(torch.optim, rule)(groups, **in_torchs_words(options))
    case: dict[str, Any] = {"rule": rule, "options": options}
    for t, of_step in enumerate(grads):
        if t == BREAK:
            case["params"] = plain({name: p.detach() for name, p in tensors.items()})
            case["state_dict"] = plain(opt.state_dict())
        for name, p in tensors.items():
            p.grad = None if name == "late" and t < BREAK else torch.tensor(of_step[name])
        opt.step()
    return case | {"end": plain({name: p.detach() for name, p in tensors.items()})}


def main() -> None:
    """Write what torch computes."""
    # In which NAdam keeps its product of momenta.
    torch.set_default_dtype(torch.float64)
    random = np.random.default_rng(20261124)
    start = {name: random.normal(size=shape) for name, shape in SHAPES.items()}
    grads = [{name: random.normal(size=shape) for name, shape in SHAPES.items()} for _ in range(END)]
    cases = [trained(rule, options, start, grads) for rule, several in OPTIONS.items() for options in several]
    recorded = {
        "written_by": f"torch {torch.__version__}",
        "groups": GROUPS,
        "grads": [{name: g.tolist() for name, g in of_step.items()} for of_step in grads[BREAK:]],
        "cases": cases,
    }
    path = pathlib.Path(__file__).parent / "torch_dicts.json"
    path.write_text(json.dumps(recorded, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
