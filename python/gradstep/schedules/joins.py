"""Schedules one after another, and rises and falls at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from gradstep.schedules.base import Schedule


class Join(Schedule, method="then"):
    """One schedule after another: for at[i−1] ≤ t < at[i], s(t) = schedules[i](t − at[i−1]).

    Args:
        schedules: The schedules, in order. Each sees a t of its own that begins at 0.
        at: The steps at which the second and each later one begins, strictly increasing, one fewer than
            ``schedules``.

    Raises:
        TypeError: If an item of ``schedules`` is not a schedule or one of ``at`` not an integer.
        ValueError: If there is no schedule, the lengths do not match, or ``at`` does not increase.

    Example:
        >>> from gradstep.schedules import Constant, Join, Linear
        >>> s = Join([Linear(0.0, 1.0, 2), Constant(1.0), Linear(1.0, 0.0, 4)], at=[2, 10])
        >>> s(1), s(9), s(12), s(14)
        (0.5, 1.0, 0.5, 0.0)

    References:
        ``optax.join_schedules``, which also gives each child its own t. torch's ``SequentialLR`` calls
        the same boundaries milestones.
    """

    __slots__ = ()

    def __new__(cls, schedules: Sequence[Schedule], at: Sequence[int]) -> Self:
        return super().__new__(cls, "Join", schedules, at)


class Warmup(Schedule, method="warmup"):
    """A rise to the schedule's first value, then the schedule: s(t − n) from t = n on.

    For t < n, with x = t/n and f the ``start`` factor, the value is s(0) times

    - ``linear``: f + (1−f)·x
    - ``cosine``: f + (1−f)·(1 − cos πx)/2
    - ``exponential``: f^(1−x)
    - ``sqrt``: f + (1−f)·(1 − √(1−x))

    Args:
        schedule: s, what to warm up.
        steps: n ≥ 0, the updates that the rise takes. 0 is no warmup.
        start: f ≥ 0, the factor at t = 0; above 0 for ``exponential``. None stands for 1/(n+1), so that
            the first update is not wasted on a rate of zero; ``linear`` then is (t+1)/(n+1).
        shape: ``"linear"``, ``"cosine"``, ``"exponential"`` or ``"sqrt"``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``steps`` or ``start`` is negative, or ``shape`` is not one of the four.

    Example:
        >>> from gradstep.schedules import Constant
        >>> s = Constant(1.0).warmup(4)
        >>> [s(t) for t in range(6)]
        [0.2, 0.4, 0.6000000000000001, 0.8, 1.0, 1.0]
        >>> Constant(1.0).warmup(4, start=0.0)(1)
        0.25

    References:
        Goyal et al. 2017, "Accurate, Large Minibatch SGD", arXiv:1706.02677. ``start=0.0`` is the
        convention of optax and transformers, whose first rate is 0. As in Keras, and unlike optax, the
        schedule's own steps do not include the warmup.
    """

    __slots__ = ()

    def __new__(
        cls,
        schedule: Schedule,
        steps: int,
        start: float | None = None,
        shape: Literal["linear", "cosine", "exponential", "sqrt"] = "linear",
    ) -> Self:
        return super().__new__(cls, "Warmup", schedule, steps, start, shape)


class Cooldown(Schedule, method="cooldown"):
    """A fall from the schedule's value to a last one, in the last part of all steps.

    With T the ``total``, n = round(T·fraction), at least 1, and b = T − n, it is s(t) for t < b, then, with
    x = (t − b)/n up to 1, end + (s(b) − end)·f(x), f being

    - ``linear``: 1 − x
    - ``cosine``: (1 + cos πx)/2
    - ``sqrt``: 1 − √x

    Args:
        schedule: s, such as a constant with a warmup.
        total: T, all steps, at least 1: from t = T on the value is ``end``.
        fraction: The part of them that the fall takes, from 0 to 1.
        end: The last value.
        shape: ``"linear"``, ``"cosine"`` or ``"sqrt"``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``total`` is below 1, ``fraction`` or ``end`` out of its range, or ``shape`` not one of
            the three.

    Example:
        >>> from gradstep.schedules import Constant
        >>> s = Constant(1.0).warmup(3).cooldown(100, fraction=0.2, shape="sqrt")
        >>> s(0), s(80), s(85), s(100)
        (0.25, 1.0, 0.5, 0.0)

    References:
        Hägele et al. 2024, arXiv:2405.18392, for the fraction and 1 − √x; `WarmupStableDecay` has the lengths
        of its phases instead.
    """

    __slots__ = ()

    def __new__(
        cls,
        schedule: Schedule,
        total: int,
        fraction: float = 0.2,
        end: float = 0.0,
        shape: Literal["linear", "cosine", "sqrt"] = "linear",
    ) -> Self:
        return super().__new__(cls, "Cooldown", schedule, total, fraction, end, shape)
