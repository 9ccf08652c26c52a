"""Rules that estimate the rate from the run."""

from __future__ import annotations

import math

import numpy as np

from oracles.types import Array, Memory, State


def dog(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (the rule does not look at the time)
    *,
    memory: Memory,
    lr: float,  # noqa: ARG001 (the remembered rate has it)
    reps_rel: float,  # noqa: ARG001
    eps: float,  # noqa: ARG001
) -> tuple[Array, State]:
    """Ivgi, Hinder, Carmon 2023."""
    return p - p.dtype.type(memory["rate"]) * g, {"init_params": state["init_params"]}


def dog_sums(
    p: Array,
    g: Array,
    state: State,
    memory: Memory,
    t: int,  # noqa: ARG001
    **_: float,
) -> tuple[Array, Array]:
    """g², and the square of the way from the start; at the first step, of the start itself."""
    start = state["init_params"] if memory else p.dtype.type(0)
    return np.square(np.float64(g)), np.square(np.float64(p - start))


def dog_settle(
    memory: Memory,
    t: int,  # noqa: ARG001
    grads: float,
    moved: float,
    *,
    lr: float,
    reps_rel: float,
    eps: float,
) -> Memory:
    """Update the largest distance and the sum of all gradients' squares."""
    first = reps_rel * (1.0 + math.sqrt(moved))
    max_dist = float(np.maximum(memory["max_dist"], math.sqrt(moved))) if memory else first
    sum_sq_grads = memory.get("sum_sq_grads", 0.0) + grads
    rate = lr * max_dist / np.sqrt(np.float64(sum_sq_grads + eps))
    return {"max_dist": max_dist, "sum_sq_grads": sum_sq_grads, "rate": float(rate)}
