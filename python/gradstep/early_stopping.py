"""Stopping when training no longer helps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from operator import index
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat

import numpy as np

from gradstep.scalars import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gradstep.types import Params

__all__ = ["EarlyStopping"]

MAX_NESTING = 100
"""Deeper than this are parameters that contain themselves."""


class EarlyStopping:
    """Tells when a metric has not improved for a number of updates.

    A value is an improvement if it beats the best one by more than min_delta:
    value + min_delta < best for ``"min"``, value − min_delta > best for ``"max"``. The first finite value
    always is. NaN and ±∞ never are, and raise nothing: a run that has diverged stops after ``patience``
    updates, with its best parameters still there.

    Args:
        patience: how many updates in a row without improvement end the training, at least 1.
        min_delta: what an improvement must exceed, ≥ 0.
        mode: "min" if less is better, as of a loss; "max" if more is, as of an accuracy.
        restore: the parameters, as the optimizer takes them. A copy is kept from each improvement;
            `restore` writes it back.

    Attributes:
        patience: as given.
        min_delta: as given.
        mode: as given.
        best: the best value, a float; None before the first finite one.
        best_step: which update it came with, counted from 0; None before the first finite one.
        step_count: the number of updates.
        waited: the number of updates since the best one, or since the start.

    Raises:
        TypeError: ``patience`` is not an integer, ``min_delta`` not a number, or ``restore`` something else
            than arrays in lists, tuples and dicts.
        ValueError: ``patience`` is below 1, ``min_delta`` negative or not finite, ``mode`` neither of the
            two, or an array of ``restore`` read-only.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([2.0])
        >>> stopping = gs.EarlyStopping(patience=2, restore=w)
        >>> for loss in [0.9, 0.5, 0.7, 0.6, 0.4]:
        ...     w -= 0.1
        ...     if stopping.update(loss):
        ...         break
        >>> stopping.best, stopping.best_step, stopping.step_count
        (0.5, 1, 4)
        >>> stopping.restore()
        >>> w
        array([1.8])

    References:
        Prechelt 1998, "Early Stopping — But When?". It stops as Keras's ``EarlyStopping`` does, and those of
        Lightning and Ignite: with the ``patience``-th update in a row without improvement. torch's
        ``ReduceLROnPlateau`` and `gradstep.feedback.Plateau` act one update later, when there are more than
        ``patience``. Keras counts NaN as no improvement too, but not if it comes first.
    """

    def __init__(
        self,
        patience: int,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] = "min",
        restore: Params | None = None,
    ) -> None:
        try:
            self.patience = index(patience)
        except TypeError:
            raise TypeError(f"patience must be an integer, got {type(patience).__name__}") from None
        if self.patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}")
        self.min_delta = measured("min_delta", min_delta)
        if not 0.0 <= self.min_delta < math.inf:
            raise ValueError(f"min_delta must be at least 0 and finite, got {min_delta}")
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be one of 'min', 'max', got {mode!r}")
        self.mode = mode
        self.best: float | None = None
        self.best_step: int | None = None
        self.step_count = 0
        self.waited = 0
        self._params = None if restore is None else list(arrays(restore))
        self._copies: list[NDArray[Any]] = []

    def update(self, value: SupportsFloat) -> bool:
        """Take the metric's next value.

        Args:
            value: the metric; a number, a NumPy scalar or a 0-d array.

        Returns:
            Whether to stop: the last ``patience`` updates, this one included, were no improvement. Updates
            may go on after that.

        Raises:
            TypeError: ``value`` is not a number.
        """
        number = measured("value", value)
        if self._improves(number):
            self._keep()
            self.best, self.best_step, self.waited = number, self.step_count, 0
        else:
            self.waited += 1
        self.step_count += 1
        return self.waited >= self.patience

    def restore(self) -> None:
        """Write the best parameters back into the arrays given as ``restore``.

        The optimizer's state and step count stay as they are.

        Raises:
            ValueError: ``restore`` was not given, no value was finite yet, or an array has become read-only.
        """
        if self._params is None:
            raise ValueError("there is nothing to restore: EarlyStopping was made without restore=params")
        if self.best_step is None:
            raise ValueError(f"there is nothing to restore: none of {self.step_count} values was finite")
        for array in self._params:
            if not array.flags.writeable:
                raise ValueError(f"an array of shape {array.shape} in restore has become read-only")
        for array, copy in zip(self._params, self._copies, strict=True):
            np.copyto(array, copy)

    def _improves(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.best is None:
            return True
        if self.mode == "min":
            return value + self.min_delta < self.best
        return value - self.min_delta > self.best

    def _keep(self) -> None:
        if self._params is None:
            return
        if not self._copies:
            self._copies = [array.copy() for array in self._params]
            return
        for array, copy in zip(self._params, self._copies, strict=True):
            np.copyto(copy, array)


def arrays(params: object, path: str = "", depth: int = 0) -> Iterator[NDArray[Any]]:
    """Give the arrays of nested parameters, or of torch-style groups, in order.

    Raises:
        TypeError: something is neither an ndarray nor a list, tuple or dict.
        ValueError: an array is read-only, or the nesting has no end.
    """
    name = f"restore['{path}']" if path else "restore"
    if depth > MAX_NESTING:
        raise ValueError(f"restore is nested more than {MAX_NESTING} deep; does it contain itself?")
    if isinstance(params, np.ndarray):
        if not params.flags.writeable:
            raise ValueError(f"{name} is read-only")
        yield params
    elif isinstance(params, Mapping):
        for key, value in params.items():
            yield from arrays(value, f"{path}.{key}" if path else f"{key}", depth + 1)
    elif isinstance(params, (list, tuple)):
        groups = bool(params) and all(isinstance(item, Mapping) and "params" in item for item in params)
        for i, item in enumerate(params):
            value = item["params"] if groups else item
            yield from arrays(value, f"{path}.{i}" if path else f"{i}", depth + 1)
    else:
        kind = type(params).__name__
        raise TypeError(f"{name} must be an ndarray, or a list, tuple or dict of ndarrays, got {kind}")
