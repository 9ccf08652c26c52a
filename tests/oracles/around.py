"""What happens around every rule: to gradients before it, and to parameters after it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracles.sums import global_norm
from oracles.types import Array


@dataclass
class Around:
    """The options of every optimizer, with their values at a step."""

    decoupled: bool | str = False
    l1: float = 0.0
    maximize: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    ema: float | None = None
    clip_norm_each: float | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    clip_eps: float = 1e-6
    scale: float = 1.0


def taken(p: Array, given: Sequence[Any]) -> Array:
    """Add up gradients, each in the dtype and memory order of its parameter."""
    sums = None
    for g in given:
        mine = np.empty_like(p)
        mine[...] = g
        sums = mine if sums is None else sums + mine
    assert sums is not None
    return sums


def limited(grads: Mapping[str, Array], around: Around) -> dict[str, Array]:
    """g ← ±scale·f·g, f such that norms keep their limits, each and together; then clamp(g, ±limit)."""
    norms = {name: global_norm([g]) * abs(around.scale) for name, g in grads.items()}
    each = {name: factor(around.clip_norm_each, norm, around) for name, norm in norms.items()}
    together = global_norm(list(grads.values())) * abs(around.scale)
    if around.clip_norm_each is not None:
        together = 0.0
        for name, norm in norms.items():
            # Not a power of 2: that of Python's floats is rounded otherwise, now and then.
            together += (each[name] * norm) * (each[name] * norm)
        together = math.sqrt(together)
    of_all = factor(around.clip_norm, together, around)
    sign = -1.0 if around.maximize else 1.0
    return {
        name: clamped(g * g.dtype.type(sign * (around.scale * of_all * each[name])), around.clip_value)
        for name, g in grads.items()
    }


def factor(limit: float | None, norm: float, around: Around) -> float:
    """min(1, limit/(norm + ε))."""
    if limit is None or norm + around.clip_eps <= limit:
        return 1.0
    return float(np.float64(limit) / (norm + around.clip_eps))


def clamped(g: Array, limit: float | None) -> Array:
    """Hold each element within ±limit; NaN stays.

    Where both are zero, np.clip does not promise which sign of zero it takes: here that of the limit.
    """
    if limit is None:
        return g
    high = g.dtype.type(limit)
    g = np.where((g < high) | np.isnan(g), g, high)
    return np.where((g > -high) | np.isnan(g), g, -high)


def bounded(x: Array, low: Any, high: Any) -> Array:
    """Hold each element within low and high; NaN stays, and so does a zero of the other sign."""
    x = np.where(low > x, low, x)
    return np.where(high < x, high, x)


def finished(p: Array, lr: float, weight_decay: float, around: Around) -> Array:
    """p ← (1 − ηλ)p if the decay comes after; p ← sign(p)·max(|p| − ηλ₁, 0); p ← clamp(p, bounds)."""
    c = p.dtype.type
    p = p * c(1.0 - lr * weight_decay if around.decoupled == "after" else 1.0)
    shrunk = np.abs(p) - c(lr * around.l1)
    soft: Array = np.copysign(np.where(shrunk < 0, c(0), shrunk), p)
    return bounded(soft, c(around.bounds[0]), c(around.bounds[1]))


def averaged(average: Array, p: Array, beta: float) -> Array:
    """A ← βA + (1−β)p."""
    c = p.dtype.type
    new: Array = c(beta) * average + c(1.0 - beta) * p
    return new
