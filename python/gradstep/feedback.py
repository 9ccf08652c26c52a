"""Learning rates that react to training: schedules wrapped around a schedule, with a small state.

A feedback schedule is a schedule: ``warmup``, ``then``, ``clip``, ``*`` and the rest apply to it, and any
hyperparameter takes one. The optimizer tells it what it wants to know:

- ``opt.observe(loss)`` when a loss or another metric is known, once an epoch, say; or
  ``opt.step(grads, loss=loss)``, which observes before it updates;
- the norm of the gradients comes from every step by itself, before the update.

``fb.state`` is a dict of plain numbers, which JSON has too; assigned to a fresh object it resumes a run
exactly. So does ``opt.feedback_state``, the states of all feedback schedules of an optimizer. Equality and
hash compare the parameters, not the state; a copy and a pickle take the state along. One object should serve
one optimizer: two would both feed it.
"""

from __future__ import annotations

from typing import Literal, Self

from gradstep.schedules import Schedule

__all__ = ["Feedback", "GradNormScaled", "LossScaled", "Plateau"]


class Feedback(Schedule):
    """What the feedback schedules share. Not made directly."""

    __slots__ = ()

    @property
    def state(self) -> dict[str, float | None]:
        """The state as plain numbers, without that of schedules inside; assign it to restore it.

        What no observation has given yet is None.

        Raises:
            TypeError: on assignment of something other than a dict of numbers.
            ValueError: on assignment of a dict with other names, or of a number that no observation gives.
        """
        return self._state

    @state.setter
    def state(self, state: dict[str, float | None]) -> None:
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

    State:
        best: the best metric, None before the first; bad: bad observations in a row; cooldown:
        observations left that do not count; scale.

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
        absolute.
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
        )
