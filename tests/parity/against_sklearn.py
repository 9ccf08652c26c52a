"""scikit-learn's optimizers of perceptrons, which are private to it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from sklearn.neural_network import _stochastic_optimizers as sklearn

from trajectories import TOLERANCES, Case, Params, Path, compare, gradient, variants

CASES = [
    *variants(
        "SGD", {}, {"nesterov": False}, {"momentum": 0.0, "nesterov": False}, {"lr": 0.01, "momentum": 0.5}
    ),
    *variants("Adam", {}, {"lr": 0.1}, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}),
]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_sklearn(case: Case, dtype: str, record_property: Any) -> None:
    compare("sklearn", case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    names = {"lr": "learning_rate_init", "beta1": "beta_1", "beta2": "beta_2", "eps": "epsilon"}
    options = {names.get(name, name): value for name, value in case.options.items()}
    opt = getattr(sklearn, f"{case.rule}Optimizer")(list(params.values()), **options)
    for t in count():
        opt.update_params(list(params.values()), list(gradient(params, t).values()))
        yield params
