"""The optimizers of HIPS autograd."""

from __future__ import annotations

from typing import Any

import pytest
from autograd.misc import optimizers as autograd

from trajectories import STEPS, TOLERANCES, Case, Params, Path, compare, gradient, variants

CASES = [
    *variants("SGD", {}, {"momentum": 0.5, "lr": 1.0}),
    *variants("RMSprop", {}, {"alpha": 0.5, "eps": 1e-3}),
    *variants("Adam", {}, {"lr": 0.1}, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3}),
]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_autograd(case: Case, dtype: str, record_property: Any) -> None:
    compare("autograd", case, dtype, follow, record_property)


def follow(case: Case, params: Params) -> Path:
    names = {"lr": "step_size", "momentum": "mass", "alpha": "gamma", "beta1": "b1", "beta2": "b2"}
    options = {names.get(name, name): value for name, value in case.options.items()}
    path = []
    final = getattr(autograd, case.rule.lower())(
        gradient, params, callback=lambda p, *_: path.append(p), num_iters=STEPS, **options
    )
    yield from [*path[1:], final]
