"""Learning rates that react to training: schedules wrapped around a schedule, with a small state.

A feedback schedule is a schedule: ``warmup``, ``then``, ``clip``, ``*`` and the rest apply to it, and any
hyperparameter takes one. The optimizer tells it what it wants to know:

- ``opt.observe(loss)`` when a loss or another metric is known, once an epoch, say; or
  ``opt.step(grads, loss=loss)``, which observes before it updates;
- the norm of the gradients comes from every step by itself, before the update.

`NormGuard` stands alone: a limit, for ``clip_norm``.

``fb.state`` is a dict of plain numbers, which JSON has too; assigned to a fresh object it resumes a run
exactly. So does ``opt.feedback_state``, the states of all feedback schedules of an optimizer. Equality and
hash compare the parameters, not the state; a copy and a pickle take the state along. One object should serve
one optimizer: two would both feed it.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from gradstep.schedules.base import Schedule

__all__ = ["Feedback", "GradNormScaled", "LossScaled", "NormGuard", "Plateau"]


class Feedback(Schedule):
    """What the feedback schedules share. Not made directly."""

    __slots__ = ()

    @property
    def state(self) -> dict[str, Any]:
        """The state as plain numbers and lists of them, without that of schedules inside.

        Assign it to restore it.

        What no observation has given yet is None.

        Raises:
            TypeError: on assignment of something other than a dict of numbers.
            ValueError: on assignment of a dict with other names, or of a number that no observation gives.
        """
        return self._state

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._state = state


class LossScaled(Feedback):
    """A rate that shrinks while the loss is large: s(t)/(1 + β·loss), with the last loss observed.

    Before the first observation it is s(t).

    Args:
        schedule: s.
        beta: β ≥ 0.
        on_nonfinite: what a NaN or infinite loss does: "raise" a ValueError, or "ignore" it.

    State:
        loss: the last loss observed, 0 before the first.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range; on observation, the loss is not finite, or 1 + β·loss
            is not above 0.

    Example:
        >>> from gradstep.feedback import LossScaled
        >>> from gradstep.schedules import Constant
        >>> s = LossScaled(Constant(0.5), beta=1.0)
        >>> s.observe(4.0)
        >>> s(0), s.state
        (0.1, {'loss': 4.0})
    """

    __slots__ = ()

    def __new__(
        cls, schedule: Schedule, beta: float, on_nonfinite: Literal["raise", "ignore"] = "raise"
    ) -> Self:
        return super().__new__(cls, "LossScaled", schedule, beta, on_nonfinite)


class GradNormScaled(Feedback):
    """A rate that shrinks with the gradients seen: s(t)/√(1 + β·Σᵢ≤ₜ‖gᵢ‖²).

    ‖gᵢ‖ is the norm over all parameters of step i before any clipping, the step under way included:
    AdaGrad's rule for the whole model at once. It is the same sum that ``clip_norm`` uses, taken once.
    With ``compound``, the rate of each step is the last one over √(1 + β‖g‖²): s(t)·Πᵢ≤ₜ 1/√(1 + β‖gᵢ‖²).
    ``opt.lr`` between two steps does not know the next gradient and has the sum so far.

    Args:
        schedule: s.
        beta: β ≥ 0.
        compound: multiply the divisors of all steps instead of adding.
        on_nonfinite: what a NaN or infinite norm does: "raise" a ValueError, so that the step is not made,
            or "ignore" it.

    State:
        divisor: what stands under the root.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range; on a step, the norm is not finite.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> rate = gs.feedback.GradNormScaled(gs.schedules.Constant(1.0), beta=0.12)
        >>> w = np.zeros(2)
        >>> opt = gs.SGD(w, lr=rate)
        >>> opt.step(np.array([3.0, -4.0]))
        True
        >>> w, opt.lr, opt.grad_norm
        (array([-1.5,  2. ]), 0.5, 5.0)

    References:
        Ward, Wu, Bottou 2020, "AdaGrad stepsizes", arXiv:1806.01811 (AdaGrad-Norm), which has b² + Σ‖g‖²
        under the root: η = s/b with β = 1/b².
    """

    __slots__ = ()

    def __new__(
        cls,
        schedule: Schedule,
        beta: float,
        compound: bool = False,
        on_nonfinite: Literal["raise", "ignore"] = "raise",
    ) -> Self:
        return super().__new__(cls, "GradNormScaled", schedule, beta, compound, on_nonfinite)


class NormGuard(Feedback):
    """A limit for ``clip_norm`` on gradient norms far above the recent ones: factor·Q, none for all others.

    Q is the quantile of the last n ``window`` norms before this one: number ⌈q·n⌉ of them, sorted. A norm of
    at most factor·Q, and any while Q is 0, leaves the step as it would be without a guard, bit for bit. One
    above is clipped to factor·Q, or its step is skipped and counted in ``opt.skipped``.

    Then it counts as it is, limited or not. So (1−q)·n spikes within a window do not change Q, and what lasts
    is no spike: a new level is accepted after more steps than that, and within a window in any case. Nothing
    is limited before there is a norm above the quantile, which takes 1/(1−q) steps, or a full window if
    that is less. A norm that is not finite never comes through and does not count: ``nonfinite`` says
    whether it is refused or skipped, and where that lets it pass, it is refused here.

    As a schedule, it has the limit of the last step, which is infinite if there was none; so
    ``guard.clip(0.0, 1.0)`` also limits each norm to 1. Composed or not, it is for ``clip_norm``. Of
    several gradients in one update (``accumulate``), the norm is that of their mean, and all are skipped
    together.

    Args:
        window: n, from 1 to 1,000,000: how many norms are remembered. The time of a step grows with log n.
        quantile: q, from 0 to 1.
        factor: how far above the quantile is too far, at least 1.
        action: "clip" or "skip".

    State:
        limit: that of the last step, None if there was none; norms: a list, the oldest first.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range; on a step, the norm is not finite.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> guard = gs.feedback.NormGuard(window=10, quantile=0.9, factor=2.0)
        >>> opt = gs.SGD(np.zeros(1), lr=1.0, clip_norm=guard)
        >>> limits = []
        >>> for norm in [1.0] * 10 + [50.0] * 4:
        ...     updated = opt.step(np.array([norm]))
        ...     limits.append(opt.clip_norm)
        >>> limits[9:]
        [inf, 2.0, 2.0, inf, inf]
    """

    __slots__ = ()

    def __new__(
        cls,
        window: int = 100,
        quantile: float = 0.99,
        factor: float = 2.0,
        action: Literal["clip", "skip"] = "clip",
    ) -> Self:
        return super().__new__(cls, "NormGuard", window, quantile, factor, action)


class Plateau(Feedback):
    """A rate that falls when the metric no longer improves: max(s(t)·scale, min_value).

    scale starts at 1 and is multiplied by ``factor`` whenever more than ``patience`` observations in a row
    were not better than the best. After that, ``cooldown`` observations do not count as bad. Where s(t)
    itself is below ``min_value``, as in a warmup, it stays as it is.

    Args:
        schedule: s.
        factor: what the scale is multiplied by, in [0, 1).
        patience: how many bad observations in a row are borne.
        threshold: how much better counts as better, ≥ 0.
        threshold_mode: "rel": better than best·(1 ∓ threshold); "abs": better than best ∓ threshold.
        cooldown: how many observations after a fall do not count as bad.
        min_value: the least value that the scale may lead to, ≥ 0.
        mode: "min" if less is better, "max" if more is.
        on_nonfinite: what a NaN or infinite metric does: "raise" a ValueError, or "ignore" it.
        mean_of: how many metrics are one observation: their mean, made when the last of them is known. So the
            noisy losses of single steps can be watched.

    State:
        best: the best metric, None before the first; bad: bad observations in a row; cooldown:
        observations left that do not count; scale. With ``mean_of`` also mean and count, of the metrics that
        wait for others.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: an argument is out of range; on observation, the metric is not finite.

    Example:
        >>> from gradstep.feedback import Plateau
        >>> from gradstep.schedules import Constant
        >>> s = Plateau(Constant(1.0), factor=0.5, patience=1)
        >>> for loss in [3.0, 2.0, 2.0, 2.0]:
        ...     s.observe(loss)
        >>> s(4)
        0.5

    References:
        The semantics of ``torch.optim.lr_scheduler.ReduceLROnPlateau`` with ``eps=0``. Keras and optax
        fire one observation earlier (when bad observations reach ``patience``), and Keras's threshold is
        absolute. ``mean_of`` is optax's ``accumulation_size``.
    """

    __slots__ = ()

    def __new__(
        cls,
        schedule: Schedule,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_value: float = 0.0,
        mode: Literal["min", "max"] = "min",
        on_nonfinite: Literal["raise", "ignore"] = "raise",
        mean_of: int = 1,
    ) -> Self:
        return super().__new__(
            cls,
            "Plateau",
            schedule,
            factor,
            patience,
            threshold,
            threshold_mode,
            cooldown,
            min_value,
            mode,
            on_nonfinite,
            mean_of,
        )
