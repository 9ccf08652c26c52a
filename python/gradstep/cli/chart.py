"""A curve drawn with characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.plots.canvas import wants_log
from gradstep.plots.sampling import sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradstep.schedules import Schedule

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:#"
"""Filling levels of a character; for terminals that know no blocks, such as those of some CI systems."""
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
    ramp = BLOCKS if encodes(encoding, BLOCKS) else ASCII
    margin = 12 if width >= NARROW else 0
    _, low, high = sample(schedule, steps, max(1, width - margin))
    finite = np.concatenate((low, high))[np.isfinite(np.concatenate((low, high)))]
    log = wants_log([high])
    top = float(finite.max(initial=-np.inf)) if finite.size else 0.0
    bottom = float(finite.min()) if finite.size and (log or finite.min() < 0) else min(0.0, top)
    heights = fraction(high, bottom, top, log)
    levels = len(ramp) - 1
    filled = np.round(heights * HEIGHT * levels).astype(int)
    lines = []
    for row in reversed(range(HEIGHT)):
        bars = "".join(ramp[level] for level in np.clip(filled - row * levels, 0, levels))
        name = {HEIGHT - 1: f"{top:.4g}", 0: f"{bottom:.4g}"}.get(row, "")
        lines.append((f"{name:>{margin - 2}} |{bars}" if margin else bars).rstrip())
    if margin:
        last = f"{steps - 1:,}"
        lines.append(f"{'(log)' if log else '':>{margin - 2}}  0{last:>{max(0, len(low) - 1)}}"[:width])
    return "\n".join([summary(schedule, steps, low, high), *lines])


def summary(schedule: Schedule, steps: int, low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    """Give the first and the last value, and the extremes of those in between."""
    first, last = schedule(0), schedule(steps - 1)
    extremes = f"min {low.min():.6g}, max {high.max():.6g}"
    return f"first {first:.6g} at step 0, last {last:.6g} at step {steps - 1:,}, {extremes}"


def fraction(values: NDArray[np.float64], bottom: float, top: float, log: bool) -> NDArray[np.float64]:
    """Give the height of each value between bottom and top, from 0 to 1."""
    values = np.clip(np.nan_to_num(values, nan=bottom, posinf=top, neginf=bottom), bottom, top)
    if log:
        values, bottom, top = np.log10(values), np.log10(bottom), np.log10(top)
    else:
        # The difference of two large numbers may be none.
        values, bottom, top = values / 4, bottom / 4, top / 4
    return (values - bottom) / (top - bottom) if top > bottom else np.zeros(len(values))


def encodes(encoding: str, text: str) -> bool:
    """Tell whether an encoding has all characters of a text."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
