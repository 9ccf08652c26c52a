"""scikit-learn's optimizers of perceptrons, which are private to it; and estimators with ours, cloned."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.neural_network import _stochastic_optimizers as sklearn

import gradstep as gs
from gradstep import schedules
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


class Classifier(BaseEstimator):  # type: ignore[misc]
    """An estimator that is given an optimizer without parameters, or a class and what it is told."""

    def __init__(self, optimizer: Any = None, rule: Any = gs.Adam, options: Any = None) -> None:
        self.optimizer, self.rule, self.options = optimizer, rule, options

    def fit(self) -> Classifier:
        self.coef_ = np.ones(3)
        self.optimizer_ = self.rule(self.coef_, **(self.options or {}))
        self.optimizer_.step(np.ones(3))
        return self


def test_clone() -> None:
    rate = schedules.Linear(0.5, 0.0, 9)
    estimator = Classifier(gs.Adam(lr=rate, ema=0.5), gs.SGD, {"lr": rate, "momentum": 0.5}).fit()
    other = clone(estimator)
    assert not hasattr(other, "optimizer_")
    assert other.optimizer is not estimator.optimizer
    assert other.optimizer.hyperparameters == estimator.optimizer.hyperparameters
    assert (other.rule, other.options) == (estimator.rule, estimator.options)
    other.fit()
    assert_array_equal(other.coef_, estimator.coef_)
