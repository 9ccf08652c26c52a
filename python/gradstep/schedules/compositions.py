"""The constant, and schedules made of the values of others."""

from __future__ import annotations

from typing import Self

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


class Sum(Schedule, method="__add__"):
    """The sum s(t) = a(t) + b(t), also written ``a + b``.

    Args:
        a: The first term.
        b: The second term. A number stands for a `Constant`.

    Raises:
        TypeError: If a term is neither a schedule nor, the second one, a number.
        ValueError: If the number is NaN or infinite.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, 4) + 0.5
        >>> s(2)
        1.0
        >>> s
        Sum(a=Linear(start=1.0, end=0.0, steps=4), b=Constant(value=0.5))
    """

    __slots__ = ()

    def __new__(cls, a: Schedule, b: Schedule | float) -> Self:
        if not isinstance(b, _core.Schedule):
            b = Constant(b)
        return super().__new__(cls, "Sum", a, b)


class Power(Schedule, method="__pow__"):
    """The power s(t)^p, also written ``s ** p``.

    Args:
        schedule: s, not negative anywhere if ``exponent`` is not whole: a power would be NaN there.
        exponent: p, above 0.

    Raises:
        TypeError: If ``schedule`` is not a schedule or ``exponent`` not a number.
        ValueError: If ``exponent`` is not above 0, or infinite.

    Example:
        >>> from gradstep.schedules import Cosine
        >>> s = 0.1 * Cosine(1.0, steps=4) ** 2.0
        >>> s(2)
        0.025

    References:
        ``exponent`` of ``optax.cosine_decay_schedule``.
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, exponent: float) -> Self:
        return super().__new__(cls, "Power", schedule, exponent)


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


class Stride(Schedule, method="stride"):
    """The schedule at each k-th of its steps: s(k·t).

    Args:
        schedule: s, a schedule of samples, say, of which each update takes k.
        k: The steps in an update, at least 1.

    Raises:
        TypeError: If ``schedule`` is not a schedule or ``k`` not an integer.
        ValueError: If ``k`` is below 1.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.0, steps=1024).stride(256)
        >>> s(0), s(1), s(4)
        (1.0, 0.75, 0.0)
    """

    __slots__ = ()

    def __new__(cls, schedule: Schedule, k: int) -> Self:
        return super().__new__(cls, "Stride", schedule, k)


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
