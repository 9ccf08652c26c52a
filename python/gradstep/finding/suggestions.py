"""Which rate a curve of losses speaks for, and whether it speaks for any."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradstep.finding.smoothing import local_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 10
"""Losses of which anything can be said."""
LEAST_FALL = 1e-6
"""A fall by a smaller share of the losses' size is rounding."""
CLEAR_FALL = 7.0
"""How many standard errors a fall must have. Noise alone came to 6.4 once in 2,000 runs, and 5.3 twice."""
BEGUN = 0.1
"""The share of the fall at which it has begun."""


class Shape:
    """The shape of a curve of losses over a rate that rises evenly on the logarithmic scale.

    Args:
        losses: one for each rate, all finite.
        width: that of the smoothing, in steps.
        ceiling: what is above has diverged, and counts as this.

    Attributes:
        smoothed: the losses without most of their noise.
        lowest: the place of the least smoothed loss.
        steepest: the place before it where the smoothed loss falls fastest.
        middle: the place half way from where a tenth of the fall is done to the least loss.
        trouble: why no rate can be chosen by the curve, or None.
    """

    def __init__(self, losses: NDArray[np.float64], width: float, ceiling: float) -> None:
        values = np.minimum(losses, ceiling)
        self.smoothed, self.lowest, self.steepest, self.middle = values, 0, 0, 0
        if len(values) < FEWEST:
            early = f"the run ended after {len(values)} steps: try a smaller low"
            self.trouble: str | None = early if len(values) else "no step could be made"
            return
        width = max(1.0, width)
        self.smoothed, slopes, errors = local_lines(values, width)
        self.lowest = int(self.smoothed.argmin())
        # Rates so small have not changed anything yet: the loss that the run began with.
        reach = max(2, round(2 * width))
        start = float(values[:reach].mean())
        fall = start - float(self.smoothed[self.lowest])
        above = np.flatnonzero(self.smoothed[: self.lowest + 1] >= start - BEGUN * fall)
        begin = int(above[-1]) if above.size else 0
        self.steepest = begin + int(slopes[begin : self.lowest + 1].argmin())
        self.middle = (begin + self.lowest) // 2
        noise = float(np.sqrt(np.mean(np.diff(values[: max(self.lowest + 1, FEWEST)]) ** 2) / 2))
        error = noise * math.hypot(errors[self.lowest], 1 / math.sqrt(reach))
        self.trouble = self._trouble(values, start, fall, error, begin, reach)

    def _trouble(
        self, values: NDArray[np.float64], start: float, fall: float, error: float, begin: int, reach: int
    ) -> str | None:
        """Say what is wrong with the curve."""
        size = max(abs(start), float(np.ptp(values)))
        if np.ptp(values) <= LEAST_FALL * abs(start):
            return "the loss is flat: no rate from low to high changes it"
        if fall <= LEAST_FALL * size:
            return "the loss only rises: try a smaller low"
        if begin < reach:
            return "the loss falls from the smallest rate on: try a smaller low"
        if fall <= CLEAR_FALL * error:
            return "the loss falls no more than it is noisy: try more steps or larger batches"
        if self.steepest >= len(values) - reach:
            return "the loss falls fastest at the largest rate: try a larger high"
        return None
