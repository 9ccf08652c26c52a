"""What is minimized: a function with its gradients, where it starts, and the bounds."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from gradstep.scalars import measured

if TYPE_CHECKING:
    from numpy.typing import NDArray


def start(x0: Any) -> Any:
    """Copy where a minimization starts: numbers become a float64 array, arrays of floats keep their dtype."""
    if isinstance(x0, (list, tuple)) and all(isinstance(x, (int, float, np.number)) for x in x0):
        return np.array(x0, np.float64)
    if isinstance(x0, (int, float, np.integer)) or (isinstance(x0, np.ndarray) and x0.dtype.kind in "iub"):
        return np.array(x0, np.float64)
    return copy.deepcopy(x0)


def evaluator(
    fun: Callable[..., Any], jac: bool | Callable[..., Any], args: tuple[Any, ...]
) -> Callable[[Any], tuple[float, Any]]:
    """Make one function of x that gives the value and the gradients.

    Raises:
        TypeError: there is no function for the gradients, on a call if ``fun`` does not return a pair.
    """

    def value(returned: SupportsFloat) -> float:
        # SciPy's own methods take an array of one element for a number too.
        return measured("fun", returned.item() if getattr(returned, "size", 0) == 1 else returned)  # type: ignore[attr-defined]

    def both(x: Any) -> tuple[float, Any]:
        returned = fun(x, *args)
        if not (isinstance(returned, (tuple, list)) and len(returned) == 2):
            kind = type(returned).__name__
            raise TypeError(f"fun must return a value and gradients, got {kind}; or give jac=, a function")
        return value(returned[0]), returned[1]

    if jac is True:
        return both
    if not callable(jac):
        raise TypeError(f"jac must be True or a function that gives the gradients, got {jac!r}")
    return lambda x: (value(fun(x, *args)), jac(x, *args))


class Bounds:
    """What x is held within: a limit for all of x, or one for each element.

    Args:
        bounds: a pair of numbers, either of which may be None, for all elements; or what SciPy takes: a pair
            for each element, or its ``Bounds``.
        x: the start; one array, which is moved to within the bounds.

    Raises:
        TypeError: ``x`` is a structure of arrays, or ``bounds`` is something else.
        ValueError: they do not fit ``x``, or a lower one is above its upper one.
    """

    def __init__(self, bounds: Any, x: Any) -> None:
        if not isinstance(x, np.ndarray):
            kind = type(x).__name__
            raise TypeError(f"bounds need x0 to be one array, got {kind}; for each array, give rule options")
        low, high = self._limits(bounds)
        try:
            self.low, self.high = np.broadcast_to(low, x.shape), np.broadcast_to(high, x.shape)
        except ValueError:
            shape = np.broadcast(low, high).shape
            raise ValueError(f"bounds has shape {shape}, but x0 has shape {x.shape}") from None
        if not np.all(self.low <= self.high):
            raise ValueError("bounds must have low at most high in each pair")
        self.hold(x)

    @staticmethod
    def _limits(bounds: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
            return np.asarray(bounds.lb, np.float64), np.asarray(bounds.ub, np.float64)
        try:
            # None becomes NaN.
            pairs = np.array(bounds, np.float64)
        except (TypeError, ValueError):
            pairs = np.empty(0)
        if pairs.shape[-1:] != (2,):
            raise TypeError(f"bounds must be a pair of numbers, or one for each element, got {bounds!r}")
        low, high = pairs[..., 0], pairs[..., 1]
        return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)

    def hold(self, x: NDArray[Any]) -> None:
        """Move what is outside to the bounds, in place."""
        np.clip(x, self.low, self.high, out=x)

    def projected(self, x: NDArray[Any], grads: Any) -> NDArray[Any]:
        """Give x − P(x − g): the gradient, but for what the bounds do not let x follow."""
        difference: NDArray[Any] = x - np.clip(x - np.asarray(grads), self.low, self.high)
        return difference


def distance(old: Any, new: Any) -> float:
    """Compute the norm of the difference of two structures that are alike."""
    return norm([b - a for a, b in zip(leaves(old), leaves(new), strict=True)])


def norm(tree: Any) -> float:
    """Compute the Euclidean norm of all arrays of a structure together; of what is not finite, inf or NaN.

    Example:
        >>> import numpy as np
        >>> from gradstep.minimizing.problems import norm
        >>> norm({"w": np.array([3.0]), "b": [np.array(4.0), None]})
        5.0
    """
    arrays = [np.asarray(leaf) for leaf in leaves(tree)]
    wide = [array.astype(np.result_type(array, np.float64), copy=False) for array in arrays]
    return math.sqrt(sum(float(np.linalg.norm(array)) ** 2 for array in wide))


def leaves(tree: Any) -> list[Any]:
    """List the arrays of a structure; None stands for no gradient."""
    if isinstance(tree, Mapping):
        tree = tree.values()
    elif not isinstance(tree, (list, tuple)):
        return [] if tree is None else [tree]
    return [leaf for branch in tree for leaf in leaves(branch)]
