"""Rules that average the points that they come through."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracles.types import Array, Memory, State


def weight(lr_max: float, t: int, *, r: float, weight_lr_power: float, **_: Any) -> float:
    """Give the weight of the point of update t."""
    return float(float(t + 1) ** r * lr_max**weight_lr_power)


def rate(t: int, *, lr: float, warmup_steps: float, **_: Any) -> float:
    """γ."""
    return lr * (float(t + 1) / warmup_steps) if t + 1 < warmup_steps else lr


def moves(memory: Memory, t: int, **hypers: Any) -> tuple[float, float, float]:
    """Tell what y takes of y − z, and what y and z take of u."""
    total = np.float64(memory["weight_sum"])
    share = 0.0 if total == 0 else float(weight(memory["lr_max"], t, **hypers) / total)
    γ, rest = rate(t, **hypers), 1.0 - share
    pull = share + rest * (1.0 - memory["mix"] / memory["last_mix"])
    return pull, γ * (1.0 - memory["mix"] * rest), γ


def schedule_free_sgd(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    memory: Memory,
    lr: float,
    momentum: float,  # noqa: ARG001 (it is remembered)
    warmup_steps: float,
    r: float,
    weight_lr_power: float,
) -> tuple[Array, State]:
    """Defazio et al. 2024, without x."""
    numbers = moves(memory, t, lr=lr, warmup_steps=warmup_steps, r=r, weight_lr_power=weight_lr_power)
    pull, push, γ = map(p.dtype.type, numbers)
    z = state.get("z", p)
    return p - (pull * (p - z) + push * g), {"z": z - γ * g}


def schedule_free_adamw(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    memory: Memory,
    lr: float,
    beta1: float,  # noqa: ARG001 (it is remembered)
    beta2: float,
    eps: float,
    warmup_steps: float,
    r: float,
    weight_lr_power: float,
    weight_decay: float,
) -> tuple[Array, State]:
    """Defazio et al. 2024, without x. The rates are multiplied by √(1−β₂ᵗ), and u is divided by it."""
    c = p.dtype.type
    pull, push, γ = moves(memory, t, lr=lr, warmup_steps=warmup_steps, r=r, weight_lr_power=weight_lr_power)
    correction = float(np.sqrt(1.0 - beta2 ** float(t + 1)))
    z = state.get("z", p)
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    u = g / (np.sqrt(v) + c(eps * correction)) + c(weight_decay / correction) * p
    new = {"z": z - c(γ * correction) * u, "exp_avg_sq": v}
    return p - (c(pull) * (p - z) + c(push * correction) * u), new


def no_sums(p: Array, g: Array, state: State, memory: Memory, t: int, **_: Any) -> tuple[()]:  # noqa: ARG001
    """Of nothing."""
    return ()


def averaging_settle(memory: Memory, t: int, **hypers: Any) -> Memory:
    """Add a weight to the sum, and remember the share of x in y."""
    mix = hypers["momentum"] if "momentum" in hypers else hypers["beta1"]
    lr_max = max(memory.get("lr_max", 0.0), rate(t, **hypers))
    weight_sum = memory.get("weight_sum", 0.0) + weight(lr_max, t, **hypers)
    return {"weight_sum": weight_sum, "lr_max": lr_max, "mix": mix, "last_mix": memory.get("mix", mix)}
