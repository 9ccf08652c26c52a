"""Rules that take the norm of each array."""

from __future__ import annotations

import math

import numpy as np

from oracles.sums import global_norm
from oracles.types import Array, State


def lamb(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
) -> tuple[Array, State]:
    """You et al. 2020."""
    c = p.dtype.type
    correction1 = 1.0 - beta1 ** float(t + 1)
    correction2 = math.sqrt(1.0 - beta2 ** float(t + 1))
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    direction = c(correction2 / correction1) * m / (np.sqrt(v) + c(eps * correction2))
    u = direction + c(weight_decay) * p
    norm_p, norm_u = global_norm([p]), global_norm([u])
    trust = 1.0 if norm_p == 0 or norm_u == 0 else norm_p / norm_u
    return p - c(lr * trust) * u, {"exp_avg": m, "exp_avg_sq": v}


def lars(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (the rule does not look at the time)
    *,
    lr: float,
    momentum: float,
    trust_coefficient: float,
    eps: float,
    nesterov: bool,
) -> tuple[Array, State]:
    """You, Gitman, Ginsburg 2017."""
    c = p.dtype.type
    norm_p, norm_g = global_norm([p]), global_norm([g])
    trust = 1.0 if norm_p == 0 or norm_g == 0 else trust_coefficient * norm_p / (norm_g + eps)
    r, μ = c(lr * trust), c(momentum)
    b = μ * state.get("momentum_buffer", c(0)) + r * g
    return p - (r * g + μ * b if nesterov else b), {"momentum_buffer": b}
