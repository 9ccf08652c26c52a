"""Arrays in pieces of bounded size, so that no whole copy of one is ever made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gradstep.archives.errors import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    Order = Literal["C", "F"]

PIECE = 1 << 20
"""Bytes of the largest piece, but for elements that are larger."""


def pieces(array: NDArray[Any], order: Order, writing: bool = False) -> Iterator[NDArray[np.uint8]]:
    """Give the bytes of an array in an order of its axes, whatever order its memory has.

    Args:
        array: of any strides.
        order: whether the last axis runs fastest ("C") or the first ("F").
        writing: whether what is written into a piece is to get into the array; by the time of the next piece.

    Returns:
        Pieces, which are views of the array where its memory has that order.
    """
    if array.nbytes == 0:
        return
    access: Any = ["writeonly" if writing else "readonly", "contig"]
    size = max(1, PIECE // array.itemsize)
    with np.nditer(array, ["external_loop", "buffered"], [access], order=order, buffersize=size) as iterator:
        for piece in iterator:
            yield piece.view(np.uint8)  # type: ignore[attr-defined]


def order_of(array: NDArray[Any]) -> Order:
    """Choose the order that takes no copies, if there is one."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def fill(file: BinaryIO, piece: NDArray[np.uint8], name: str) -> None:
    """Read as many bytes as a piece has.

    Raises:
        CheckpointError: the file ends before; ``name`` is what was being read.
    """
    at = 0
    while at < len(piece):
        count = file.readinto(piece[at:].data)  # type: ignore[attr-defined]
        if not count:
            raise CheckpointError(f"it ends within {name}")
        at += count
