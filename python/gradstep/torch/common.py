"""What an optimizer of torch's kind hands on from the native one behind it."""

from __future__ import annotations

from typing import Any, Protocol, Self, overload


class Behind(Protocol):
    """What has a native optimizer behind it."""

    @property
    def _engine(self) -> Any: ...
    @property
    def _common(self) -> dict[str, Any]: ...


class Told:
    """What the native optimizer tells."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, optimizer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, optimizer: Behind, owner: type) -> Any: ...
    def __get__(self, optimizer: Behind | None, owner: type) -> Self | Any:
        return self if optimizer is None else getattr(optimizer._engine.native, self.name)

    def __set__(self, optimizer: Behind, value: Any) -> None:
        raise AttributeError(f"{self.name} of {type(optimizer).__name__} is only told, it cannot be set")


class Common(Told):
    """An option of all groups together, which may be set."""

    def __set__(self, optimizer: Behind, value: Any) -> None:
        setattr(optimizer._engine.native, self.name, value)
        optimizer._common[self.name] = value
