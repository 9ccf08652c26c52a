"""The range test: a run under a rate that rises from very small to very large."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any, SupportsFloat

import numpy as np

from gradstep import randomness
from gradstep._core import NonFiniteError
from gradstep.finding.curve import LRCurve
from gradstep.optimizers import Adam, Optimizer
from gradstep.scalars import counted, measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradstep.types import Floats, Grads, Params

FEWEST_STEPS = 20


def find_lr(
    params: Params,
    gradients: Callable[[Any, int], tuple[SupportsFloat, Grads]],
    *,
    rule: Callable[..., Optimizer] | Optimizer = Adam,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 200,
    smoothing: float = 0.2,
    diverged: float = 4.0,
    **options: Any,
) -> LRCurve:
    """Find a learning rate by the range test: train a little while the rate rises, and look at the loss.

    The rate of step t is low·(high/low)^(t/(steps−1)). While it is too small the loss stays as it is; then
    it falls, the faster the better the rate; then the rate is too large, and the loss rises. The run ends
    there. It is made with copies: the parameters, an optimizer given as ``rule`` and the global random
    states of NumPy and Python are afterwards what they were.

    Args:
        params: the parameters, as an optimizer takes them. All groups get the rate that is tried.
        gradients: called as ``gradients(params, t)`` with the copies, in the structure given, and the number
            of the step; returns the loss and the gradients. Mini-batches make it what training will meet:
            draw them by ``t``, or from ``np.random``, which starts alike in each search.
        rule: the class of the optimizer, or what else makes one when called with parameters and options;
            or an optimizer, of which a copy goes on from where it is.
        low: the smallest rate, above 0; so small that it changes nothing.
        high: the largest rate; so large that nothing is learned with it.
        steps: how many steps are made at most, at least 20.
        smoothing: how far the losses are smoothed: the standard deviation of the weights, in powers of ten
            of the rate.
        diverged: the run ends when a moving average of the losses is above the best one of its values by
            more than this many times the first loss or the fall from it, whichever is larger; and at a loss
            or a norm of gradients that is not finite.
        options: of the rule, such as ``momentum=0.9``.

    Returns:
        The losses by rate. ``.suggestion`` is the rate to take; ``repr`` draws them, ``.plot()`` too.

    Raises:
        TypeError: an argument is of the wrong type, or ``gradients`` returns something else.
        ValueError: an argument is out of range.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> params = {"w": np.array([3.0, -2.0])}
        >>> def gradients(params, t):
        ...     return params["w"] @ params["w"], {"w": 2 * params["w"]}
        >>> curve = gs.find_lr(params, gradients, rule=gs.SGD)
        >>> f"{curve.suggestion:.3f}", params["w"]
        ('0.022', array([ 3., -2.]))
        >>> opt = gs.SGD(params, lr=curve.suggestion)

    References:
        Smith 2017, "Cyclical Learning Rates for Training Neural Networks", arXiv:1506.01186, section 3.3.
    """
    low, high = measured("low", low), measured("high", high)
    if not 0.0 < low < math.inf:
        raise ValueError(f"low must be above 0 and finite, got {low}")
    if not low < high < math.inf:
        raise ValueError(f"high must be above low, which is {low}, and finite, got {high}")
    steps = counted("steps", steps, FEWEST_STEPS)
    smoothing, diverged = measured("smoothing", smoothing), measured("diverged", diverged)
    for name, value in (("smoothing", smoothing), ("diverged", diverged)):
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} must be above 0 and finite, got {value}")
    copies = copy.deepcopy(params)
    opt = started(copies, rule, options)
    lrs = np.geomspace(low, high, steps)
    width = smoothing * (steps - 1) / math.log10(high / low)
    # A rate that is too large leads to overflow, and is meant to.
    with randomness.unchanged(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        losses, ceiling, end = descend(opt, copies, gradients, lrs, width, diverged)
    return LRCurve(lrs[: len(losses)], np.array(losses), width=width, ceiling=ceiling, end=end)


def started(copies: Params, rule: Callable[..., Optimizer] | Optimizer, options: dict[str, Any]) -> Optimizer:
    """Make the optimizer of the copies."""
    if isinstance(rule, Optimizer):
        if options:
            raise TypeError(
                f"rule is an optimizer, which has its options: {', '.join(options)} cannot be given"
            )
        opt = copy.deepcopy(rule)
        opt.bind(copies)
        return opt
    if not callable(rule):
        raise TypeError(f"rule must be a class such as gs.Adam, or an optimizer, got {type(rule).__name__}")
    made = rule(copies, **options)
    if not isinstance(made, Optimizer):
        raise TypeError(f"rule must make an optimizer, got {type(made).__name__}")
    return made


def descend(
    opt: Optimizer,
    params: Params,
    gradients: Callable[[Any, int], tuple[SupportsFloat, Grads]],
    lrs: Floats,
    width: float,
    diverged: float,
) -> tuple[list[float], float, str | None]:
    """Make the steps; give the losses, the height above which they have diverged, and why it ended."""
    losses: list[float] = []
    decay, level, weight = width / (width + 1), 0.0, 0.0
    best = ceiling = math.inf
    for t, lr in enumerate(lrs):
        loss, grads = pair(gradients(params, t))
        if not math.isfinite(loss):
            return losses, ceiling, f"the loss was {loss} at a rate of {lr:.3g}"
        losses.append(loss)
        level, weight = decay * level + (1 - decay) * loss, decay * weight + (1 - decay)
        average = level / weight
        best = min(best, average)
        ceiling = best + diverged * max(abs(losses[0]), losses[0] - best)
        if average > ceiling:
            return losses, ceiling, f"the loss diverged at a rate of {lr:.3g}"
        opt.lr = lr
        try:
            opt.step(grads, loss=loss)
        except NonFiniteError:
            return losses, ceiling, f"the gradients were not finite at a rate of {lr:.3g}"
    return losses, ceiling, None


def pair(returned: object) -> tuple[float, Any]:
    """Take apart what the user's function returned."""
    if not (isinstance(returned, (tuple, list)) and len(returned) == 2):
        raise TypeError(f"gradients must return a loss and gradients, got {type(returned).__name__}")
    return measured("loss", returned[0]), returned[1]
