"""optax's optimizers, and those of optax.contrib."""

from __future__ import annotations

from inspect import signature
from itertools import count
from operator import attrgetter
from typing import Any

import jax
import numpy as np
import optax
import pytest

import gradstep as gs
from trajectories import TOLERANCES, Case, Params, Path, compare, gradient, variants

jax.config.update("jax_enable_x64", True)

LR: dict[str, Any] = {"lr": 0.01}
DECAY: dict[str, Any] = {"weight_decay": 0.1, **LR}
LIMITS: list[dict[str, Any]] = [{"clip_norm": 2.0, **LR}, {"clip_value": 0.3, **LR}]
ALWAYS = (LR, DECAY, *LIMITS, {"clip_norm": 2.0, **DECAY})
MOMENTUM = {"momentum": 0.9, **LR}

CASES = [
    *variants("SGD", *ALWAYS, MOMENTUM, {"nesterov": True, **MOMENTUM}, {"decoupled": True, **DECAY}),
    *variants("Adagrad", *ALWAYS, {"initial_accumulator_value": 0.5, "eps": 1e-3, **LR}),
    *variants(
        "RMSprop", *ALWAYS, MOMENTUM, {"centered": True, **MOMENTUM}, {"alpha": 0.5, "eps": 1e-3, **LR}
    ),
    *variants("Adam", *ALWAYS, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "eps_root": 1e-4, **LR}),
    *variants("Adam", {"amsgrad": True, **LR}, {"amsgrad": True, "beta2": 0.9, **LR}),
    *variants("AdamW", *ALWAYS, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, **LR}),
    *variants("Adadelta", *ALWAYS, {"rho": 0.5, "eps": 1e-3, **LR}),
    *variants("Adamax", *ALWAYS, {"decoupled": True, **DECAY}),
    *variants("NAdam", *ALWAYS, {"decoupled": True, **DECAY}),
    *variants("RAdam", *ALWAYS, {"beta2": 0.9, "eps": 1e-3, **LR}),
    *variants("Lion", *ALWAYS, {"beta1": 0.5, "beta2": 0.8, **LR}),
    *variants("AdaBelief", *ALWAYS, {"eps": 1e-3, **LR}),
    *variants("Yogi", *ALWAYS, {"eps": 1e-2, **LR}),
    *variants("Adan", *ALWAYS, {"beta1": 0.9, "beta2": 0.8, "beta3": 0.95, **LR}),
    *variants("ADOPT", *ALWAYS, {"use_clipping": False, **LR}),
    *variants("AdEMAMix", *ALWAYS, {"beta3": 0.99, "alpha": 2.0, **LR}),
    *variants("LAMB", *ALWAYS),
    *variants("LARS", *ALWAYS, {"trust_coefficient": 0.1, "eps": 1e-3, **LR}, {"nesterov": True, **LR}),
    *variants("DoG", {}, {"weight_decay": 0.1}, {"clip_norm": 2.0}, {"reps_rel": 1e-3}),
]

#: Where a rule's name is not its function's in lower case.
FUNCTIONS = {"ADOPT": "contrib.adopt", "AdEMAMix": "contrib.ademamix", "DoG": "contrib.dog"}
#: Where an option decides on the function.
DECOUPLED = {"Adamax": "adamaxw", "NAdam": "nadamw"}
NAMES = {"lr": "learning_rate", "beta1": "b1", "beta2": "b2", "beta3": "b3", "alpha": "decay"}
NAMES_OF_RULE = {"AdEMAMix": {"alpha": "alpha"}}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_optax(case: Case, dtype: str, record_property: Any) -> None:
    compare("optax", case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    opt = transformation(case.rule, dict(case.options))
    state = opt.init(params)

    def step(grads: Any, state: Any, params: Any) -> Any:
        updates, state = opt.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    fast = jax.jit(step)
    for t in count():
        new, state = fast(gradient(params, t), state, params)
        params = {name: np.array(p) for name, p in new.items()}
        yield params


def transformation(rule: str, options: dict[str, Any]) -> Any:
    """Chain the limits, the rule and the decay where the rule's function takes none."""
    decay = options.pop("weight_decay", None)
    decoupled = options.pop("decoupled", getattr(gs, rule).decoupled_weight_decay)
    name = FUNCTIONS.get(rule, rule.lower())
    if options.pop("amsgrad", False):
        name = "amsgrad"
    elif decay and decoupled:
        name = DECOUPLED.get(rule, name)
    function = attrgetter(name)(optax)
    chain = []
    if "clip_norm" in options:
        chain.append(optax.clip_by_global_norm(options.pop("clip_norm")))
    if "clip_value" in options:
        chain.append(optax.clip(options.pop("clip_value")))
    if "reps_rel" in options:
        options["init_step"] = ("heuristic", options.pop("reps_rel"))
    names = NAMES | NAMES_OF_RULE.get(rule, {})
    own = {names.get(option, option): value for option, value in options.items()}
    if decay is None:
        return optax.chain(*chain, function(**own))
    if "weight_decay" in signature(function).parameters:
        return optax.chain(*chain, function(**own, weight_decay=decay))
    if decoupled:
        return optax.chain(*chain, function(**own), optax.add_decayed_weights(-options["lr"] * decay))
    return optax.chain(*chain, optax.add_decayed_weights(decay), function(**own))
