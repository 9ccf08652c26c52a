"""Rules that take the sign of the gradient, or of its mean."""

from __future__ import annotations

import numpy as np

from oracles.types import Array, State


def lion(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (the rule does not look at the time)
    *,
    lr: float,
    beta1: float,
    beta2: float,
) -> tuple[Array, State]:
    """Chen et al. 2023."""
    c = p.dtype.type
    m = state.get("exp_avg", c(0))
    direction = np.sign(c(beta1) * m + c(1.0 - beta1) * g)
    return p - c(lr) * direction, {"exp_avg": c(beta2) * m + c(1.0 - beta2) * g}


def rprop(
    p: Array,
    g: Array,
    state: State,
    t: int,  # noqa: ARG001 (as above)
    *,
    lr: float,
    eta_minus: float,
    eta_plus: float,
    step_min: float,
    step_max: float,
) -> tuple[Array, State]:
    """Riedmiller, Braun 1993, without a step back: iRprop⁻ of Igel, Hüsken 2000."""
    c = p.dtype.type
    product = g * state.get("prev", c(0))
    factor = np.where(product > 0, c(eta_plus), np.where(product < 0, c(eta_minus), c(1)))
    g = np.where(product < 0, c(0), g)
    s = np.minimum(np.maximum(state.get("step_size", c(lr)) * factor, c(step_min)), c(step_max))
    return p - s * np.sign(g), {"prev": g, "step_size": s}
