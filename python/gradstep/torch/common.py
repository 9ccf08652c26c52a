"""What an optimizer of torch's kind hands on from the native one behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, overload

if TYPE_CHECKING:
    from gradstep.torch.base import Optimizer


class Told:
    """What the native optimizer tells."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Optimizer, owner: type) -> Any: ...
    def __get__(self, optimizer: Optimizer | None, owner: type) -> Self | Any:
        return self if optimizer is None else getattr(optimizer._engine.native, self.name)

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        raise AttributeError(f"{self.name} of {type(optimizer).__name__} is only told, it cannot be set")


class Common(Told):
    """An option of all groups together, which may be set."""

    def __set__(self, optimizer: Optimizer, value: Any) -> None:
        setattr(optimizer._engine.native, self.name, value)
        optimizer._common[self.name] = value
