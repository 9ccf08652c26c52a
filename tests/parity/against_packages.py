"""Optimizers that a package for torch is about: schedulefree and prodigyopt."""

from __future__ import annotations

from typing import Any

import prodigyopt
import pytest
import schedulefree
import torch
from against_torch import descend

from trajectories import TOLERANCES, Case, Params, Path, compare, variants

DECAY: dict[str, Any] = {"weight_decay": 0.1}
LIMITS: list[dict[str, Any]] = [{"clip_norm": 2.0}, {"clip_value": 0.3}]
ALWAYS = ({}, DECAY, *LIMITS, {"clip_norm": 2.0, **DECAY})
WARM = {"warmup_steps": 20, "r": 1.0, "weight_lr_power": 1.0}

CASES = [
    *variants("ScheduleFreeSGD", *ALWAYS, {"momentum": 0.5, "lr": 0.1, **WARM}, {"lr": 0.1, **WARM, **DECAY}),
    *variants("ScheduleFreeAdamW", *ALWAYS, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3, **WARM}),
    *variants("ScheduleFreeAdamW", {"lr": 0.1, **WARM, **DECAY}),
    # d is estimated from what p has moved, at first 10⁻⁶ of p, of which a rounding is 10⁻¹⁰: a longer d0.
    *variants("Prodigy", {}, *({"d0": 1e-2, **options} for options in ALWAYS)),
    *variants("Prodigy", {"beta1": 0.8, "beta2": 0.99, "beta3": 0.9}),
    *variants("Prodigy", {"safeguard_warmup": True, "d_coef": 0.5}, {"use_bias_correction": True}),
    *variants("Prodigy", {"d0": 1e-4, "growth_rate": 1.02, "lr": 0.5}),
]

CLASSES = {
    "ScheduleFreeSGD": schedulefree.SGDScheduleFree,
    "ScheduleFreeAdamW": schedulefree.AdamWScheduleFree,
    "Prodigy": prodigyopt.Prodigy,
}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_package(case: Case, dtype: str, record_property: Any) -> None:
    library = CLASSES[case.rule].__module__.partition(".")[0]
    compare(library, case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    limits = {name: value for name, value in case.options.items() if name.startswith("clip")}
    options = {name: value for name, value in case.options.items() if name not in limits}
    if "decoupled" in options:
        options["decouple"] = options.pop("decoupled")
    betas = options.pop("beta1", 0.9), options.pop("beta2", 0.999)
    if case.rule != "ScheduleFreeSGD":
        options["betas"] = betas
    tensors = {name: torch.tensor(p, requires_grad=True) for name, p in params.items()}
    opt: Any = CLASSES[case.rule](list(tensors.values()), **options)
    if case.rule != "Prodigy":
        opt.train()
    return descend(tensors, opt, **limits)
