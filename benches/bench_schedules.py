"""A learning rate: one call, and as an array."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from gradstep.bench.schedules import ARRAY_STEPS, DECAY, in_numpy, schedule


def test_scalar(benchmark: BenchmarkFixture) -> None:
    benchmark(schedule(), DECAY // 2)


@pytest.mark.parametrize("steps", [1000, ARRAY_STEPS])
@pytest.mark.parametrize("contender", [schedule(), in_numpy], ids=["gradstep", "numpy"])
def test_array(benchmark: BenchmarkFixture, contender: object, steps: int) -> None:
    assert callable(contender)
    benchmark.group = f"array of {steps:,} steps"
    benchmark(contender, np.arange(steps) % DECAY)
