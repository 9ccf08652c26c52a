"""The constant, and schedules made of other schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from gradstep import _core
from gradstep.schedules.base import Schedule


class Constant(Schedule):
    """The same value at every t: s(t) = value.

    Args:
        value: The value.

    Raises:
        TypeError: If ``value`` is not a number.
        ValueError: If it is NaN or infinite.

    Example:
        >>> from gradstep.schedules import Constant
        >>> Constant(0.1)(1000)
        0.1
    """

    __slots__ = ()

    def __new__(cls, value: float) -> Self:
        return super().__new__(cls, "Constant", value)


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


class Product(Schedule, method="__mul__"):
    """The product s(t) = a(t)·b(t), also written ``a * b``.

    Args:
        a: The first factor.
        b: The second factor. A number stands for a `Constant`.

    Raises:
        TypeError: If a factor is neither a schedule nor, the second one, a number.
        ValueError: If the number is NaN or infinite.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, 4) * Linear(1.0, 0.0, 4)
        >>> s(2)
        0.25
        >>> Linear(1.0, 0.0, 4) * 0.5
        Product(a=Linear(start=1.0, end=0.0, steps=4), b=Constant(value=0.5))

    References:
        torch's ``ChainedScheduler`` multiplies too, by the ratios of successive values.
    """

    __slots__ = ()

    def __new__(cls, a: Schedule, b: Schedule | float) -> Self:
        if not isinstance(b, _core.Schedule):
            b = Constant(b)
        return super().__new__(cls, "Product", a, b)


class Warmup(Schedule, method="warmup"):
    """A rise to the schedule's first value, then the schedule: s(t − n) from t = n on.

    For t < n, with x = t/n and f the ``start`` factor, the value is s(0) times

    - ``linear``: f + (1−f)·x
    - ``cosine``: f + (1−f)·(1 − cos πx)/2
    - ``exponential``: f^(1−x)

    Args:
        schedule: s, what to warm up.
        steps: n ≥ 0, the updates that the rise takes. 0 is no warmup.
        start: f ≥ 0, the factor at t = 0; above 0 for ``exponential``. None stands for 1/(n+1), so that
            the first update is not wasted on a rate of zero; ``linear`` then is (t+1)/(n+1).
        shape: ``"linear"``, ``"cosine"`` or ``"exponential"``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``steps`` or ``start`` is negative, or ``shape`` is not one of the three.

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
        shape: Literal["linear", "cosine", "exponential"] = "linear",
    ) -> Self:
        return super().__new__(cls, "Warmup", schedule, steps, start, shape)


class Clip(Schedule, method="clip"):
    """The schedule held between two bounds: min(max(s(t), low), high).

    Args:
        schedule: s, what to hold.
        low: The lower bound.
        high: The upper bound, at least ``low``.

    Raises:
        TypeError: If ``schedule`` is not a schedule or a bound not a number.
        ValueError: If a bound is NaN or infinite, or ``high`` is below ``low``.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, 10).clip(0.25, 0.75)
        >>> s(0), s(5), s(10)
        (0.75, 0.5, 0.25)
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, low: float, high: float) -> Self:
        return super().__new__(cls, "Clip", schedule, low, high)


class Every(Schedule, method="every"):
    """The schedule advanced once every k updates: s(⌊t/k⌋).

    Args:
        schedule: s, a schedule of epochs, say.
        k: The updates in one of its steps, at least 1.

    Raises:
        TypeError: If ``schedule`` is not a schedule or ``k`` not an integer.
        ValueError: If ``k`` is below 1.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, 4).every(100)
        >>> s(99), s(100), s(399), s(400)
        (1.0, 0.75, 0.25, 0.0)
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, k: int) -> Self:
        return super().__new__(cls, "Every", schedule, k)


class Shift(Schedule, method="shift"):
    """The schedule begun n updates in: s(t + n).

    Args:
        schedule: s, what to begin later in.
        n: The updates to skip, at least 0.

    Raises:
        TypeError: If ``schedule`` is not a schedule or ``n`` not an integer.
        ValueError: If ``n`` is negative.

    Example:
        >>> from gradstep.schedules import Linear
        >>> Linear(1.0, 0.0, 4).shift(3)(0)
        0.25
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, n: int) -> Self:
        return super().__new__(cls, "Shift", schedule, n)


class Repeat(Schedule, method="repeat"):
    """The schedule begun again every so many updates: s(t mod period).

    Args:
        schedule: s, what to repeat.
        period: The updates after which it begins again, at least 1.

    Raises:
        TypeError: If ``schedule`` is not a schedule or ``period`` not an integer.
        ValueError: If ``period`` is below 1.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, 4).repeat(4)
        >>> s(3), s(4), s(9)
        (0.25, 1.0, 0.75)
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, period: int) -> Self:
        return super().__new__(cls, "Repeat", schedule, period)
