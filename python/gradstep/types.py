"""What the functions of gradstep take, for annotations of your own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gradstep._core import Rows
from gradstep.schedules import Schedule

__all__ = ["Arrays", "Floats", "Foreign", "Grads", "Indices", "Params", "Rate"]

# What a container holds is left open: type checkers take a dict of arrays and lists to hold just objects.

Floats: TypeAlias = NDArray[np.floating[Any]]
"""An array of floats."""

Indices: TypeAlias = NDArray[np.integer[Any]] | Sequence[int]
"""Numbers of rows."""


class Foreign(Protocol):
    """An array of another library that speaks DLPack."""

    @property
    def __dlpack__(self) -> Callable[..., Any]:
        """Give a capsule of its memory."""
        ...

    @property
    def __dlpack_device__(self) -> Callable[[], Any]:
        """Give the device that the memory is on."""
        ...


Arrays: TypeAlias = NDArray[np.inexact[Any]] | list[Any] | tuple[Any, ...] | Mapping[Any, Any]
"""An ndarray, or a list, tuple or dict of them, nested as deep as you like."""

Params: TypeAlias = Arrays | Foreign
"""Parameters: `Arrays`; or a list of groups, dicts with the key "params". In the place of an ndarray there
may be an array of another library on the CPU that speaks DLPack and may be written to."""

Grads: TypeAlias = (
    NDArray[np.inexact[Any]]
    | Rows
    | Foreign
    | np.inexact[Any]
    | complex
    | list[Any]
    | tuple[Any, ...]
    | Mapping[Any, Any]
)
"""Gradients: arrays in the structure of the parameters, also those of other libraries on the CPU that speak
DLPack, or `Rows` of them. A scalar is the gradient of a 0-d array."""

Rate: TypeAlias = float | np.floating[Any] | Schedule
"""A hyperparameter: a number, or a schedule of the update number."""
