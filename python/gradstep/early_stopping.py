"""Stopping when training no longer helps."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat

import numpy as np

from gradstep.optimizers import SGD
from gradstep.scalars import counted, measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gradstep.types import Params

__all__ = ["EarlyStopping"]


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
        restore: the parameters or groups of them, just as an optimizer takes them. A copy is kept from each
            improvement; `restore` writes it back.

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
            than float32 or float64 arrays in lists, tuples and dicts.
        ValueError: ``patience`` is below 1, ``min_delta`` negative or not finite, ``mode`` neither of the
            two, or ``restore`` holds what an optimizer could not update: a read-only array, for example.

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
        self.patience = counted("patience", patience, 1)
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
        self._params = None if restore is None else checked(restore)
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
            MemoryError: there is no room for a copy of the parameters. The last one stays, as does all else.
        """
        number = measured("value", value)
        if self._improves(number):
            # The last copies live until the new ones are complete.
            self._copies = [array.copy("K") for array in (self._params or {}).values()]
            self.best, self.best_step, self.waited = number, self.step_count, 0
        else:
            self.waited += 1
        self.step_count += 1
        return self.waited >= self.patience

    def restore(self) -> None:
        """Write the best parameters back into the arrays given as ``restore``.

        The optimizer's state and step count stay as they are.

        Raises:
            ValueError: ``restore`` was not given, no value was finite yet, or an array is read-only by now or
                has no longer the shape and dtype of its copy. Nothing has been written then.
        """
        if self._params is None:
            raise ValueError("there is nothing to restore: EarlyStopping was made without restore=params")
        if self.best_step is None:
            raise ValueError(f"there is nothing to restore: none of {self.step_count} values was finite")
        pairs = list(zip(self._params.items(), self._copies, strict=True))
        for (name, array), copy in pairs:
            if not array.flags.writeable:
                raise ValueError(f"{name} is read-only, so it cannot be restored")
            for what in ("shape", "dtype"):
                now, then = getattr(array, what), getattr(copy, what)
                if now != then:
                    raise ValueError(f"{name} has {what} {now}, but had {what} {then} at the best value")
        for (_, array), copy in pairs:
            np.copyto(array, copy)

    def _improves(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.best is None:
            return True
        if self.mode == "min":
            return value + self.min_delta < self.best
        return value - self.min_delta > self.best


def checked(restore: Params) -> dict[str, NDArray[Any]]:
    """Give the arrays of parameters by the names that errors call them, such as "restore['fc1.w']".

    Raises:
        TypeError: ``restore`` is something that no optimizer takes.
        ValueError: the same, for what it has and not for what it is.
    """
    params: Any = restore
    groups = isinstance(params, (list, tuple)) and any(is_group(entry) for entry in params)
    if groups:
        # Of a group only the parameters count: its other keys are those of whichever rule it is for.
        params = [{"params": entry["params"]} if is_group(entry) else entry for entry in params]
    try:
        # An optimizer knows best what optimizers take.
        SGD(params)
    except (TypeError, ValueError) as error:
        message = re.sub(r"(?<![\w.'])params(?=\[| )", "restore", str(error))
        raise type(error)(message) from None
    return dict(arrays([group["params"] for group in params] if groups else params, ""))


def is_group(entry: object) -> bool:
    """Tell whether an entry of a list is a group of parameters."""
    return isinstance(entry, dict) and "params" in entry


def arrays(params: Any, path: str) -> Iterator[tuple[str, NDArray[Any]]]:
    """Give each array of what is known to be parameters, with its name."""
    if isinstance(params, np.ndarray):
        yield f"restore['{path}']" if path else "restore", params
        return
    for key, value in dict.items(params) if isinstance(params, dict) else enumerate(params):
        yield from arrays(value, f"{path}.{key}" if path else str(key))
