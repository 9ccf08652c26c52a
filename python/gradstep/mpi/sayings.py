"""What a rank says of its parts besides the gradients: losses, the arrays that have none, and a word more."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    Buffer = bytes | bytearray | memoryview

BITS = 64
"""Of a word, one for each array."""


class Saying:
    """The form in which all ranks say it.

    Args:
        parts: the most parts that a rank has.
        leaves: the number of arrays.

    Attributes:
        size: its bytes.

    Example:
        >>> from gradstep.mpi.sayings import Saying
        >>> saying = Saying(2, 3)
        >>> said = [saying.write([0.5, 1.5], {0, 2}), saying.write([2.5], {0}, True)]
        >>> saying.read(said)
        ([0.5, 1.5, 2.5], [0], [False, True])
    """

    def __init__(self, parts: int, leaves: int) -> None:
        self.leaves, self.parts, self.words = leaves, parts, -(-leaves // BITS)
        self._form = struct.Struct(f"<q?7x{parts}d{self.words}Q")
        self.size = self._form.size
        self._none = (0,) * self.words

    def write(self, losses: Sequence[float], absent: Collection[int] | None, mark: bool = False) -> bytes:
        """Write the losses of a rank, and the arrays of which none of its parts has a gradient.

        ``absent`` is None on a rank that has no parts. What a ``mark`` means, the ranks know.
        """
        masks: Sequence[int] = self._none
        if absent is None or absent:
            mask = (1 << BITS * self.words) - 1 if absent is None else sum(1 << i for i in absent)
            masks = [mask >> BITS * word & (1 << BITS) - 1 for word in range(self.words)]
        padding = (0.0,) * (self.parts - len(losses))
        return self._form.pack(len(losses), mark, *losses, *padding, *masks)

    def read(self, said: Sequence[Buffer]) -> tuple[list[float], list[int], list[bool]]:
        """Read the losses of all ranks, the arrays of which nobody has a gradient, and who has a mark."""
        losses: list[float] = []
        marks: list[bool] = []
        common: Sequence[int] | None = None
        for one in said:
            count, mark, *rest = self._form.unpack_from(one)
            losses += rest[:count]
            marks.append(mark)
            masks = rest[self.parts :]
            common = masks if common is None else [a & b for a, b in zip(common, masks, strict=True)]
        if common is None or not any(common):
            return losses, [], marks
        return losses, [i for i in range(self.leaves) if common[i // BITS] >> i % BITS & 1], marks
