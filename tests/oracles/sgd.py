"""Momentum."""

from __future__ import annotations

from oracles.types import Array, State


def sgd(
    p: Array,
    g: Array,
    state: State,
    t: int,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    nesterov: bool,
    momentum_form: str,
) -> tuple[Array, State]:
    """Polyak 1964; Nesterov's form as of Sutskever et al. 2013."""
    c = p.dtype.type
    η, μ = c(lr), c(momentum)
    if momentum == 0 and "momentum_buffer" not in state:
        return p - η * g, {}
    # Of torch's form, the buffer starts as the whole gradient.
    first = t == 0 or momentum == 0
    ahead = {"torch": 1.0, "keras": lr, "average": 1.0 - momentum}[momentum_form]
    taken = 1.0 - dampening if momentum_form == "torch" and not first else ahead
    kept = c(0) if t == 0 or μ == 0 else μ * state.get("momentum_buffer", c(0))
    b = kept + c(taken) * g
    direction = c(ahead) * g + μ * b if nesterov else b
    return p - (direction if momentum_form == "keras" else η * direction), {"momentum_buffer": b}
