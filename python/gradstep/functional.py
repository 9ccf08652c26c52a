"""The update rules as in-place functions, for people who keep their own state.

There is one function for each optimizer class, under its name in lower case. Each is called as

    gs.functional.adam(p, g, exp_avg, exp_avg_sq, step=t, lr=1e-3, beta1=0.9)

with the parameter, its gradient and its state arrays in the order that the class documents (`sgd` with
``momentum=0`` has none), then by keyword ``step``, the number of updates done before this one (0 at the
first), and the hyperparameters of the class with the class's defaults. ``p`` and the state arrays are
updated in place; all have the shape, dtype and memory order of ``p``, but for the ``scalars`` of `dog`.

Example:
    >>> import numpy as np
    >>> from gradstep import functional
    >>> p, exp_avg, exp_avg_sq = np.ones(2), np.zeros(2), np.zeros(2)
    >>> functional.adam(p, np.array([3.0, -3.0]), exp_avg, exp_avg_sq, step=0, lr=0.25)
    >>> p.round(6)
    array([0.75, 1.25])
"""

# A function is its class's signature once more: it is written by code, when somebody first asks for it. So is
# functional.pyi, for type checkers and editors.

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.signatures import RULES, Signature

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = sorted(RULES)


def __getattr__(name: str) -> Callable[..., None]:
    if name not in RULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = Signature(name).function(__name__)
    globals()[name] = function
    return function


def __dir__() -> list[str]:
    return [*globals(), *__all__]
