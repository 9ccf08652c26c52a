"""Prints a digest of what steps of large models leave, for each optimizer and number of threads.

A program of its own, because the SIMD tier is chosen once for a process: `python tests/steps_digest.py`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import gradstep as gs
from bits import Array, digest
from drawings import OPTIMIZERS, defaults
from reference import CHUNK

#: Cut into several chunks, on and beside their boundaries, and more than one thread's work in all.
SHAPES = {
    "whole": ((2 * CHUNK,), np.float32),
    "odd": ((3 * CHUNK + 7,), np.float64),
    "matrix": ((257, 129), np.float32),
    "short": ((CHUNK - 1,), np.float64),
    "tiny": ((3,), np.float32),
    "empty": ((0, 5), np.float32),
}
STEPS = 4

#: Everything that goes on around a rule, and the variants of rules with most state.
OPTIONS: dict[str, Any] = {
    "lr": gs.schedules.Cosine(0.1, STEPS),
    "weight_decay": 0.01,
    "momentum": 0.9,
    "amsgrad": True,
    "centered": True,
    "clip_norm": 300.0,
    "clip_value": 1.5,
}


def model() -> dict[str, Array]:
    """The parameters."""
    random = np.random.default_rng(4)
    return {name: random.normal(size=shape).astype(dtype) for name, (shape, dtype) in SHAPES.items()}


def gradients() -> list[dict[str, Array]]:
    """Those of each step; float64 for a float32 parameter too, and one in another memory order."""
    random = np.random.default_rng(5)
    steps = []
    for _ in range(STEPS):
        grads = {name: random.normal(size=shape).astype(dtype) for name, (shape, dtype) in SHAPES.items()}
        grads["matrix"] = np.asarray(grads["matrix"], order="F")
        grads["whole"] = random.normal(size=SHAPES["whole"][0])
        steps.append(grads)
    return steps


def options(name: str) -> dict[str, Any]:
    """Those of `OPTIONS` that a class has."""
    known = {*defaults(OPTIMIZERS[name]), "clip_norm", "clip_value"}
    return {key: value for key, value in OPTIONS.items() if key in known}


def run(name: str) -> str:
    """Make the steps, and hash parameters, state and norm."""
    params = model()
    opt = OPTIMIZERS[name](params, **options(name))
    for grads in gradients():
        opt.step(grads)
    state = [array for slots in opt.state.values() for array in slots.values()]
    return digest([*params.values(), *state, np.array(opt.grad_norm)])


def main() -> None:
    """Print all digests as JSON."""
    digests = {}
    for name in OPTIMIZERS:
        for threads in (1, 2, 3):
            with gs.num_threads(threads):
                digests[f"{name} on {threads}"] = run(name)
    print(json.dumps({"tier": gs._core.simd_tier(), "digests": digests}))


if __name__ == "__main__":
    main()
