"""Writes torch.json: what torch computes. Run by hand, with a Python that has torch; no test imports it.

python tests/trajectories/record.py
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import torch

STEPS, SIZE = 20, 3

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.05},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"lr": 0.1, "momentum": 0.9, "clip_norm": 0.5},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.05},
        {"lr": 0.2, "initial_accumulator_value": 0.1, "eps": 1e-3},
        {"lr": 0.1, "clip_value": 0.3},
    ],
    "RMSprop": [
        {},
        {"lr": 0.05, "alpha": 0.9, "weight_decay": 0.05},
        {"lr": 0.02, "momentum": 0.9, "eps": 1e-4},
        {"lr": 0.02, "alpha": 0.9, "centered": True},
        {"lr": 0.02, "alpha": 0.95, "centered": True, "momentum": 0.8, "clip_norm": 0.5},
    ],
    "Adam": [
        {},
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "beta2": 0.7, "amsgrad": True},
        {"lr": 0.05, "clip_norm": 0.5, "clip_value": 0.3},
    ],
    "AdamW": [
        {},
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.5},
        {"lr": 0.05, "beta2": 0.7, "amsgrad": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1},
    ],
    "Adamax": [
        {},
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1},
    ],
    "NAdam": [
        {},
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "momentum_decay": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "weight_decay": 0.5, "decoupled": True},
    ],
    "RAdam": [
        {},
        {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.05, "beta2": 0.9, "weight_decay": 0.5, "decoupled": True},
    ],
    "Rprop": [
        {},
        {"lr": 0.1, "eta_minus": 0.4, "eta_plus": 1.5, "step_min": 0.05, "step_max": 0.2},
    ],
}

#: Our flat names of what torch gives in pairs, and its defaults.
PAIRS = {
    "betas": {"beta1": 0.9, "beta2": 0.999},
    "etas": {"eta_minus": 0.5, "eta_plus": 1.2},
    "step_sizes": {"step_min": 1e-6, "step_max": 50.0},
}


def torch_path(optimizer: str, options: dict[str, Any], start: list[float], grads: list[list[float]]) -> Any:
    """The parameter after each step."""
    options = dict(options)
    clip_norm, clip_value = options.pop("clip_norm", None), options.pop("clip_value", None)
    for pair, names in PAIRS.items():
        if options.keys() & names.keys():
            options[pair] = tuple(options.pop(name, default) for name, default in names.items())
    if "decoupled" in options:
        options["decoupled_weight_decay"] = options.pop("decoupled")
    p = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    opt = getattr(torch.optim, optimizer)([p], **options)
    path = []
    for g in grads:
        p.grad = torch.tensor(g, dtype=torch.float64)
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([p], clip_norm)
        if clip_value is not None:
            torch.nn.utils.clip_grad_value_([p], clip_value)
        opt.step()
        path.append(p.tolist())
    return path


def name(optimizer: str, options: dict[str, Any]) -> str:
    """`Adam-lr=0.05-amsgrad`."""
    parts = [key if value is True else f"{key}={value}" for key, value in options.items()]
    return "-".join([optimizer, *(parts or ["defaults"])])


def main() -> None:
    """Record all."""
    # The dtype of what torch remembers beside the arrays, NAdam's product of momenta.
    torch.set_default_dtype(torch.float64)
    random = np.random.default_rng(2015)
    start = random.normal(size=SIZE).tolist()
    grads = random.normal(size=(STEPS, SIZE)).tolist()
    cases = [
        {
            "id": name(optimizer, options),
            "optimizer": optimizer,
            "options": options,
            "path": torch_path(optimizer, options, start, grads),
        }
        for optimizer, sets in OPTIONS.items()
        for options in sets
    ]
    content = {"written_by": f"torch {torch.__version__}", "start": start, "grads": grads, "cases": cases}
    path = pathlib.Path(__file__).with_name("torch.json")
    path.write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
