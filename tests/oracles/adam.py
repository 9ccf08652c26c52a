"""Adam and its kin."""

from __future__ import annotations

import math

import numpy as np

from oracles.types import Array, State


def adam(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    amsgrad: bool | str,
    eps_hat: bool,
    eps_root: float,
    bias_correction: bool,
    initial_accumulator_value: float,
    first_count: float,
) -> tuple[Array, State]:
    """Kingma, Ba 2015; AMSGrad of Reddi, Kale, Kumar 2018.

    Numerator and denominator of the papers' update are both multiplied by √(1−β₂ᵗ).
    """
    c = p.dtype.type
    count = float(t) + first_count
    correction1 = 1.0 - beta1**count if bias_correction else 1.0
    square2 = 1.0 - beta2**count if bias_correction else 1.0
    # The largest v may be kept corrected.
    unbias, square2 = (1.0 / square2, 1.0) if amsgrad == "corrected" else (1.0, square2)
    correction2 = math.sqrt(square2)
    η = c(lr * correction2 / correction1)
    ε = c(eps if eps_hat else eps * correction2)
    ρ = c(eps_root if eps_hat else eps_root * square2)
    start = c(initial_accumulator_value)
    m = c(beta1) * state.get("exp_avg", start) + c(1.0 - beta1) * g
    v = c(beta2) * state.get("exp_avg_sq", start) + c(1.0 - beta2) * g * g
    new = {"exp_avg": m, "exp_avg_sq": v}
    v_hat = v
    if amsgrad:
        v_hat = new["max_exp_avg_sq"] = np.maximum(state.get("max_exp_avg_sq", c(0)), c(unbias) * v)
    return p - η * m / (np.sqrt(v_hat + ρ) + ε), new
