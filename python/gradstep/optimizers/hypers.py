"""Hyperparameters as live attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, overload

if TYPE_CHECKING:
    from gradstep._core import Optimizer
    from gradstep.types import Rate


class Attribute:
    """What an optimizer knows by the name of the attribute."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def read(self, optimizer: Optimizer) -> Any:
        """Give the value, a tuple in group order where there are several groups."""
        return optimizer._hyper(self.name)


class Hyper(Attribute):
    """A hyperparameter.

    It reads as the value that the next step will use, a tuple in group order where there are several groups.
    Assign a float or a schedule to replace it in all groups, or a tuple of one for each.
    """

    # For type checkers "or Any" stands for the tuple: who has one group, as nearly everybody, need not ask.

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type) -> float | Any: ...
    def __get__(self, optimizer: Optimizer | None, owner: type) -> Self | float | Any:
        return self if optimizer is None else self.read(optimizer)

    def __set__(self, optimizer: Optimizer, value: Rate | tuple[Rate, ...]) -> None:
        optimizer._set_hyper(self.name, value)


class Limit(Attribute):
    """A limit on the gradients of all groups together: what the next step will use, or None.

    Assign a float, a schedule, or None to take it away.
    """

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type) -> float | None: ...
    def __get__(self, optimizer: Optimizer | None, owner: type) -> Self | float | None:
        return self if optimizer is None else self.read(optimizer)

    def __set__(self, optimizer: Optimizer, value: Rate | None) -> None:
        optimizer._set_hyper(self.name, value)


class Option(Attribute):
    """What is neither a number at every step nor a limit: it reads as what was given.

    That is a tuple in group order where it belongs to groups and there are several. Assign another value.
    """

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type) -> Any: ...
    def __get__(self, optimizer: Optimizer | None, owner: type) -> Self | Any:
        return self if optimizer is None else self.read(optimizer)

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        optimizer._set_hyper(self.name, value)


class Fixed(Attribute):
    """An option that decides on the formula or the state, and so cannot be changed.

    It reads as a tuple in group order where it belongs to groups and there are several.
    """

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type) -> Any: ...
    def __get__(self, optimizer: Optimizer | None, owner: type) -> Self | Any:
        return self if optimizer is None else self.read(optimizer)
