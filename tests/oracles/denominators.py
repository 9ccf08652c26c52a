"""Adam with another denominator."""

from __future__ import annotations

import numpy as np

from oracles.corrections import share
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
