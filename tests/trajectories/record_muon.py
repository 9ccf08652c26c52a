"""Writes muon.json: what torch's Muon computes. Run by hand, with a Python that has torch.

Twice: as it is, with its five steps in bfloat16, and with these in float64, which tells the formula apart
from the rounding.

python tests/trajectories/record_muon.py
"""

from __future__ import annotations

import json
import pathlib
from typing import Any
from unittest import mock

import numpy as np
import torch

STEPS = 6
SHAPES = {"wide": (3, 5), "tall": (4, 2)}
OPTIONS: list[dict[str, Any]] = [{}, {"lr": 0.1, "momentum": 0.8, "weight_decay": 0.5}, {"nesterov": False}]


def paths(options: dict[str, Any], start: dict[str, Any], grads: list[dict[str, Any]]) -> Any:
    """The parameters after each step."""
    params = {name: torch.nn.Parameter(torch.tensor(p, dtype=torch.float64)) for name, p in start.items()}
    opt = torch.optim.Muon(params.values(), **options)
    path = []
    for of_step in grads:
        for name, p in params.items():
            p.grad = torch.tensor(of_step[name], dtype=torch.float64)
        opt.step()
        path.append({name: p.tolist() for name, p in params.items()})
    return path


def main() -> None:
    """Record all."""
    random = np.random.default_rng(2024)
    start, *grads = (
        {name: random.normal(size=shape).tolist() for name, shape in SHAPES.items()} for _ in range(STEPS + 1)
    )
    cases = []
    for options in OPTIONS:
        rounded = paths(options, start, grads)
        with mock.patch.object(torch, "bfloat16", torch.float64):
            exact = paths(options, start, grads)
        cases.append({"options": options, "bfloat16": rounded, "float64": exact})
    content = {"written_by": f"torch {torch.__version__}", "start": start, "grads": grads, "cases": cases}
    path = pathlib.Path(__file__).with_name("muon.json")
    path.write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
