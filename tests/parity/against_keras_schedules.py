"""The schedules of Keras, in float32 and in float64.

A process of its own, which is this file as a program, computes the rates with NumPy behind Keras: what is set
there would change the other tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pytest
from keras.src.backend.common import dtypes
from rates import STEPS, TOLERANCES, Case, adapter, cases, compare

from gradstep.schedules import Cosine, like

FALL = {"initial_learning_rate": 0.1, "decay_steps": 300}

CASES = [
    *cases("ExponentialDecay", {"decay_rate": 0.9}, {"decay_rate": 0.5, "staircase": True}, **FALL),
    *cases(
        "InverseTimeDecay",
        {"decay_rate": 0.5},
        {"decay_rate": 3.0, "staircase": True, "decay_steps": 1.0},
        **FALL,
    ),
    *cases(
        "PiecewiseConstantDecay",
        {"boundaries": [100, 700], "values": [0.1, 0.05, 0.01]},
        {"boundaries": [0, 1], "values": [1.0, 0.5, 0.1]},
    ),
    *cases(
        "PolynomialDecay",
        {},
        {"end_learning_rate": 0.01, "power": 2.5},
        {"cycle": True},
        {"cycle": True, "power": 0.5, "decay_steps": 77},
        **FALL,
    ),
    *cases(
        "CosineDecay",
        {},
        {"alpha": 0.1},
        {"warmup_target": 0.5, "warmup_steps": 100},
        {"warmup_target": 0.5, "warmup_steps": 0, "alpha": 0.2},
        **FALL,
    ),
    *cases(
        "CosineDecayRestarts",
        {},
        {"m_mul": 0.5, "alpha": 0.1},
        {"t_mul": 1.0, "m_mul": 0.9},
        {"t_mul": 1.5, "m_mul": 0.8, "alpha": 0.01},
        initial_learning_rate=0.1,
        first_decay_steps=100,
    ),
]


@cache
def computed(dtype: str) -> list[list[float]]:
    """Give the rates of all cases."""
    done = subprocess.run(
        [sys.executable, __file__, dtype],
        env=os.environ | {"KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def follow(case: Case, dtype: str = "float64") -> list[float]:
    return computed(dtype)[CASES.index(case)]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_keras(case: Case, dtype: str, record_property: Any) -> None:
    ours = like("keras", case.name, **case.arguments)
    compare("keras", case.name, ours, follow(case, dtype), record_property, dtype)


def test_a_config_is_arguments() -> None:
    theirs = keras.optimizers.schedules.CosineDecay(0.1, 100, warmup_target=0.5, warmup_steps=10)
    given = {"initial_learning_rate": 0.1, "decay_steps": 100, "warmup_target": 0.5, "warmup_steps": 10}
    assert like("keras", "CosineDecay", **theirs.get_config()) == like("keras", "CosineDecay", **given)


def test_ours_in_keras() -> None:
    schedule = Cosine(0.1, 20).warmup(5)
    opt = keras.optimizers.SGD(adapter("keras")["InKeras"](schedule, 30))
    parameter = keras.Variable(np.zeros(1, np.float32))
    opt.build([parameter])
    for t in range(40):
        before = keras.ops.convert_to_numpy(parameter.value)[0]
        opt.apply([keras.ops.ones(1)])
        step = before - keras.ops.convert_to_numpy(parameter.value)[0]
        assert step == pytest.approx(schedule(t), rel=1e-5, abs=1e-7)


def main(dtype: str) -> None:
    """Print the rates of all cases."""
    keras.config.set_floatx(dtype)
    # Unless TensorFlow is behind it, Keras makes float32 of it in its functions, whatever is set.
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = dtype
    rates = []
    for case in CASES:
        schedule = getattr(keras.optimizers.schedules, case.name)(**case.arguments)
        rates.append([float(schedule(t)) for t in range(STEPS)])
    print(json.dumps(rates))


if __name__ == "__main__":
    main(sys.argv[1])
