"""Adam with another denominator."""

from __future__ import annotations

import math

import numpy as np

from oracles.corrections import scaled, share
from oracles.types import Array, State


def adamax(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Kingma, Ba 2015, section 7.1; ε as of torch."""
    c = p.dtype.type
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    u = np.maximum(c(beta2) * state.get("exp_inf", c(0)), np.abs(g) + c(eps))
    return p - c(lr / share(beta1, t, bias_correction)) * m / u, {"exp_avg": m, "exp_inf": u}


def radam(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    eps_hat: bool,
    eps_root: float,
) -> tuple[Array, State]:
    """Liu et al. 2020."""
    c = p.dtype.type
    share1, share2 = share(beta1, t), share(beta2, t)
    last = 2.0 / (1.0 - beta2) - 1.0
    length = last - 2.0 * float(t + 1) * beta2 ** float(t + 1) / share2
    η = lr / share1
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    new = {"exp_avg": m, "exp_avg_sq": v}
    if not length > 5.0:
        return p - c(η) * m, new
    η *= math.sqrt((length - 4.0) * (length - 2.0) * last / ((last - 4.0) * (last - 2.0) * length) * share2)
    ε, ρ = scaled(eps, eps_root, eps_hat, share2)
    return p - c(η) * m / (np.sqrt(v + c(ρ)) + c(ε)), new


def adabelief(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    eps_root: float,
    eps_hat: bool,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Zhuang et al. 2020."""
    c = p.dtype.type
    share1, share2 = share(beta1, t, bias_correction), share(beta2, t, bias_correction)
    ε, _ = scaled(eps, 0.0, eps_hat, share2)
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    s = c(beta2) * state.get("exp_avg_var", c(0)) + c(1.0 - beta2) * (g - m) * (g - m) + c(eps_root)
    η = c(lr * math.sqrt(share2) / share1)
    return p - η * m / (np.sqrt(s) + c(ε)), {"exp_avg": m, "exp_avg_var": s}


def yogi(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    initial_accumulator_value: float,
    eps_hat: bool,
    eps_root: float,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Zaheer et al. 2018."""
    c = p.dtype.type
    share1, share2 = share(beta1, t, bias_correction), share(beta2, t, bias_correction)
    ε, ρ = scaled(eps, eps_root, eps_hat, share2)
    start = c(initial_accumulator_value)
    m = c(beta1) * state.get("exp_avg", start) + c(1.0 - beta1) * g
    v = state.get("exp_avg_sq", start)
    v = v - c(1.0 - beta2) * (g * g) * np.sign(v - g * g)
    η = c(lr * math.sqrt(share2) / share1)
    return p - η * m / (np.sqrt(v + c(ρ)) + c(ε)), {"exp_avg": m, "exp_avg_sq": v}


def adopt(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    use_clipping: bool,
) -> tuple[Array, State]:
    """Taniguchi et al. 2024. The first step only sets v."""
    c = p.dtype.type
    if t == 0:
        beta1, rest1, beta2, rest2, limit = 1.0, 0.0, 0.0, 1.0, 0.0
    else:
        rest1, rest2 = 1.0 - beta1, 1.0 - beta2
        limit = float(t) ** 0.25 if use_clipping else math.inf
    m, v = state.get("exp_avg", c(0)), state.get("exp_avg_sq", c(0))
    n = g / np.maximum(np.sqrt(v), c(eps))
    n = np.where(n >= c(limit), c(limit), n)
    n = np.where(n <= -c(limit), -c(limit), n)
    m = c(beta1) * m + c(rest1) * n
    return p - c(lr) * m, {"exp_avg": m, "exp_avg_sq": c(beta2) * v + c(rest2) * g * g}
