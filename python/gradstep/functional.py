"""The update rules as in-place functions, for people who keep their own state.

There is one function for each optimizer class, in lower case: `sgd`, `adagrad`, `rmsprop`, `adam`,
`adamw`. Each is called as

    gs.functional.adam(p, g, exp_avg, exp_avg_sq, step=t, lr=1e-3, beta1=0.9)

with the parameter, its gradient and its state arrays in the order that the class documents (`sgd` with
``momentum=0`` has none), then by keyword ``step``, the number of updates done before this one (0 at the
first), and the hyperparameters of the class with the class's defaults. ``p`` and the state arrays are
updated in place; all have the shape, dtype and memory order of ``p``.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from gradstep import _core, optimizers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradstep.optimizers import Rate

    Array = NDArray[np.floating[Any]]


class Kernel:
    """The update of an optimizer class on a single array."""

    def __init__(self, optimizer: type[optimizers.Optimizer]) -> None:
        parameters = inspect.signature(optimizer).parameters.values()
        self.__name__ = self.__qualname__ = optimizer.__name__.lower()
        self.__doc__ = f"One update of one array in place, by the rule of `gradstep.{optimizer.__name__}`."
        self._optimizer = optimizer
        self._defaults = {
            parameter.name: parameter.default
            for parameter in parameters
            if parameter.name not in ("params", "clip_norm", "clip_value")
        }

    def __call__(self, p: Array, g: Array, /, *state: Array, step: int, **hypers: Rate | bool) -> None:
        """Update ``p`` and ``state`` in place.

        Args:
            p: the parameter, an array that can be updated in place.
            g: its gradient, of the same shape.
            state: the state arrays, in the order that the class documents.
            step: the number of updates done before this one.
            hypers: the hyperparameters of the class.

        Raises:
            TypeError: an argument is of the wrong type, unknown or missing.
            ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.

        Example:
            >>> import numpy as np
            >>> from gradstep import functional
            >>> p, exp_avg, exp_avg_sq = np.ones(2), np.zeros(2), np.zeros(2)
            >>> functional.adam(p, np.array([3.0, -3.0]), exp_avg, exp_avg_sq, step=0, lr=0.25)
            >>> p.round(6)
            array([0.75, 1.25])
        """
        unknown = hypers.keys() - self._defaults.keys()
        if unknown:
            raise TypeError(
                f"{self.__name__}() has no argument {min(unknown)!r}; it takes {', '.join(self._defaults)}"
            )
        _core.update(
            self._optimizer.rule,
            p,
            g,
            state,
            step=step,
            decoupled_weight_decay=self._optimizer.decoupled_weight_decay,
            **(self._defaults | hypers),
        )

    def __repr__(self) -> str:
        return f"<function gradstep.functional.{self.__name__}>"


_kernels = {
    name.lower(): Kernel(getattr(optimizers, name)) for name in optimizers.__all__ if name != "Optimizer"
}
__all__ = sorted(_kernels)


def __getattr__(name: str) -> Kernel:
    try:
        return _kernels[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
