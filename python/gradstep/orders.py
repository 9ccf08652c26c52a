"""How the elements of an array lie in memory, and how a .npy file says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def order_of(shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    """List the axes from the outermost to the innermost; those of length 1 lie anywhere and are left out.

    Example:
        >>> from gradstep.orders import order_of
        >>> order_of((2, 3), (12, 4)), order_of((2, 3), (4, 8)), order_of((2, 1), (4, 4))
        ([0, 1], [1, 0], [0])
    """
    axes = [] if 0 in shape else [axis for axis, length in enumerate(shape) if length != 1]
    return sorted(axes, key=lambda axis: -strides[axis])


def header(shape: Sequence[int], order: Sequence[int], dtype: str) -> dict[str, Any]:
    """Give the header of the file of such an array.

    The format knows C order and Fortran order. Of an array in another one, the file has the axes as they lie
    in memory.
    """
    descr = np.lib.format.dtype_to_descr(np.dtype(dtype))
    is_c, is_f = list(order) == sorted(order), list(order) == sorted(order, reverse=True)
    if is_c or is_f:
        return {"descr": descr, "fortran_order": not is_c, "shape": tuple(shape)}
    return {"descr": descr, "fortran_order": False, "shape": tuple(shape[axis] for axis in order)}
