"""How many threads a step or a schedule may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gradstep import _core

__all__ = ["get_num_threads", "num_threads", "set_num_threads"]


def get_num_threads() -> int:
    """Return the number of threads that a large step or schedule may use, the caller included.

    The default is the environment variable ``GRADSTEP_NUM_THREADS``, else the cores that the process's
    affinity mask and cgroup quota leave it. ``OMP_NUM_THREADS`` is not looked at.

    Example:
        >>> import gradstep as gs
        >>> gs.get_num_threads() >= 1
        True
    """
    return _core.get_num_threads()


def set_num_threads(n: int) -> None:
    """Set the number of threads for the whole process.

    Results do not depend on it: they are the same bits with any number of threads.

    Args:
        n: from 1 (never wake another thread) to 1024.

    Raises:
        TypeError: n is not an integer.
        ValueError: n is out of range.

    Example:
        >>> import gradstep as gs
        >>> before = gs.get_num_threads()
        >>> gs.set_num_threads(1)
        >>> gs.get_num_threads()
        1
        >>> gs.set_num_threads(before)
    """
    _core.set_num_threads(n)


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Set the number of threads inside a ``with`` block, for the whole process.

    Args:
        n: as for `set_num_threads`.

    Raises:
        TypeError: n is not an integer.
        ValueError: n is out of range.

    Example:
        >>> import gradstep as gs
        >>> with gs.num_threads(1):
        ...     gs.get_num_threads()
        1
    """
    before = _core.get_num_threads()
    _core.set_num_threads(n)
    try:
        yield
    finally:
        _core.set_num_threads(before)
