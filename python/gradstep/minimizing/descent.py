"""Descent by a rule until a tolerance is met."""

from __future__ import annotations

import copy
import inspect
import math
from typing import TYPE_CHECKING, Any

from gradstep.minimizing.problems import Bounds, distance, evaluator, norm, start
from gradstep.minimizing.results import CONVERGED, NONFINITE, STEPS, STOPPED, result
from gradstep.optimizers import Adam
from gradstep.scalars import counted, measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.optimizers import Optimizer
    from gradstep.types import Rate


def minimize(
    fun: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...] = (),
    *,
    jac: bool | Callable[..., Any] = True,
    rule: Callable[..., Optimizer] = Adam,
    lr: Rate | None = None,
    steps: int = 1000,
    tol: float | None = None,
    gtol: float | None = None,
    xtol: float | None = None,
    bounds: Any = None,
    callback: Callable[..., object] | None = None,
    **options: Any,
) -> Any:
    """Minimize a function by a rule, and return the best point that was met, as SciPy does.

    It ends at the first x at which ‖∇f‖ ≤ gtol, or whose step from the one before had a norm ≤ xtol; after
    ``steps`` steps; when ``callback`` raises StopIteration; or where f or its gradients are not finite.
    Within bounds, ∇f stands for x − P(x − ∇f), where P moves to the bounds what is outside.

    Args:
        fun: called as ``fun(x, *args)``; returns the value and the gradients. It may keep copies of x, which
            is changed in place afterwards.
        x0: where to start: an array, a list of numbers, or any structure of arrays that an optimizer takes.
            It stays as it is.
        args: more arguments of ``fun`` and ``jac``.
        jac: True, or a function of the gradients; ``fun`` returns the value alone then.
        rule: the class of the optimizer, or what makes one when called with x, ``lr`` and options.
        lr: the rate, a float or a schedule; None is the rule's own default.
        steps: how many steps are made at most.
        tol: both of the tolerances, where they are not given themselves.
        gtol: that of the gradients' norm, ≥ 0; None is 10⁻⁵, or ``tol``.
        xtol: that of the step's norm, ≥ 0; None is none, or ``tol``. A schedule with a warmup begins with
            steps that are shorter than it should be then.
        bounds: what one array is held within: ``(low, high)`` for all elements, where None is no limit; or
            as SciPy takes them, a pair for each element, or its ``Bounds``.
        callback: called after each step as ``callback(x)`` with a copy, or if its argument is named so,
            ``callback(intermediate_result=...)`` with a result of ``x`` and ``fun``.
        options: of the rule.

    Returns:
        SciPy's ``OptimizeResult``, or where SciPy is not installed an object with the same fields:
        ``x``, ``fun`` and ``jac``, the best point, its value and gradients; ``nit``, the steps; ``nfev`` and
        ``njev``, the calls; ``success``; ``status``, 0 if a tolerance was met, 1 after all steps, 3 where
        something was not finite, 99 for StopIteration; ``message``.

    Raises:
        TypeError: an argument is of the wrong type, or ``fun`` returns something else.
        ValueError: an argument is out of range; bounds do not fit ``x0``.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> def parabola(x):
        ...     return np.sum((x - 3) ** 2), 2 * (x - 3)
        >>> found = gs.minimize(parabola, [0.0, 1.0], rule=gs.SGD, lr=0.25)
        >>> found.x.round(4), found.nit, found.message
        (array([3., 3.]), 20, "the gradients' norm is 6.88e-06, which is at most gtol=1e-05")

    References:
        The interface is that of ``scipy.optimize.minimize``; see `scipy_method` for the rules there.
    """
    steps = counted("steps", steps, 0)
    gtol = tolerance("gtol", gtol, tolerance("tol", tol, 1e-5))
    xtol = tolerance("xtol", xtol, tolerance("tol", tol, -1.0))
    evaluate = evaluator(fun, jac, args)
    x = start(x0)
    held = None if bounds is None else Bounds(bounds, x)
    opt = rule(x, **options) if lr is None else rule(x, lr=lr, **options)
    best: dict[str, Any] = {"x": copy.deepcopy(x), "fun": math.nan, "jac": None}
    made = 0
    moved = math.inf

    def end(status: int, message: str) -> Any:
        ended = {"success": status == CONVERGED, "status": status, "message": message}
        return result(**best, nit=made, nfev=made + 1, njev=made + 1, **ended)

    while True:
        value, grads = evaluate(x)
        if not math.isfinite(value):
            return end(NONFINITE, f"fun returned {value} after {made} steps")
        if best["jac"] is None or value < best["fun"]:
            best = {"x": copy.deepcopy(x), "fun": value, "jac": copy.deepcopy(grads)}
        steepness = norm(grads if held is None else held.projected(x, grads))
        if not math.isfinite(steepness):
            return end(NONFINITE, f"the gradients' norm was {steepness} after {made} steps")
        if made and not goes_on(callback, x, value):
            return end(STOPPED, "`callback` raised `StopIteration`.")
        if steepness <= gtol:
            return end(CONVERGED, f"the gradients' norm is {steepness:.3g}, which is at most gtol={gtol:g}")
        if moved <= xtol:
            return end(CONVERGED, f"the step's norm was {moved:.3g}, which is at most xtol={xtol:g}")
        if made == steps:
            return end(STEPS, f"all {steps} steps were made, and the gradients' norm is {steepness:.3g}")
        before = copy.deepcopy(x) if xtol >= 0 else None
        updated = opt.step(grads, loss=value)
        if held is not None:
            held.hold(x)
        made += 1
        # Gradients that are accumulated, or that were skipped, have not moved anything.
        moved = distance(before, x) if updated and before is not None else math.inf


def goes_on(callback: Callable[..., object] | None, x: Any, value: float) -> bool:
    """Call the user's function after a step, in either form; tell whether it wants to go on."""
    if callback is None:
        return True
    try:
        if set(inspect.signature(callback).parameters) == {"intermediate_result"}:
            callback(intermediate_result=result(x=copy.deepcopy(x), fun=value))
        else:
            callback(copy.deepcopy(x))
    except StopIteration:
        return False
    return True


def tolerance(name: str, value: float | None, default: float) -> float:
    """Check a tolerance."""
    if value is None:
        return default
    number = measured(name, value)
    if not number >= 0:
        raise ValueError(f"{name} must be at least 0, got {number}")
    return number
