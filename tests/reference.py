"""The NumPy oracle: every update rule once more, slowly and plainly, in the papers' notation.

A rule is a function of one parameter ``p``, its gradient ``g``, its state (a dict of slots, empty before
the first update), ``t`` (the number of updates done before this one) and its hyperparameters as floats. It
returns the new ``p`` and the new state. A slot that is not there yet counts as 0.

A rule that remembers numbers beside the state has a line in `SETTLED` too: what each element adds to two
sums over all parameters, and how the numbers follow from them. The rule is given them as ``memory``.

All arithmetic is done in the dtype of ``p``. A constant that follows from hyperparameters (1−β, a bias
correction) is computed in Python floats and rounded once, by ``c``. A product of three is taken from left
to right. So a compiled rule must give the same bits.

What is not a rule's business (limits, weight decay, bounds, averages) is written once, in `step` and
`oracles.around`.

Adding a rule means adding one function in `oracles` and its line in `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from inspect import signature
from typing import Any

import numpy as np

from oracles.adam import adam
from oracles.around import Around, averaged, finished, limited, taken
from oracles.denominators import adabelief, adamax, adopt, radam, yogi
from oracles.estimated import dog, dog_settle, dog_sums
from oracles.norms import lamb
from oracles.numerators import adan, ademamix, nadam
from oracles.sgd import sgd
from oracles.signs import lion, rprop
from oracles.squares import adadelta, adagrad, rmsprop
from oracles.sums import CHUNK, global_norm, total
from oracles.types import Array, Memory, Rule, State

__all__ = ["CHUNK", "DECOUPLED", "RULES", "SETTLED", "Memory", "State", "global_norm", "step", "total"]

#: The optimizers whose weight decay shrinks the parameter instead of entering the gradient.
DECOUPLED = {"AdamW", "Lion", "AdaBelief", "Yogi", "Adan", "ADOPT", "AdEMAMix"}


#: The function of each optimizer class. Loshchilov, Hutter 2019 (AdamW) is Adam with the other decay.
RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adam,
    "LAMB": lamb,
    "DoG": dog,
    "Lion": lion,
    "Adamax": adamax,
    "NAdam": nadam,
    "RAdam": radam,
    "Adadelta": adadelta,
    "Rprop": rprop,
    "AdaBelief": adabelief,
    "Yogi": yogi,
    "Adan": adan,
    "ADOPT": adopt,
    "AdEMAMix": ademamix,
}

#: Of rules that remember numbers: the terms of two sums, and what follows from them.
SETTLED: dict[str, tuple[Callable[..., tuple[Array, Array]], Callable[..., Memory]]] = {
    "DoG": (dog_sums, dog_settle)
}

#: Slots that start as the parameter, before anything is done to it.
STARTED = {"DoG": "init_params"}


def step(
    optimizer: str,
    params: Mapping[str, Array],
    grads: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    states: Mapping[str, State],
    memory: Memory,
    t: int,
    *,
    counts: Mapping[str, int] | None = None,
    **options: Any,
) -> tuple[dict[str, Array], dict[str, State], Memory]:
    """One update of all parameters by the rule of that optimizer class. Changes none of its arguments.

    Of several gradients, the mean is taken. A parameter without any stays as it is, and so does its state;
    ``counts`` has the number of updates that each has had, t if nothing is said.

    g ← ±scale·g, kept within limits;  coupled decay: g ← g + λp;  decoupled: p ← (1 − ηλ)p;  then the rule;
    then what `oracles.around` does to p and its average.
    """
    rule = RULES[optimizer]
    if optimizer in STARTED:
        states = {name: {STARTED[optimizer]: params[name]} | state for name, state in states.items()}
    mine = {field.name for field in fields(Around)}
    around = Around(**{name: value for name, value in options.items() if name in mine and value is not None})
    if options.get("decoupled") is None:
        around.decoupled = optimizer in DECOUPLED
    hypers = {name: value for name, value in options.items() if name not in mine}
    weight_decay = 0.0 if "weight_decay" in signature(rule).parameters else hypers.pop("weight_decay")
    given = [grads] if isinstance(grads, Mapping) else grads
    around.scale /= len(given)
    of_each = {name: [g[name] for g in given if g[name] is not None] for name in params}
    sums = {name: taken(params[name], of_one) for name, of_one in of_each.items() if of_one}
    shrunk, gradients = {}, limited(sums, around)
    for name, g in gradients.items():
        p, c = params[name], params[name].dtype.type
        if around.decoupled is True:
            p = p * c(1.0 - hypers["lr"] * weight_decay)
        elif around.decoupled is False and c(weight_decay) != 0:
            gradients[name] = g + c(weight_decay) * p
        shrunk[name] = p
    if optimizer in SETTLED:
        sums_of, settle = SETTLED[optimizer]
        terms = [sums_of(p, gradients[name], states[name], memory) for name, p in shrunk.items()]
        memory = settle(memory, *(total(arrays) for arrays in zip(*terms, strict=True)), **hypers)
    remembered: dict[str, Any] = {"memory": memory} if optimizer in SETTLED else {}
    new_params, new_states = dict(params), {name: dict(state) for name, state in states.items()}
    for name, p in shrunk.items():
        count = t if counts is None else counts[name]
        own = {slot: array for slot, array in states[name].items() if slot != "ema"}
        p, state = rule(p, gradients[name], own, count, **remembered, **hypers)
        p = np.asarray(finished(p, hypers["lr"], weight_decay, around))
        if around.ema is not None:
            average = states[name].get("ema", params[name])
            state = state | {"ema": averaged(average, p, around.ema)}
        new_params[name] = p
        new_states[name] = {slot: np.asarray(array) for slot, array in state.items()}
    return new_params, new_states, memory
