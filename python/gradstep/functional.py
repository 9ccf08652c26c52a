"""The update rules as in-place functions, for people who keep their own state.

There is one function for each optimizer class, in lower case: `sgd`, `adagrad`, `rmsprop`, `adam`,
`adamw`. Each is called as

    gs.functional.adam(p, g, exp_avg, exp_avg_sq, step=t, lr=1e-3, beta1=0.9)

with the parameter, its gradient and its state arrays in the order that the class documents (`sgd` with
``momentum=0`` has none), then by keyword ``step``, the number of updates done before this one (0 at the
first), and the hyperparameters of the class with the class's defaults. ``p`` and the state arrays are
updated in place; all have the shape, dtype and memory order of ``p``.

Example:
    >>> import numpy as np
    >>> from gradstep import functional
    >>> p, exp_avg, exp_avg_sq = np.ones(2), np.zeros(2), np.zeros(2)
    >>> functional.adam(p, np.array([3.0, -3.0]), exp_avg, exp_avg_sq, step=0, lr=0.25)
    >>> p.round(6)
    array([0.75, 1.25])
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from gradstep import _core, optimizers

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from gradstep.optimizers import Rate

    Array = NDArray[np.floating[Any]]

    Kernel = Callable[..., None]


def _kernel(optimizer: type[optimizers.Optimizer]) -> Kernel:
    signature = inspect.signature(optimizer).parameters.values()
    left_out = ("params", "clip_norm", "clip_value")
    defaults = {
        parameter.name: parameter.default for parameter in signature if parameter.name not in left_out
    }
    name = optimizer.__name__.lower()

    def update(p: Array, g: Array, /, *state: Array, step: int, **hypers: Rate | bool) -> None:
        unknown = hypers.keys() - defaults.keys()
        if unknown:
            raise TypeError(f"{name}() has no argument {min(unknown)!r}; it takes {', '.join(defaults)}")
        decoupled = optimizer.decoupled_weight_decay
        _core.update(
            optimizer.rule, p, g, state, step=step, decoupled_weight_decay=decoupled, **(defaults | hypers)
        )

    update.__name__ = update.__qualname__ = name
    update.__doc__ = _DOC.format(optimizer=optimizer.__name__, options=", ".join(defaults))
    return update


_DOC = """Update one array and its state in place, by the rule of `gradstep.{optimizer}`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        state: the state arrays in the order that the class documents, of the shape, dtype and memory order
            of p. Before the first update they hold what the class starts from: zeros, as a rule.
        step: the number of updates done before this one; 0 at the first.
        hypers: {options}; the defaults are the class's.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

_kernels = {
    name.lower(): _kernel(getattr(optimizers, name)) for name in optimizers.__all__ if name != "Optimizer"
}
__all__ = sorted(_kernels)


def __getattr__(name: str) -> Kernel:
    try:
        return _kernels[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
