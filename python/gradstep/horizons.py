"""How many steps show what a schedule does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradstep._core import Schedule

DEFAULT_STEPS = 1000
"""Shown of a schedule that has no length of its own, such as a constant."""
MOST_STEPS = 2**53
"""The largest number of steps that floats count exactly."""


def default_steps(schedule: Schedule) -> int:
    """Give a number of steps that shows a schedule whole.

    That is to its end, which is its last new value; three periods of one that repeats itself; the fall to a
    hundredth of one that decays exponentially and to about a tenth or a third of one that decays more slowly;
    past the last boundary by a quarter. 1,000 for what has no length, such as a constant.

    Example:
        >>> from gradstep.horizons import default_steps
        >>> from gradstep.schedules import Constant, Cosine
        >>> default_steps(Cosine(0.1, 1000).warmup(100))
        1101
        >>> default_steps(Constant(0.1))
        1000
    """
    last = schedule._horizon()
    if last is None:
        return DEFAULT_STEPS
    # A decay that hardly moves may have an infinite horizon. Rounded, a whole number that came out of
    # logarithms is whole.
    return math.ceil(round(last, 6)) + 1 if last < MOST_STEPS else MOST_STEPS
