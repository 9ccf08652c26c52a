"""Keras's optimizers, with JAX behind them."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
import pytest

from trajectories import TOLERANCES, Case, Params, Path, compare, gradient, variants

jax.config.update("jax_enable_x64", True)

DECAY: dict[str, Any] = {"weight_decay": 0.1, "lr": 0.01}
LIMITS: list[dict[str, Any]] = [{"clip_norm": 2.0}, {"clip_norm_each": 0.7}, {"clip_value": 0.3}]
ALWAYS = ({}, {"lr": 0.02}, DECAY, *LIMITS, {"clip_norm_each": 0.7, **DECAY})
MOMENTUM = {"momentum": 0.9, "lr": 0.01}

CASES = [
    *variants("SGD", *ALWAYS, MOMENTUM, {"nesterov": True, **MOMENTUM}, {"momentum": 0.9, **DECAY}),
    *variants("Adagrad", *ALWAYS, {"initial_accumulator_value": 0.5, "eps": 1e-3}),
    *variants("RMSprop", *ALWAYS, MOMENTUM, {"centered": True, **MOMENTUM}, {"alpha": 0.5, "eps": 1e-3}),
    *variants("Adam", *ALWAYS, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}, {"amsgrad": True}),
    *variants("AdamW", *ALWAYS, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}, {"amsgrad": True}),
    # Keras takes 1 − 0.999ᵗ in float32, which knows it to 2·10⁻⁵ at first: so much of the rate is lost.
    *variants("Adam", {"lr": 0.1}, {"amsgrad": True, "lr": 0.1}, float32_tolerance=2e-5),
    *variants("AdamW", {"lr": 0.1}, {"amsgrad": True, "lr": 0.1}, float32_tolerance=2e-5),
    *variants("Adadelta", *ALWAYS, {"rho": 0.5, "eps": 1e-3, "lr": 1.0}),
    *variants("Adamax", *ALWAYS, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-2}),
    *variants("NAdam", *ALWAYS, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}),
    *variants("Lion", *ALWAYS, {"beta1": 0.5, "beta2": 0.8}),
]

#: Where a rule's name is not ours.
CLASSES = {"NAdam": "Nadam"}
NAMES = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "alpha": "rho",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "clip_norm": "global_clipnorm",
    "clip_norm_each": "clipnorm",
    "clip_value": "clipvalue",
}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_keras(case: Case, dtype: str, record_property: Any) -> None:
    keras.config.set_floatx(dtype)
    compare("keras", case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    options = {NAMES.get(name, name): value for name, value in case.options.items()}
    opt = getattr(keras.optimizers, CLASSES.get(case.rule, case.rule))(**options)
    variables = [keras.Variable(p, dtype=p.dtype) for p in params.values()]
    opt.build(variables)
    step = jax.jit(opt.stateless_apply)
    arrays, state = [v.value for v in variables], [v.value for v in opt.variables]
    for t in count():
        arrays, state = step(state, list(gradient(params, t).values()), arrays)
        params = {name: np.array(p) for name, p in zip(params, arrays, strict=True)}
        yield params
