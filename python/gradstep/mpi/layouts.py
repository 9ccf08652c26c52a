"""Where the parameters are in one stretch of memory, and which part of it belongs to which rank.

Memory is cut only where chunks begin: at the start of an array, or a multiple of ``CHUNK`` elements behind
it. So the chunks of all ranks are those of one optimizer of whole arrays, and so are the sums over them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradstep._core import CHUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UNIT = 16
"""Bytes, of which each array and each stretch has a whole number."""
LARGE = 1 << 18
"""Bytes of an array that is worth a message of its own, rather than a copy."""


class Leaf(NamedTuple):
    """One array: the dtype of the reals in it, how many, and how many make an element."""

    dtype: np.dtype[Any]
    reals: int
    each: int = 1

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return self.reals * self.dtype.itemsize

    @classmethod
    def of(cls, array: NDArray[Any]) -> Leaf:
        """Describe an array; a complex number is two reals."""
        each = 2 if array.dtype.kind == "c" else 1
        return cls(np.dtype(f"f{array.itemsize // each}"), array.size * each, each)


class Run(NamedTuple):
    """Bytes from the first to before the second, which are all of one dtype."""

    start: int
    stop: int
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Layout:
    """All arrays one behind the other, and the places where ranks meet.

    Attributes:
        leaves: the arrays, in the order of the parameters.
        starts: the byte at which each begins, and the end of all.
        places: the bytes at which memory can be cut: the starts of all chunks, and the end.
        cuts: the byte at which each rank's stretch begins, and the end.
    """

    leaves: tuple[Leaf, ...]
    starts: NDArray[np.int64]
    places: NDArray[np.int64]
    cuts: NDArray[np.int64]

    @classmethod
    def of(cls, leaves: Sequence[Leaf], ranks: int) -> Layout:
        """Lay out arrays, and cut them as evenly as chunks allow."""
        sizes = [-(-leaf.nbytes // UNIT) * UNIT for leaf in leaves]
        starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        chunks = [
            start + np.arange(0, leaf.nbytes, CHUNK * leaf.dtype.itemsize)
            for start, leaf in zip(starts[:-1], leaves, strict=True)
        ]
        places = np.concatenate([*chunks, starts[-1:]]).astype(np.int64)
        # In integers: all ranks have to come to the same places.
        wanted = [int(starts[-1]) * rank // ranks for rank in range(ranks + 1)]
        after = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        before = np.maximum(after - 1, 0)
        nearer = wanted - places[before] < places[after] - wanted
        cuts = places[np.where(nearer, before, after)]
        cuts[0], cuts[-1] = 0, starts[-1]
        return cls(tuple(leaves), starts, places, cuts)

    @property
    def nbytes(self) -> int:
        """Bytes of all."""
        return int(self.starts[-1])

    @property
    def ranks(self) -> int:
        """How many ranks share it."""
        return len(self.cuts) - 1

    @cached_property
    def chunk_cuts(self) -> NDArray[np.int64]:
        """The number of each rank's first chunk, and that of all chunks."""
        return np.searchsorted(self.places[:-1], self.cuts).astype(np.int64)

    @cached_property
    def chunks(self) -> NDArray[np.int64]:
        """How many chunks each array has."""
        return np.array([-(-leaf.reals // CHUNK) for leaf in self.leaves], np.int64)

    @cached_property
    def groups(self) -> list[range]:
        """The arrays in groups of neighbours: each large one by itself."""
        found: list[range] = []
        for leaf in range(len(self.leaves)):
            one = range(leaf, leaf + 1)
            if found and not self.is_large(found[-1]) and not self.is_large(one):
                found[-1] = range(found[-1].start, leaf + 1)
            else:
                found.append(one)
        return found

    def is_large(self, group: range) -> bool:
        """Tell whether a group is a large array."""
        return len(group) == 1 and self.leaves[group.start].nbytes >= LARGE

    def messages(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Cut some bytes where groups begin, without what is behind large arrays."""
        begins, ends = self.bounds
        touched = range(max(bisect_right(begins, start) - 1, 0), bisect_left(begins, stop))
        found = [(max(start, begins[i]), min(stop, ends[i])) for i in touched]
        return [(a, b) for a, b in found if a < b]

    @cached_property
    def bounds(self) -> tuple[list[int], list[int]]:
        """The bytes at which groups begin, and those where what is to be sent of them ends."""
        begins = [int(self.starts[group.start]) for group in self.groups]
        ends = [
            begin + self.leaves[group.start].nbytes if self.is_large(group) else int(self.starts[group.stop])
            for begin, group in zip(begins, self.groups, strict=True)
        ]
        return begins, ends

    def chunks_of_ranks(self, items: Sequence[int] | None) -> NDArray[np.int64]:
        """Tell how many chunks of these arrays each rank has; None are all of them."""
        if items is None:
            return np.diff(self.chunk_cuts)
        present = np.zeros(len(self.leaves), bool)
        present[list(items)] = True
        counted = np.concatenate([[0], np.cumsum(np.repeat(present, self.chunks))])
        return np.diff(counted[self.chunk_cuts])

    def stretch(self, rank: int, leaf: int) -> slice:
        """Tell which elements of an array belong to a rank, in the order of memory."""
        kind = self.leaves[leaf]
        size = kind.dtype.itemsize * kind.each
        begin, end = int(self.cuts[rank]), int(self.cuts[rank + 1])
        bounds = (min(max(byte - int(self.starts[leaf]), 0), kind.nbytes) for byte in (begin, end))
        first, last = (bound // size for bound in bounds)
        return slice(first, last) if first < last else slice(0, 0)

    def runs(self, start: int, stop: int, apart: bool = False) -> list[Run]:
        """Cut some bytes where the dtype changes. What is between two arrays counts to the first one.

        Arrays that are ``apart`` are runs of their own, without what is behind them.
        """
        found: list[Run] = []
        first = max(int(np.searchsorted(self.starts, start, "right")) - 1, 0)
        for leaf, begin, end in zip(
            self.leaves[first:], self.starts[first:-1], self.starts[first + 1 :], strict=True
        ):
            last = int(begin) + leaf.nbytes if apart else int(end)
            a, b = max(start, int(begin)), min(stop, last)
            if begin >= stop:
                break
            if a >= b:
                continue
            if not apart and found and found[-1].dtype == leaf.dtype:
                found[-1] = found[-1]._replace(stop=b)
            else:
                found.append(Run(a, b, leaf.dtype))
        return found

    def views(self, memory: NDArray[np.uint8], arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Give what lies in memory as arrays that are like others: in shape, dtype and order of the axes."""
        return [
            like(memory[start : start + array.nbytes], array)
            for start, array in zip(self.starts[:-1], arrays, strict=True)
        ]


def in_order(array: NDArray[Any]) -> NDArray[Any]:
    """Give all elements of an array without gaps as they follow each other in memory: a view.

    Example:
        >>> import numpy as np
        >>> from gradstep.mpi.layouts import in_order
        >>> in_order(np.array([[1, 2], [3, 4]], order="F"))
        array([1, 3, 2, 4])
    """
    array = np.asarray(array)
    return array.transpose(axes(array)).reshape(-1)


def axes(array: NDArray[Any]) -> tuple[int, ...]:
    """Give the axes of an array, the one with the longest strides first."""
    if array.flags.c_contiguous:
        return tuple(range(array.ndim))
    return tuple(sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis)))


def like(memory: NDArray[np.uint8], array: NDArray[Any], dtype: np.dtype[Any] | None = None) -> NDArray[Any]:
    """Give bytes as an array like another one, or of its shape and order with another dtype."""
    order = axes(array)
    made = memory.view(dtype or array.dtype).reshape([array.shape[axis] for axis in order])
    return made.transpose(np.argsort(order)) if order else made
