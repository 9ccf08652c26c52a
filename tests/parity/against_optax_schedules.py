"""The schedules of optax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from rates import STEPS, Case, adapter, cases, compare

from gradstep.schedules import Constant, Cosine, like

jax.config.update("jax_enable_x64", True)

LINE = {"init_value": 0.1, "end_value": 0.01, "transition_steps": 700}
WARM = {"init_value": 1e-3, "peak_value": 0.1, "warmup_steps": 100}

CASES = [
    *cases("constant_schedule", {"value": 0.1}),
    *cases("linear_schedule", LINE, LINE | {"transition_begin": 50}, LINE | {"transition_steps": 0}),
    *cases("polynomial_schedule", {"power": 2.0}, {"power": 0.5, "transition_begin": 100}, **LINE),
    *cases(
        "piecewise_constant_schedule",
        {},
        {"boundaries_and_scales": {100: 0.5, 400: 0.1, 900: 3.0}},
        init_value=0.1,
    ),
    *cases(
        "piecewise_interpolate_schedule",
        {"interpolate_type": "linear"},
        {"interpolate_type": "cosine"},
        init_value=0.1,
        boundaries_and_scales={100: 3.0, 101: 0.5, 900: 0.1},
    ),
    *cases(
        "exponential_decay",
        {},
        {"staircase": True},
        {"transition_begin": 55},
        {"end_value": 0.04},
        init_value=0.1,
        transition_steps=100,
        decay_rate=0.9,
    ),
    *cases(
        "exponential_decay",
        {"init_value": 0.1, "transition_steps": 30, "decay_rate": 1.1, "end_value": 0.5},
        {"init_value": 0.1, "transition_steps": 30, "decay_rate": 0.0},
    ),
    *cases(
        "cosine_decay_schedule",
        {},
        {"alpha": 0.1},
        {"exponent": 2.0},
        {"exponent": 0.7, "alpha": 0.1},
        init_value=0.1,
        decay_steps=800,
    ),
    *cases("warmup_constant_schedule", WARM, {**WARM, "warmup_steps": 0}),
    *cases(
        "warmup_cosine_decay_schedule",
        {"decay_steps": 900},
        {"decay_steps": 500, "end_value": 0.01},
        {"decay_steps": 500, "exponent": 2.0},
        {"warmup_steps": 0, "decay_steps": 500},
        **WARM,
    ),
    *cases(
        "warmup_exponential_decay_schedule",
        {},
        {"staircase": True, "transition_begin": 20, "end_value": 0.03},
        **WARM,
        transition_steps=50,
        decay_rate=0.9,
    ),
    *cases(
        "cosine_onecycle_schedule",
        {},
        {"pct_start": 0.123, "div_factor": 10.0, "final_div_factor": 100.0},
        transition_steps=900,
        peak_value=0.1,
    ),
    *cases(
        "linear_onecycle_schedule",
        {},
        {"pct_start": 0.123, "pct_final": 0.5},
        transition_steps=900,
        peak_value=0.1,
    ),
    *cases(
        "sgdr_schedule",
        {"cosine_kwargs": [{**WARM, "decay_steps": 300}, {**WARM, "decay_steps": 500, "end_value": 0.01}]},
    ),
]


def follow(case: Case) -> list[float]:
    return values(getattr(optax, case.name)(**case.arguments))


def values(schedule: Any) -> list[float]:
    return np.asarray(jax.vmap(schedule)(jnp.arange(STEPS))).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_optax(case: Case, record_property: Any) -> None:
    compare("optax", case.name, like("optax", case.name, **case.arguments), follow(case), record_property)


def test_join(record_property: Any) -> None:
    ours = like("optax", "join", schedules=[Constant(0.1), Cosine(0.1, 500)], boundaries=[200])
    theirs = optax.join_schedules(
        [optax.constant_schedule(0.1), optax.cosine_decay_schedule(0.1, 500)], [200]
    )
    compare("optax", "join_schedules", ours, values(theirs), record_property)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 3},
        {"patience": 1, "rtol": 0.0, "atol": 0.05, "cooldown": 2},
        {"patience": 2, "accumulation_size": 5, "min_scale": 0.01},
    ],
    ids=str,
)
def test_plateaus(options: dict[str, Any], record_property: Any) -> None:
    ours = like("optax", "reduce_on_plateau", lr=0.1, factor=0.5, **options)
    transformation = optax.contrib.reduce_on_plateau(factor=0.5, **options)
    params = jnp.ones(1)
    state = transformation.init(params)
    update = jax.jit(lambda value, state: transformation.update(params, state, value=value))
    worst = 0.0
    for t in range(200):
        metric = ((t * 2654435761) % 1000) / 1000 + 10 / (t + 1)
        ours.observe(metric)
        updates, state = update(metric, state)
        worst = max(worst, abs(ours(t) / (0.1 * float(updates[0])) - 1))
    assert worst < 1e-12
    for key, value in {
        "library": "optax",
        "rule": "reduce_on_plateau",
        "dtype": "float64",
        "error": worst,
    }.items():
        record_property(key, value)


def test_ours_in_optax() -> None:
    schedule = Cosine(0.1, 100).warmup(10)
    sgd = optax.sgd(adapter("optax")["in_optax"](schedule, 150))
    params = jnp.zeros(1)
    state = sgd.init(params)
    step = jax.jit(sgd.update)
    for t in range(200):
        updates, state = step(jnp.ones(1), state)
        assert float(updates[0]) == -schedule(t)
