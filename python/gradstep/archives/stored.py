"""Arrays in files, of which nothing has been read as yet."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradstep._core import Checksum
from gradstep.archives.errors import CheckpointError
from gradstep.archives.pieces import PIECE, fill, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from numpy.typing import NDArray

    from gradstep.archives.pieces import Order

DTYPE = re.compile(r"[<>|][biufcSUmM]\d{1,9}(\[\d{0,9}[A-Za-z]{1,2}\])?", re.ASCII)
"""The dtypes that a file may have, as NumPy writes them: no Python objects, no fields."""
CHECKSUM = re.compile(r"[0-9a-f]{16}", re.ASCII)
MOST_AXES = 32
"""As NumPy 1.26 has it."""


class Form(NamedTuple):
    """What an array in a file is like, and the checksum of its bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: Order
    checksum: str = "0" * 16

    @property
    def nbytes(self) -> int:
        """The number of bytes of all elements."""
        return math.prod(self.shape) * self.dtype.itemsize

    def as_json(self) -> dict[str, Any]:
        """Give what `form_of` reads."""
        return {
            "dtype": self.dtype.str,
            "shape": list(self.shape),
            "order": self.order,
            "xxh3": self.checksum,
        }


def form_of(name: str, record: object) -> Form:
    """Read the form of an array.

    Raises:
        CheckpointError: there can be no such array.
    """
    wrong = CheckpointError(f"its header describes {name!r} by what is no form of an array")
    if not isinstance(record, dict) or set(record) != {"dtype", "shape", "order", "xxh3"}:
        raise wrong
    text, shape, order, checksum = (record[key] for key in ("dtype", "shape", "order", "xxh3"))
    if not (isinstance(text, str) and DTYPE.fullmatch(text) and order in ("C", "F")):
        raise wrong
    if not (isinstance(checksum, str) and CHECKSUM.fullmatch(checksum)):
        raise wrong
    if not (isinstance(shape, list) and len(shape) <= MOST_AXES and all(type(n) is int for n in shape)):
        raise wrong
    try:
        dtype = np.dtype(text)
        # NumPy says whether there can be such a shape; nothing is taken from memory.
        np.broadcast_to(np.empty((), dtype), tuple(shape))
    except (TypeError, ValueError, OverflowError, MemoryError):
        raise wrong from None
    if dtype.str != text or dtype.itemsize == 0:
        raise wrong
    return Form(dtype, tuple(shape), order, checksum)


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether a file can say what a dtype is."""
    return DTYPE.fullmatch(dtype.str) is not None and dtype.itemsize > 0 and np.dtype(dtype.str) == dtype


@dataclass(frozen=True)
class Stored:
    """An array in a file.

    Attributes:
        file: it stays open.
        name: what the file calls it.
        form: what it is like.
        offset: where its bytes begin.
    """

    file: BinaryIO
    name: str
    form: Form
    offset: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The array's dtype."""
        return self.form.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.form.shape

    def verify(self) -> None:
        """Read it through, and compare the checksum.

        Raises:
            CheckpointError: it is damaged.
        """
        total = self.form.nbytes
        buffer = np.empty(min(PIECE, total), np.uint8)
        self._read(buffer[: min(PIECE, total - at)] for at in range(0, total, PIECE))

    def read_into(self, array: NDArray[Any]) -> None:
        """Read it into an array of the same dtype and shape, of any strides.

        Raises:
            CheckpointError: it is damaged; by then the array may be, too.
        """
        self._read(pieces(array, self.form.order, writing=True))

    def read(self) -> NDArray[Any]:
        """Read it into a new array."""
        array = np.empty(self.shape, self.dtype, self.form.order)
        self.read_into(array)
        return array

    def _read(self, parts: Iterable[NDArray[np.uint8]]) -> None:
        self.file.seek(self.offset)
        checksum = Checksum()
        for part in parts:
            fill(self.file, part, self.name)
            checksum.update(part)
        if checksum.hexdigest() != self.form.checksum:
            raise CheckpointError(
                f"{self.name} is damaged: its checksum is {checksum.hexdigest()}, but it was saved with "
                f"{self.form.checksum}"
            )
