"""Prodigy: what its estimate of the rate is made of, and its update."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from oracles.types import Array, Memory, State


def rate(
    d: float, t: int, *, lr: float, beta1: float, beta2: float, use_bias_correction: bool, **_: Any
) -> float:
    """γ."""
    correction = 1.0
    if use_bias_correction:
        correction = math.sqrt(1.0 - beta2 ** float(t + 1)) / (1.0 - beta1 ** float(t + 1))
    return d * lr * correction


def share(d: float, t: int, *, d0: float, safeguard_warmup: bool, **hypers: Any) -> float:
    """What s takes of g; nothing at a rate of 0."""
    length = d if safeguard_warmup else rate(d, t, **hypers)
    return 0.0 if hypers["lr"] == 0 else d / d0 * length


def kept(*, beta2: float, beta3: float | None, **_: Any) -> float:
    """β₃."""
    return math.sqrt(beta2) if beta3 is None else beta3


def prodigy(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    memory: Memory,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float | None,
    eps: float,
    d0: float,
    d_coef: float,  # noqa: ARG001 (what follows from it is remembered)
    growth_rate: float,  # noqa: ARG001
    weight_decay: float,
    safeguard_warmup: bool,
    use_bias_correction: bool,
) -> tuple[Array, State]:
    """Mishchenko, Defazio 2024."""
    c, d = p.dtype.type, memory["last_d"]
    numbers: dict[str, Any] = {
        "lr": lr,
        "beta1": beta1,
        "beta2": beta2,
        "use_bias_correction": use_bias_correction,
    }
    γ, new_s = rate(d, t, **numbers), share(d, t, d0=d0, safeguard_warmup=safeguard_warmup, **numbers)
    old_s, new_m = kept(beta2=beta2, beta3=beta3), memory["d"] if beta1 == 0 else d * (1.0 - beta1)
    new_v = d * d * (1.0 - beta2)
    if lr == 0:  # all rests
        beta1, beta2, old_s, new_m, new_v = 1.0, 1.0, 1.0, 0.0, 0.0
    m = c(beta1) * state.get("exp_avg", c(0)) + c(new_m) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(new_v) * g * g
    s = c(old_s) * state.get("s", c(0)) + c(new_s) * g
    direction = c(γ) * m / (np.sqrt(v) + c(memory["d"] * eps))
    new = {"exp_avg": m, "exp_avg_sq": v, "s": s, "p0": state.get("p0", p)}
    return p - (direction + c(γ * weight_decay) * p), new


def prodigy_sums(
    p: Array, g: Array, state: State, memory: Memory, t: int, **hypers: Any
) -> tuple[Array, Array]:
    """The way against the gradient, and |s|; both are nothing at a rate of 0."""
    c, d = p.dtype.type, memory.get("d", hypers["d0"])
    old_s = 0.0 if hypers["lr"] == 0 else kept(**hypers)
    s = c(old_s) * state.get("s", c(0)) + c(share(d, t, **hypers)) * g
    return c(d / hypers["d0"] * rate(d, t, **hypers)) * g * (state.get("p0", p) - p), np.abs(s)


def prodigy_settle(
    memory: Memory,
    t: int,  # noqa: ARG001 (it does not look at the time)
    way: float,
    total: float,
    **hypers: Any,
) -> Memory:
    """Estimate d anew."""
    d0 = hypers["d0"]
    d, d_max = memory.get("d", d0), memory.get("d_max", d0)
    if total == 0:
        return {"d": d, "d_max": d_max, "d_numerator": memory.get("d_numerator", 0.0), "last_d": 0.0}
    n = kept(**hypers) * memory.get("d_numerator", 0.0) + way
    estimate = float(hypers["d_coef"] * np.float64(n) / total)
    d_max = max(d_max, estimate)
    first = max(d, estimate) if d == d0 else d
    return {"d": min(d_max, first * hypers["growth_rate"]), "d_max": d_max, "d_numerator": n, "last_d": d}
