"""The NumPy oracle: every update rule once more, slowly and plainly, in the papers' notation.

A rule is a function of one parameter ``p``, its gradient ``g``, its state (a dict of slots, empty before
the first update), ``t`` (the number of updates done before this one) and its hyperparameters as floats. It
returns the new ``p`` and the new state. A slot that is not there yet counts as 0.

A rule that remembers numbers beside the state has a line in `SETTLED` too: what each element adds to
sums over all parameters, if to any, and how the numbers follow from them. The rule is given them as
``memory``.

All arithmetic is done in the dtype of ``p``. A constant that follows from hyperparameters (1−β, a bias
correction) is computed in Python floats and rounded once, by ``c``. A product of three is taken from left
to right. So a compiled rule must give the same bits.

What is not a rule's business (clipping, the two kinds of weight decay) is written once, in `step`.

Adding a rule means adding one function in `oracles` and its line in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from oracles.adam import adam
from oracles.averages import averaging_settle, no_sums, schedule_free_adamw, schedule_free_sgd
from oracles.estimated import dog, dog_settle, dog_sums
from oracles.norms import lamb, lars
from oracles.prodigy import prodigy, prodigy_settle, prodigy_sums
from oracles.sgd import sgd
from oracles.squares import adagrad, rmsprop
from oracles.sums import CHUNK, global_norm, total
from oracles.types import Array, Memory, Rule, State

__all__ = ["CHUNK", "DECOUPLED", "RULES", "SETTLED", "Memory", "State", "global_norm", "step", "total"]

#: The optimizers whose weight decay shrinks the parameter instead of entering the gradient.
DECOUPLED = {"AdamW"}


#: The function of each optimizer class. Loshchilov, Hutter 2019 (AdamW) is Adam with the other decay.
RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "LAMB": lamb,
    "LARS": lars,
    "ScheduleFreeSGD": schedule_free_sgd,
    "ScheduleFreeAdamW": schedule_free_adamw,
    "DoG": dog,
    "Prodigy": prodigy,
}

#: Of rules that remember numbers: the terms of sums, and what follows from them.
SETTLED: dict[str, tuple[Callable[..., tuple[Array, ...]], Callable[..., Memory]]] = {
    "ScheduleFreeSGD": (no_sums, averaging_settle),
    "ScheduleFreeAdamW": (no_sums, averaging_settle),
    "DoG": (dog_sums, dog_settle),
    "Prodigy": (prodigy_sums, prodigy_settle),
}


def step(
    optimizer: str,
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    states: Mapping[str, State],
    memory: Memory,
    t: int,
    *,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    **hypers: Any,
) -> tuple[dict[str, Array], dict[str, State], Memory]:
    """One update of all parameters by the rule of that optimizer class. Changes none of its arguments.

    g ← g·min(1, clip_norm/(‖g‖ + 10⁻⁶));  g ← clamp(g, ±clip_value)
    coupled decay: g ← g + λp;  decoupled: p ← (1 − ηλ)p;  or it is the rule's own business
    """
    rule = RULES[optimizer]
    weight_decay = 0.0 if "weight_decay" in signature(rule).parameters else hypers.pop("weight_decay")
    # A gradient counts in the dtype and memory order of its parameter.
    mine = {}
    for name, p in params.items():
        mine[name] = np.empty_like(p)
        mine[name][...] = grads[name]
    scale = 1.0
    if clip_norm is not None:
        scale = min(1.0, clip_norm / (global_norm(list(mine.values())) + 1e-6))
    shrunk = {}
    for name, p in params.items():
        g, c = mine[name], p.dtype.type
        if clip_norm is not None:
            g = g * c(scale)
        if clip_value is not None:
            # Where both are zero, np.clip does not promise which sign of zero it takes.
            limit = c(clip_value)
            g = np.where((g < limit) | np.isnan(g), g, limit)
            g = np.where((g > -limit) | np.isnan(g), g, -limit)
        if optimizer in DECOUPLED:
            p = p * c(1.0 - hypers["lr"] * weight_decay)
        elif c(weight_decay) != 0:
            g = g + c(weight_decay) * p
        mine[name], shrunk[name] = g, p
    if optimizer in SETTLED:
        sums, settle = SETTLED[optimizer]
        terms = [sums(shrunk[name], mine[name], states[name], memory, t, **hypers) for name in params]
        memory = settle(memory, t, *(total(arrays) for arrays in zip(*terms, strict=True)), **hypers)
    remembered: dict[str, Any] = {"memory": memory} if optimizer in SETTLED else {}
    new_params, new_states = {}, {}
    for name in params:
        p, state = rule(shrunk[name], mine[name], states[name], t, **remembered, **hypers)
        new_params[name] = np.asarray(p)
        new_states[name] = {slot: np.asarray(array) for slot, array in state.items()}
    return new_params, new_states, memory
