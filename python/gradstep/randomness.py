"""The global random states of NumPy and Python."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def unchanged() -> Iterator[None]:
    """Give the states back, at the end of a ``with`` block, that they had at its start.

    Example:
        >>> import random
        >>> from gradstep import randomness
        >>> before = random.getstate()
        >>> with randomness.unchanged():
        ...     _ = random.random()
        >>> random.getstate() == before
        True
    """
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(numpys)  # noqa: NPY002
        random.setstate(pythons)


def seed(number: int) -> None:
    """Make the states follow from a number ≥ 0."""
    np.random.seed(number % 2**32)  # noqa: NPY002
    random.seed(number)
