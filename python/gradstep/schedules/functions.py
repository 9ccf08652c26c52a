"""Schedules that are Python functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from gradstep.schedules.base import Schedule


class Lambda(Schedule):
    """Any Python function of t: s(t) = function(t).

    It is called for each t, also of an array, with the GIL held. What it raises comes out of the
    evaluation. It compares, hashes and pickles as the function does, so an anonymous function cannot be
    pickled or printed back.

    Args:
        function: Takes t as an int and returns a number. It should depend on t alone.

    Raises:
        TypeError: If ``function`` is not callable; on call, if it returns something else than a number.

    Example:
        >>> from gradstep.schedules import Lambda
        >>> s = Lambda(lambda t: 0.1 / (t + 1)).clip(0.02, 1.0)
        >>> s(1), s(99)
        (0.05, 0.02)

    References:
        torch's ``LambdaLR``, whose function gives a factor of the optimizer's rate.
    """

    __slots__ = ()

    def __new__(cls, function: Callable[[int], float]) -> Self:
        return super().__new__(cls, "Lambda", function)
