"""The values of a schedule, as many as a picture can show."""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING

import numpy as np

from gradstep.horizons import MOST_STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradstep._core import Schedule

MOST_EVALUATIONS = 1_000_000


def counted(steps: int) -> int:
    """Check a number of steps."""
    try:
        count = index(steps)
    except TypeError:
        raise TypeError(f"steps must be an integer, got {type(steps).__name__}") from None
    if not 1 <= count <= MOST_STEPS:
        raise ValueError(f"steps must be from 1 to 2**53, got {count}")
    return count


def sample(
    schedule: Schedule, steps: int, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the first t, the least and the largest value of each of at most ``bins`` stretches of t."""
    count = min(steps, MOST_EVALUATIONS)
    t = np.arange(steps) if count == steps else np.linspace(0, steps - 1, count).astype(np.int64)
    values = schedule(t)
    starts = np.arange(min(bins, count)) * count // min(bins, count)
    return t[starts], np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
