"""Curves drawn with characters."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:#"
"""Filling levels of a character; for terminals that know no blocks, such as those of some CI systems."""


def bars(
    values: NDArray[np.float64], bottom: float, top: float, *, rows: int, log: bool = False, encoding: str
) -> list[str]:
    """Draw values as bars that stand on ``bottom``, a column each; the first line is the top one.

    Args:
        values: the heights; what is not finite is as high as ``top`` or as low as ``bottom``.
        bottom: the value of an empty column.
        top: the value of a full one.
        rows: how many lines.
        log: whether the heights are logarithms; ``bottom`` is above 0 then.
        encoding: that of the terminal, which may not have blocks.

    Example:
        >>> print(*bars(np.array([1.0, 2.0, 4.0]), 0.0, 4.0, rows=2, encoding="utf-8"), sep="|")
          █|▄██
    """
    ramp = BLOCKS if encodes(encoding, BLOCKS) else ASCII
    levels = len(ramp) - 1
    filled = np.round(fraction(values, bottom, top, log) * rows * levels).astype(int)
    return [
        "".join(ramp[level] for level in np.clip(filled - row * levels, 0, levels))
        for row in reversed(range(rows))
    ]


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


def output_encoding() -> str:
    """Name the encoding of what is printed."""
    return getattr(sys.stdout, "encoding", None) or "ascii"
