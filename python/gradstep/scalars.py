"""Reading the numbers that a training loop measures."""

from __future__ import annotations

import numpy as np


def measured(name: str, value: object) -> float:
    """Give a measured number as a float.

    Args:
        name: what an error calls it.
        value: a Python or NumPy number, a 0-d array, or what else converts to a float, as a torch tensor
            of one element does. NaN and ±∞ are numbers.

    Raises:
        TypeError: if it is something else, such as None, text, a complex number or an array with axes.
        ValueError: if it is an integer too large for a float.

    Example:
        >>> import numpy as np
        >>> from gradstep.scalars import measured
        >>> measured("loss", np.float32(0.5))
        0.5
    """
    if isinstance(value, float):
        return float(value)
    if isinstance(value, np.ndarray) and value.ndim > 0:
        raise TypeError(f"{name} must be a number, got an array of shape {value.shape}")
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    # Without isinstance(value, SupportsFloat), which takes longer than all the rest of a record.
    if kind not in "fiub" or not (hasattr(type(value), "__float__") or hasattr(type(value), "__index__")):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError(f"{name} must fit into a float, but is an integer too large for it") from None
