"""Rates by layer, and momenta that go with rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import Cosine, Cyclic, OneCycle, layerwise
from refusals import refuses

LAYERS = ["embed.*", "blocks.0.*", "blocks.1.*", "head.*"]


def params() -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    return {layer[:-2]: {"w": np.ones(2), "b": np.ones(1)} for layer in [*LAYERS, "rest.*"]}


@pytest.mark.parametrize("lr", [0.8, Cosine(0.8, 100)], ids=str)
def test_each_layer_has_the_rate_of_the_next_times_the_decay(lr: Any) -> None:
    opt = gs.SGD(params(), lr=0.3, groups=layerwise(LAYERS, 0.5, lr))
    assert opt.lr == (0.1, 0.2, 0.4, 0.8, 0.3), "what no pattern matches has the rate of the optimizer"


def test_the_other_options_of_a_group_stay() -> None:
    given = {"*.b": {"weight_decay": 0.0, "lr": 4.0}, "*.w": {"weight_decay": 0.1}}
    made = layerwise(given, 0.5, 1.0)
    assert made == {"*.b": {"weight_decay": 0.0, "lr": 2.0}, "*.w": {"weight_decay": 0.1, "lr": 1.0}}
    assert given == {"*.b": {"weight_decay": 0.0, "lr": 4.0}, "*.w": {"weight_decay": 0.1}}
    assert layerwise([], 0.5, 1.0) == {}


@pytest.mark.parametrize("decay", [0.0, -0.5, float("inf"), float("nan")])
def test_a_decay_out_of_range(decay: float) -> None:
    with refuses(ValueError, f"decay must be finite and above 0, got {decay}"):
        layerwise(LAYERS, decay, 0.1)


@pytest.mark.parametrize(
    "rate", [OneCycle(0.1, 100), OneCycle(0.5, 80, 0.4, anneal="linear"), Cyclic(0.1, 0.5, 10, 7)]
)
def test_a_momentum_is_low_where_the_rate_is_high(rate: OneCycle | Cyclic) -> None:
    t = np.arange(200)
    rates, momenta = rate(t), rate.momentum(0.7, 0.9)(t)
    assert momenta.min() == pytest.approx(0.7, abs=1e-3)
    assert momenta.max() == pytest.approx(0.9, rel=1e-15)
    assert momenta[0] == pytest.approx(0.9, rel=1e-15)
    assert np.argmax(rates) == np.argmin(momenta)


def test_the_momentum_of_triangles_is_their_mirror() -> None:
    rate = Cyclic(0.1, 0.5, 10, 7, "triangular2")
    t = np.arange(100)
    np.testing.assert_allclose(rate.momentum(0.1, 0.5)(t) + rate(t), 0.6, rtol=1e-15)
    assert rate.momentum(0.1, 0.5).momentum(0.1, 0.5) == rate


def test_a_momentum_out_of_range() -> None:
    with refuses(ValueError, "high must be above 0, got 0.0"):
        OneCycle(0.1, 100).momentum(0.5, 0.0)
    with refuses(ValueError, "high must be at least low = 0.9, got 0.8"):
        Cyclic(0.1, 0.5, 10).momentum(0.9, 0.8)
