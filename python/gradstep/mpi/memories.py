"""The bytes of all arrays as a layout counts them, wherever each array is."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.mpi.layouts import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout

    Bytes = NDArray[np.uint8]


class Flat:
    """Bytes one behind the other, as they are sent."""

    def __init__(self, memory: Bytes) -> None:
        self.memory = memory

    @staticmethod
    def messages(begin: int, end: int) -> list[tuple[int, int]]:
        """Cut some bytes where they are not sent together: nowhere."""
        return [(begin, end)]

    def view(self, begin: int, end: int) -> Bytes:
        """Give the bytes from the first to before the second."""
        return self.memory[begin:end]


class Apart:
    """Arrays of a layout, each somewhere else: the large ones where they are, and copies of the small ones.

    Args:
        layout: which says what is large.
        arrays: none of which has gaps.
    """

    def __init__(self, layout: Layout, arrays: Sequence[NDArray[Any]]) -> None:
        self.messages = layout.messages
        self.starts, _ = layout.bounds
        self.stretches: list[Bytes] = []
        #: Copies beside what they are copies of.
        self.copies: list[tuple[Bytes, Bytes]] = []
        whole = [in_order(array).view(np.uint8) for array in arrays]
        for group in layout.groups:
            if layout.is_large(group):
                self.stretches.append(whole[group.start])
                continue
            start = int(layout.starts[group.start])
            self.stretches.append(np.zeros(int(layout.starts[group.stop]) - start, np.uint8))
            for leaf in group:
                at = int(layout.starts[leaf]) - start
                self.copies.append((self.stretches[-1][at : at + len(whole[leaf])], whole[leaf]))
        self.pack()

    def pack(self) -> None:
        """Copy the small ones."""
        for copy, array in self.copies:
            copy[...] = array

    def unpack(self) -> None:
        """Copy them back."""
        for copy, array in self.copies:
            array[...] = copy

    def view(self, begin: int, end: int) -> Bytes:
        """Give the bytes from the first to before the second, if they are of one array or of small ones."""
        i = bisect_right(self.starts, begin) - 1
        start = self.starts[i]
        return self.stretches[i][begin - start : end - start]
