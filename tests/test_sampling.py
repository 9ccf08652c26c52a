"""Long schedules and their pictures: what is kept of each stretch."""

from __future__ import annotations

import numpy as np
import pytest

from gradstep.plots import sampling
from gradstep.schedules import Cyclic, Table


def test_as_far_as_pictures_go() -> None:
    t, low, high = sampling.sample(Cyclic(0.0, 1.0, 5), 2**53, 100)
    assert (len(t), t[0]) == (100, 0)
    assert (low.min() >= 0, high.max() <= 1) == (True, True)


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101, 12_345])
@pytest.mark.parametrize("bins", [1, 7, 100])
def test_stretches_cover_every_step(steps: int, bins: int) -> None:
    schedule = Table(np.random.default_rng(0).random(steps))
    t, low, high = sampling.sample(schedule, steps, bins)
    values = schedule(np.arange(steps))
    assert len(t) == min(steps, bins)
    for i, start in enumerate(t):
        stretch = values[start : t[i + 1] if i + 1 < len(t) else steps]
        assert (low[i], high[i]) == (stretch.min(), stretch.max())
