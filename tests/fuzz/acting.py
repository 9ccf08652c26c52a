"""Objects that run code of ours wherever Python lets them: when they are counted, compared, converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Interrupted(Exception):  # noqa: N818
    """Raised by the code that runs in the middle of a call."""


Act = Callable[[], None]
BEHIND = np.ones(3)


def number(act: Act, value: float) -> Any:
    """A number that acts when it is asked for its value."""

    class Number:
        def __float__(self) -> float:
            act()
            return value

        def __index__(self) -> int:
            act()
            return int(value)

    return Number()


def key(act: Act, text: str) -> Any:
    """A key of a dict that acts when it is hashed, compared or shown."""

    class Key(str):
        __slots__ = ()

        def __hash__(self) -> int:
            act()
            return super().__hash__()

        def __eq__(self, other: object) -> bool:
            act()
            return super().__eq__(other)

        def __str__(self) -> str:
            act()
            return super().__str__()

    return Key(text)


def container(act: Act, kind: type[Any], items: Any) -> Any:
    """A list, tuple or dict that acts when it is looked into, and is not sure of its length."""

    class Container(kind):  # type: ignore[misc]
        def __len__(self) -> int:
            act()
            return 2**40

        def __iter__(self) -> Any:
            act()
            return super().__iter__()

        def __getitem__(self, place: Any) -> Any:
            act()
            return super().__getitem__(place)

        def keys(self) -> Any:
            act()
            return super().keys()

        def items(self) -> Any:
            act()
            return super().items()

        def copy(self) -> Any:
            act()
            return super().copy()

    return Container(items)


def array(act: Act, values: Any) -> Any:
    """An array that acts when it is converted, viewed or asked for its dtype."""
    armed: list[bool] = []

    class Array(np.ndarray[Any, Any]):
        @property
        def dtype(self) -> Any:
            if armed:
                act()
            return super().dtype

        def __array_finalize__(self, other: Any) -> None:
            if armed:
                act()

        def __array__(self, *_args: Any, **_options: Any) -> Any:
            act()
            return self.view(np.ndarray)

        def __array_ufunc__(self, *_args: Any, **_options: Any) -> Any:
            act()
            return NotImplemented

        def __array_function__(self, *_args: Any, **_options: Any) -> Any:
            act()
            return NotImplemented

    made = values.view(Array)
    armed.append(True)
    return made


def not_an_array(act: Act) -> Any:
    """What says that it is an array, and is none."""

    class Interface:
        @property
        def __array_interface__(self) -> dict[str, Any]:
            act()
            interface: dict[str, Any] = BEHIND.__array_interface__
            return interface

        def __array__(self, *_args: Any, **_options: Any) -> Any:
            act()
            raise Interrupted

        def __len__(self) -> int:
            act()
            return 2**62

        def __getitem__(self, place: Any) -> Any:
            act()
            return self

    return Interface()
