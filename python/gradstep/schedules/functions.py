"""Schedules that are Python functions."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any, Self

from gradstep.schedules.base import Schedule

BY_VALUE = ("cloudpickle", "dill")
"""Picklers that take the code of a function along, where `pickle` takes its name."""


class Lambda(Schedule):
    """Any Python function of t: s(t) = function(t).

    It is called for each t, also of an array, with the GIL held. What it raises comes out of the
    evaluation. It compares, hashes and pickles as the function does, by its name, so an anonymous function
    cannot be pickled or printed back: define it with ``def`` at the top of a module, or pickle with
    cloudpickle.

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

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        function = self.params["function"]
        nameless = isinstance(function, FunctionType) and "<" in function.__qualname__
        if nameless and not any(name.rpartition(".")[2] in BY_VALUE for name in sys.modules):
            raise pickle.PicklingError(
                f"{function.__qualname__} cannot be pickled, as it has no name in its module: for Lambda "
                "define it with def at the top of a module, or take another schedule, such as Table"
            )
        return super().__reduce__()


class RunningProduct:
    """A function of t: f(1)·f(2)·…·f(t), and 1 at t = 0.

    It goes on from the t that it was last asked for, and begins anew at one before that; so what it gives
    depends on t alone if f does.
    """

    def __init__(self, function: Callable[[int], float]) -> None:
        self.function = function
        # One object, so that threads find a t with its own product.
        self.last = (0, 1.0)

    def __call__(self, t: int) -> float:
        """Give the product at t."""
        known, product = self.last
        if t < known:
            known, product = 0, 1.0
        for i in range(known + 1, t + 1):
            product *= self.function(i)
        self.last = (t, product)
        return product

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunningProduct) and self.function == other.function

    def __hash__(self) -> int:
        return hash((RunningProduct, self.function))

    def __repr__(self) -> str:
        return f"RunningProduct({self.function!r})"
