"""torch's optimizers."""

from __future__ import annotations

from inspect import Signature, signature
from itertools import count
from typing import Any

import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from trajectories import TOLERANCES, Case, Params, Path, compare, gradient, variants

LIMITS: list[dict[str, Any]] = [{"clip_norm": 2.0}, {"clip_norm_each": 0.7}, {"clip_value": 0.3}]
DECAY: dict[str, Any] = {"weight_decay": 0.1}
ALWAYS = ({}, DECAY, {"maximize": True, "lr": 1e-4}, *LIMITS, {"clip_norm": 2.0, **DECAY})

CASES = [
    *variants("SGD", *ALWAYS, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "lr": 0.1}),
    *variants(
        "SGD", {"momentum": 0.9, "dampening": 0.4, **DECAY}, {"momentum": 0.9, "nesterov": True, **DECAY}
    ),
    *variants("Adagrad", *ALWAYS, {"lr": 0.1, "lr_decay": 0.01, "initial_accumulator_value": 0.5}),
    *variants("RMSprop", *ALWAYS, {"momentum": 0.9}, {"centered": True}),
    *variants("RMSprop", {"momentum": 0.9, "centered": True, "alpha": 0.9, **DECAY}),
    *variants(
        "Adam", *ALWAYS, {"amsgrad": True, "lr": 0.1}, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "lr": 0.1}
    ),
    *variants("Adam", {"decoupled": True, **DECAY}),
    *variants("AdamW", *ALWAYS, {"amsgrad": True, "lr": 0.1}),
    *variants("Adadelta", *ALWAYS, {"rho": 0.5, "eps": 1e-3}),
    *variants("Adamax", *ALWAYS, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2, "lr": 0.1}),
    *variants("NAdam", *ALWAYS, {"decoupled": True, **DECAY}, {"momentum_decay": 0.1, "lr": 0.1}),
    *variants("RAdam", *ALWAYS, {"decoupled": True, **DECAY}, {"beta2": 0.9, "lr": 0.1}),
    *variants(
        "Rprop", {}, {"maximize": True}, *LIMITS, {"eta_minus": 0.7, "eta_plus": 1.1, "step_max": 0.05}
    ),
]

#: torch's pairs of hyperparameters.
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch(case: Case, dtype: str, record_property: Any) -> None:
    # In which NAdam keeps its product of momenta, whatever the dtype of the parameters.
    torch.set_default_dtype(getattr(torch, dtype))
    compare("torch", case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    kind = getattr(torch.optim, case.rule)
    limits, options = in_their_words(case.options, signature(kind))
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    return descend(tensors, kind(tensors.values(), **options), **limits)


def descend(tensors: dict[str, Any], opt: Any, **limits: float) -> Path:
    """Take steps for ever."""
    for t in count():
        for name, g in gradient({name: p.detach().numpy() for name, p in tensors.items()}, t).items():
            tensors[name].grad = torch.from_numpy(g)
        clip(list(tensors.values()), **limits)
        opt.step()
        yield {name: p.detach().numpy().copy() for name, p in tensors.items()}


def in_their_words(options: dict[str, Any], own: Signature) -> tuple[dict[str, float], dict[str, Any]]:
    """Split off the limits, which are functions in torch, and name the rest as torch does."""
    limits = {name: value for name, value in options.items() if name.startswith("clip")}
    options = {name: value for name, value in options.items() if name not in limits}
    if "decoupled" in options:
        options["decoupled_weight_decay"] = options.pop("decoupled")
    for pair, names in PAIRS.items():
        if pair in own.parameters:
            values = zip(names, own.parameters[pair].default, strict=True)
            options[pair] = tuple([options.pop(name, default) for name, default in values])
    return limits, options


def clip(
    tensors: list[Any],
    clip_norm: float | None = None,
    clip_norm_each: float | None = None,
    clip_value: float | None = None,
) -> None:
    if clip_norm is not None:
        clip_grad_norm_(tensors, clip_norm)
    if clip_norm_each is not None:
        for tensor in tensors:
            clip_grad_norm_([tensor], clip_norm_each)
    if clip_value is not None:
        clip_grad_value_(tensors, clip_value)
