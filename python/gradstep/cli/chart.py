"""Schedules and runs drawn with characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.charts import bars
from gradstep.plots.canvas import wants_log
from gradstep.plots.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradstep.schedules import Schedule

HEIGHT = 8
NARROW = 30
"""On a terminal of fewer columns the axis is left out."""


def chart(schedule: Schedule, steps: int, width: int, encoding: str) -> str:
    """Draw the largest value of each stretch of steps as a bar, under a line with the extremes.

    The bars stand on 0, or on the least value if that is negative. If half of the curve would be lost at
    the bottom, the axis is logarithmic, from the least value.

    Args:
        schedule: what to draw.
        steps: how many steps.
        width: the columns of the terminal.
        encoding: that of the terminal, which may not have blocks.

    Returns:
        Lines, none longer than ``width`` but for the one with the extremes.
    """
    _, low, high = sample(schedule, steps, columns(width))
    return "\n".join(
        [summary(schedule, steps, low, high), *framed(low, high, (0, steps - 1), width, encoding)]
    )


def series_chart(steps: Sequence[int], values: Sequence[float], width: int, encoding: str) -> str:
    """Draw the values of some steps as `chart` draws those of a schedule; where there are none, nothing."""
    numbers, first, last = np.array(values), min(steps), max(steps)
    count = min(columns(width), last - first + 1)
    stretches = (np.array(steps) - first) * count // (last - first + 1)
    high = np.full(count, np.nan)
    np.fmax.at(high, stretches, numbers)
    least, most = np.fmin.reduce(numbers), np.fmax.reduce(numbers)
    facts = f"last {values[-1]:.6g} at step {steps[-1]:,}, min {least:.6g}, max {most:.6g}"
    return "\n".join([facts, *framed(numbers, high, (first, last), width, encoding)])


def columns(width: int) -> int:
    """Count the bars that have room."""
    return max(1, width - margin(width))


def margin(width: int) -> int:
    """Count the columns that the axis takes."""
    return 12 if width >= NARROW else 0


def framed(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    ends: tuple[int, int],
    width: int,
    encoding: str,
) -> list[str]:
    """Draw bars of ``high``, that stand below all of ``low``, with an axis if it has room."""
    room = margin(width)
    finite = np.concatenate((low, high))[np.isfinite(np.concatenate((low, high)))]
    log = wants_log([high])
    top = float(finite.max(initial=-np.inf)) if finite.size else 0.0
    bottom = float(finite.min()) if finite.size and (log or finite.min() < 0) else min(0.0, top)
    names = [f"{top:.4g}", *[""] * (HEIGHT - 2), f"{bottom:.4g}"]
    rows = bars(high, bottom, top, rows=HEIGHT, log=log, encoding=encoding)
    lines = [
        (f"{name:>{room - 2}} |{row}" if room else row).rstrip()
        for name, row in zip(names, rows, strict=True)
    ]
    if room:
        first, last = f"{ends[0]:,}", f"{ends[1]:,}"
        scale = f"{first}{last:>{max(0, len(high) - len(first))}}"
        lines.append(f"{'(log)' if log else '':>{room - 2}}  {scale}"[:width])
    return lines


def summary(schedule: Schedule, steps: int, low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    """Give the first and the last value, and the extremes of those in between."""
    first, last = schedule(0), schedule(steps - 1)
    extremes = f"min {low.min():.6g}, max {high.max():.6g}"
    return f"first {first:.6g} at step 0, last {last:.6g} at step {steps - 1:,}, {extremes}"
