"""What the functions of gradstep take, for annotations of your own."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gradstep._core import Rows
from gradstep.schedules import Schedule

__all__ = ["Floats", "Grads", "Indices", "Params", "Rate"]

# What a container holds is left open: type checkers take a dict of arrays and lists to hold just objects.

Floats: TypeAlias = NDArray[np.floating[Any]]
"""An array of floats."""

Indices: TypeAlias = NDArray[np.integer[Any]] | Sequence[int]
"""Numbers of rows."""

Params: TypeAlias = NDArray[np.inexact[Any]] | list[Any] | tuple[Any, ...] | Mapping[Any, Any]
"""Parameters: an ndarray, or a list, tuple or dict of them, nested as deep as you like; or a list of
groups, dicts with the key "params"."""

Grads: TypeAlias = (
    NDArray[np.inexact[Any]]
    | Rows
    | np.inexact[Any]
    | complex
    | list[Any]
    | tuple[Any, ...]
    | Mapping[Any, Any]
)
"""Gradients: arrays in the structure of the parameters, or `Rows` of them. A scalar is the gradient of a 0-d
array."""

Rate: TypeAlias = float | np.floating[Any] | Schedule
"""A hyperparameter: a number, or a schedule of the update number."""
