"""thinc's optimizers, which know float32 alone."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
import thinc.api as thinc

from trajectories import Case, Params, Path, compare, gradient, variants

LR = {"lr": 0.01}
CASES = [
    *variants("SGD", LR, {"weight_decay": 0.1, **LR}, {"clip_norm_each": None, **LR}),
    *variants("Adam", {}, {"weight_decay": 0.1, **LR}, {"clip_norm_each": None, **LR}),
    *variants("Adam", {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3, **LR}),
    *variants("Adam", {"decoupled": False, "weight_decay": 0.1, "clip_norm_each": None, **LR}),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_thinc(case: Case, record_property: Any) -> None:
    compare("thinc", case, "float32", follow, record_property)


def follow(case: Case, params: Params) -> Path:
    names = {"lr": "learn_rate", "weight_decay": "L2", "clip_norm_each": "grad_clip"}
    options = {names.get(name, name): value for name, value in case.options.items()}
    # None, not 0, is no limit here.
    options["grad_clip"] = options.get("grad_clip", 1.0) or 0.0
    options["L2_is_weight_decay"] = options.pop("decoupled", True)
    opt = getattr(thinc, case.rule)(**options, use_averages=False)
    for t in count():
        for (name, p), g in zip(params.items(), gradient(params, t).values(), strict=True):
            params[name] = opt((0, name), p, g)[0]
        yield {name: np.array(p) for name, p in params.items()}
