"""Reading the numbers that a training loop measures, as the compiled core does."""

from __future__ import annotations

from operator import index
from typing import SupportsIndex

import numpy as np

from gradstep import _core


def measured(name: str, value: object) -> float:
    """Give a measured number as a float.

    Args:
        name: what an error calls it.
        value: a Python or NumPy number, a 0-d array, or what else converts to a float, as a torch tensor
            of one element does. NaN and ±∞ are numbers; a bool, as of a test that was passed, is 0 or 1.

    Raises:
        TypeError: if it is something else, such as None, text, a complex number or an array with axes.
        ValueError: if it is an integer too large for a float.

    Example:
        >>> import numpy as np
        >>> from gradstep.scalars import measured
        >>> measured("loss", np.float32(0.5))
        0.5
    """
    return float(value) if isinstance(value, (bool, np.bool_)) else _core.real(name, value)


def counted(name: str, value: SupportsIndex, least: int) -> int:
    """Give a count as an int.

    Args:
        name: what an error calls it.
        value: a Python or NumPy integer.
        least: the smallest one that is allowed.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below ``least``.

    Example:
        >>> from gradstep.scalars import counted
        >>> counted("steps", 200, 1)
        200
    """
    try:
        count = index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}") from None
    if count < least:
        raise ValueError(f"{name} must be at least {least}, got {count}")
    return count
