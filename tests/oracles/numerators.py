"""Adam with another numerator."""

from __future__ import annotations

import math

import numpy as np

from oracles.corrections import scaled, share
from oracles.types import Array, State


def momentum_product(beta1: float, momentum_decay: float, t: int) -> float:
    """μ₁·…·μₜ with μᵢ = β₁(1 − 0.96^(iψ)/2): the logarithm of each factor as a series in 0.96^(iψ)/2.

    The sums over i are geometric ones.
    """
    count = float(t + 1)
    if beta1**count < 2.0**-54:  # nothing beside 1
        return 0.0
    decay = -math.log(0.96) * momentum_decay
    total, k = 0.0, 1.0
    while True:
        geometric = -math.expm1(-decay * k * count) / math.expm1(decay * k) if decay else count
        more = total + 0.5**k / k * geometric
        if more == total:
            return float(beta1**count * math.exp(-total))
        total, k = more, k + 1.0


def nadam(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    momentum_decay: float,
    eps_hat: bool,
    eps_root: float,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Dozat 2016; the growth of the momentum as of torch."""
    c = p.dtype.type
    now, later = (
        beta1 * (1.0 - 0.5 * math.exp(math.log(0.96) * float(i) * momentum_decay)) for i in (t + 1, t + 2)
    )
    product = momentum_product(beta1, momentum_decay, t) if bias_correction else 0.0
    share2 = share(beta2, t, bias_correction)
    η = lr * math.sqrt(share2)
    ε, ρ = scaled(eps, eps_root, eps_hat, share2)
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    ahead = c(η * later / (1.0 - product * later)) * m + c(η * (1.0 - now) / (1.0 - product)) * g
    return p - ahead / (np.sqrt(v + c(ρ)) + c(ε)), {"exp_avg": m, "exp_avg_sq": v}


def adan(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    eps: float,
    eps_root: float,
    difference_form: str,
    eps_hat: bool,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Xie et al. 2022."""
    c = p.dtype.type
    share1, share2, share3 = (share(beta, t, bias_correction) for beta in (beta1, beta2, beta3))
    η = lr * math.sqrt(share3)
    ε, ρ = scaled(eps, eps_root, eps_hat, share3)
    a = beta2 if difference_form == "paper" else 1.0 - beta2
    d = np.zeros_like(g) if t == 0 else g - state.get("prev_grad", c(0))
    m = c(beta1) * state.get("exp_avg", c(0)) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_diff", c(0)) + c(1.0 - beta2) * d
    mixed = g + c(a) * d
    n = c(beta3) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta3) * mixed * mixed
    step = (c(η / share1) * m + c(η * a / share2) * v) / (np.sqrt(n + c(ρ)) + c(ε))
    return p - step, {"exp_avg": m, "exp_avg_diff": v, "exp_avg_sq": n, "prev_grad": g}


def ademamix(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    alpha: float,
    eps: float,
    eps_hat: bool,
    eps_root: float,
    bias_correction: bool,
) -> tuple[Array, State]:
    """Pagliardini et al. 2024."""
    c = p.dtype.type
    share1, share2 = share(beta1, t, bias_correction), share(beta2, t, bias_correction)
    η = lr * math.sqrt(share2)
    ε, ρ = scaled(eps, eps_root, eps_hat, share2)
    m1 = c(beta1) * state.get("exp_avg_fast", c(0)) + c(1.0 - beta1) * g
    m2 = c(beta3) * state.get("exp_avg_slow", c(0)) + c(1.0 - beta3) * g
    v = c(beta2) * state.get("exp_avg_sq", c(0)) + c(1.0 - beta2) * g * g
    step = (c(η / share1) * m1 + c(η * alpha) * m2) / (np.sqrt(v + c(ρ)) + c(ε))
    return p - step, {"exp_avg_fast": m1, "exp_avg_slow": m2, "exp_avg_sq": v}
