"""Which rank computes which parts of a batch, and in which order their gradients are added up.

The order is a binary tree over all parts, in which a block of 2ᵏ leaves begins at a multiple of 2ᵏ. It
knows nothing of ranks, and so neither do the bits of the sum. A rank adds up what of the tree is its own.
"""

from __future__ import annotations

from typing import TypeAlias

Block: TypeAlias = tuple[int, int]
"""The parts from the first number up to the second."""


def parts_of(rank: int, ranks: int, parts: int) -> range:
    """Give the parts that a rank computes: of all ranks one behind the other, and as many as of any other.

    Example:
        >>> from gradstep.mpi.orders import parts_of
        >>> [list(parts_of(rank, 3, 8)) for rank in range(3)]
        [[0, 1, 2], [3, 4, 5], [6, 7]]
    """
    each, more = divmod(parts, ranks)
    first = rank * each + min(rank, more)
    return range(first, first + each + (rank < more))


def blocks(parts: range) -> list[Block]:
    """Cut some parts into the largest blocks of the tree: as few sums as they make without the others.

    Example:
        >>> from gradstep.mpi.orders import blocks
        >>> blocks(range(3, 8))
        [(3, 4), (4, 8)]
    """
    found, start = [], parts.start
    while start < parts.stop:
        size = start & -start or 1 << parts.stop.bit_length()
        while start + size > parts.stop:
            size >>= 1
        found.append((start, start + size))
        start += size
    return found


def are_siblings(left: Block, right: Block) -> bool:
    """Tell whether two blocks are the halves of a larger one."""
    size = left[1] - left[0]
    return left[1] == right[0] and right[1] - right[0] == size and left[0] % (2 * size) == 0


def additions(given: list[Block], parts: int) -> list[tuple[int, int]]:
    """Give the additions that make the sum of all parts out of those of blocks.

    Args:
        given: the blocks, in order, which are all of the parts.
        parts: how many parts there are.

    Returns:
        Pairs (i, j) of places in ``given``: what is at i becomes the sum of both. The last sum is at 0.

    Example:
        >>> from gradstep.mpi.orders import additions
        >>> additions([(0, 2), (2, 3), (3, 4), (4, 5)], 5)
        [(1, 2), (0, 1), (0, 3)]
    """
    places = {block: i for i, block in enumerate(given)}
    made: list[tuple[int, int]] = []

    def place(start: int, stop: int) -> int:
        if (start, stop) in places:
            return places[start, stop]
        middle = (start + stop) // 2
        left = place(start, middle)
        if middle < parts:
            made.append((left, place(middle, stop)))
        return left

    place(0, 1 << (parts - 1).bit_length())
    return made
