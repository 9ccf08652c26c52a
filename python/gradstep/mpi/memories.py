"""The bytes of all arrays as a layout counts them, wherever each array is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.mpi.layouts import UNIT, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout

    Bytes = NDArray[np.uint8]


class Memory:
    """Some stretches of memory, one behind the other.

    Args:
        starts: the number of the first byte of each, and of that behind the last.
        stretches: the bytes of each; there may be fewer than up to the next one.
    """

    def __init__(self, starts: NDArray[np.int64], stretches: Sequence[Bytes]) -> None:
        self.starts, self.stretches = starts, stretches
        #: What is between two of them.
        self.nothing = np.zeros(UNIT, np.uint8)

    @classmethod
    def flat(cls, memory: Bytes) -> Memory:
        """Take bytes as they are."""
        return cls(np.array([0, len(memory)]), [memory])

    @classmethod
    def apart(cls, layout: Layout, arrays: Sequence[NDArray[Any]]) -> Memory:
        """Take the arrays of a layout, none of which has gaps."""
        return cls(layout.starts, [in_order(array).view(np.uint8) for array in arrays])

    @property
    def is_flat(self) -> bool:
        """Whether all is one stretch."""
        return len(self.stretches) == 1 and len(self.stretches[0]) == self.starts[-1]

    def pieces(self, begin: int, end: int) -> list[Bytes]:
        """Give the bytes from the first to before the second, in as many pieces as they lie in.

        Example:
            >>> import numpy as np
            >>> from gradstep.mpi.memories import Memory
            >>> memory = Memory(np.array([0, 16, 32]), [np.arange(16, dtype="u1"), np.ones(4, "u1")])
            >>> [piece.tolist() for piece in memory.pieces(14, 22)]
            [[14, 15], [1, 1, 1, 1], [0, 0]]
        """
        found = []
        i = max(int(np.searchsorted(self.starts, begin, "right")) - 1, 0)
        while begin < end:
            stretch, start = self.stretches[i], int(self.starts[i])
            stop = min(end, int(self.starts[i + 1]))
            filled = min(stop, start + len(stretch))
            if begin < filled:
                found.append(stretch[begin - start : filled - start])
            if max(begin, filled) < stop:
                found.append(self.nothing[: stop - max(begin, filled)])
            begin, i = max(begin, stop), i + 1
        return found

    def view(self, begin: int, end: int) -> Bytes:
        """Give bytes of one stretch, from the first to before the second."""
        i = max(int(np.searchsorted(self.starts, begin, "right")) - 1, 0)
        start = int(self.starts[i])
        return self.stretches[i][begin - start : end - start]
