"""What the functions of gradstep take, for annotations of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gradstep.schedules import Schedule

__all__ = ["Floats", "Grads", "Params", "Rate"]

Floats: TypeAlias = "NDArray[np.floating[Any]]"
"""An array of floats."""

Params: TypeAlias = "Floats | list[Any] | tuple[Params, ...] | Mapping[Any, Params]"
"""Parameters: an ndarray, or a list, tuple or dict of them, nested as deep as you like; or a list of
groups, dicts with the key "params"."""

Grads: TypeAlias = "Floats | np.floating[Any] | float | list[Any] | tuple[Grads, ...] | Mapping[Any, Grads]"
"""Gradients: arrays in the structure of the parameters. A scalar is the gradient of a 0-d array."""

Rate: TypeAlias = "float | np.floating[Any] | Schedule"
"""A hyperparameter: a number, or a schedule of the update number."""
