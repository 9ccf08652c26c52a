"""Rules that divide by the root of past squares."""

from __future__ import annotations

import numpy as np

from oracles.types import Array, State


def adagrad(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    lr_decay: float,
    initial_accumulator_value: float,
    eps: float,
    eps_root: float,
) -> tuple[Array, State]:
    """Duchi, Hazan, Singer 2011."""
    c = p.dtype.type
    η, ε = c(lr / (1.0 + t * lr_decay)), c(eps)
    s = state.get("sum", c(initial_accumulator_value)) + g * g
    return p - η * g / (np.sqrt(s + c(eps_root)) + ε), {"sum": s}


def rmsprop(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (the rule does not look at the time)
    *,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    centered: bool,
    momentum_form: str,
    eps_root: float,
    initial_accumulator_value: float,
) -> tuple[Array, State]:
    """Tieleman, Hinton 2012; centered as of Graves 2013."""
    c = p.dtype.type
    η, α, one_minus_α, ε, μ = c(lr), c(alpha), c(1.0 - alpha), c(eps), c(momentum)
    v = α * state.get("square_avg", c(initial_accumulator_value)) + one_minus_α * (g * g)
    new = {"square_avg": v}
    variance = v
    if centered:
        a = α * state.get("grad_avg", c(0)) + one_minus_α * g
        new["grad_avg"] = a
        variance = np.maximum(v - a * a, c(0))
    denominator = np.sqrt(variance + c(eps_root)) + ε
    if momentum == 0 and "momentum_buffer" not in state:
        return p - η * g / denominator, new
    inside = momentum_form == "keras"
    b = μ * state.get("momentum_buffer", c(0)) + (η * g if inside else g) / denominator
    new["momentum_buffer"] = b
    return p - (b if inside else η * b), new


def adadelta(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (as above)
    *,
    lr: float,
    rho: float,
    eps: float,
) -> tuple[Array, State]:
    """Zeiler 2012. The ratio of two roots is the root of a ratio."""
    c = p.dtype.type
    ρ, one_minus_ρ, ε = c(rho), c(1.0 - rho), c(eps)
    u = state.get("acc_delta", c(0))
    v = ρ * state.get("square_avg", c(0)) + one_minus_ρ * (g * g)
    δ = np.sqrt((u + ε) / (v + ε)) * g
    return p - c(lr) * δ, {"square_avg": v, "acc_delta": ρ * u + one_minus_ρ * (δ * δ)}
