"""Arrays that are only there when they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Later:
    """An array in a tree that is to be written, which nobody has whole as yet.

    Attributes:
        dtype, shape: what it will be like.
        make: makes it, each time that it is asked.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    make: Callable[[], NDArray[Any]]

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all."""
        return math.prod(self.shape) * self.itemsize


def present(array: NDArray[Any] | Later) -> NDArray[Any]:
    """Give an array, now."""
    return array.make() if isinstance(array, Later) else array
