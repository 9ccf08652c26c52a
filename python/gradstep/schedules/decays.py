"""Schedules that fall (or rise) once and for ever."""

from __future__ import annotations

from typing import Self

from gradstep.schedules.base import Schedule


class Linear(Schedule):
    """A straight line: s(t) = start·(1 − t/T) + end·t/T, and ``end`` from t = T on.

    Args:
        start: The value at t = 0.
        end: The value from t = T on.
        steps: T, in updates, at least 1.

    Raises:
        TypeError: If a value is not a number or ``steps`` not an integer.
        ValueError: If a value is NaN or infinite, or ``steps`` is below 1.

    Example:
        >>> from gradstep.schedules import Linear
        >>> s = Linear(1.0, 0.5, steps=4)
        >>> s(0), s(2), s(4), s(100)
        (1.0, 0.75, 0.5, 0.5)

    References:
        ``optax.linear_schedule``; torch's ``LinearLR`` with factors of the optimizer's rate.
    """

    __slots__ = ()

    def __new__(cls, start: float, end: float, steps: int) -> Self:
        return super().__new__(cls, "Linear", start, end, steps)


class Polynomial(Schedule):
    """A power of what is left: s(t) = (start − end)·(1 − t/T)^power + end, and ``end`` from t = T on.

    Args:
        start: The value at t = 0.
        end: The value at t = T.
        steps: T, in updates, at least 1.
        power: The exponent, above 0.
        cycle: Whether T grows to the next multiple of ``steps``, T·max(1, ⌈t/T⌉), so that the value rises
            again after each.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is NaN or infinite, ``steps`` is below 1 or ``power`` not above 0.

    Example:
        >>> from gradstep.schedules import Polynomial
        >>> s = Polynomial(1.0, 0.0, steps=10, power=2.0)
        >>> s(0), s(5), s(10)
        (1.0, 0.25, 0.0)
        >>> Polynomial(1.0, 0.0, steps=10, cycle=True)(15)
        0.25

    References:
        Keras ``PolynomialDecay``, with its ``cycle``; without it, torch's ``PolynomialLR`` (end 0).
    """

    __slots__ = ()

    def __new__(cls, start: float, end: float, steps: int, power: float = 1.0, cycle: bool = False) -> Self:
        return super().__new__(cls, "Polynomial", start, end, steps, power, cycle)


class Exponential(Schedule):
    """Exponential decay: s(t) = start·gamma^(t/every), with ⌊t/every⌋ for a staircase.

    Args:
        start: The value at t = 0.
        gamma: The factor per ``every`` updates, at least 0.
        every: The updates that one factor takes, at least 1.
        staircase: Whether the factors come at once, at every multiple of ``every``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``start`` or ``gamma`` is NaN or infinite, ``gamma`` negative or ``every`` below 1.

    Example:
        >>> from gradstep.schedules import Exponential
        >>> s = Exponential(1.0, gamma=0.25, every=10)
        >>> s(5), s(10)
        (0.5, 0.25)
        >>> round(Exponential.with_rate(1.0, rate=0.01)(100), 12)
        0.367879441171

    References:
        torch's ``ExponentialLR`` (every=1), Keras ``ExponentialDecay``, ``optax.exponential_decay``.
    """

    __slots__ = ()

    def __new__(cls, start: float, gamma: float, every: int = 1, staircase: bool = False) -> Self:
        return super().__new__(cls, "Exponential", start, gamma, every, staircase)

    @classmethod
    def with_rate(cls, start: float, rate: float) -> Self:
        """Give s(t) = start·e^(−rate·t), computed from the rate itself and not from a rounded gamma.

        Args:
            start: The value at t = 0.
            rate: The decay per update. A negative one grows.

        Raises:
            TypeError: If an argument is not a number.
            ValueError: If one is NaN or infinite.

        Example:
            >>> from gradstep.schedules import Exponential
            >>> s = Exponential.with_rate(1.0, rate=0.5)
            >>> s
            Exponential.with_rate(start=1.0, rate=0.5)
            >>> round(s(2), 12)
            0.367879441171
        """
        return super().__new__(cls, "Exponential.with_rate", start, rate)


class StepDecay(Schedule):
    """A factor at every multiple: s(t) = start·gamma^⌊t/every⌋.

    Args:
        start: The value at t = 0.
        gamma: The factor, at least 0.
        every: The updates between two factors, at least 1.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``start`` or ``gamma`` is NaN or infinite, ``gamma`` negative or ``every`` below 1.

    Example:
        >>> from gradstep.schedules import StepDecay
        >>> s = StepDecay(1.0, gamma=0.5, every=30)
        >>> s(29), s(30), s(60)
        (1.0, 0.5, 0.25)

    References:
        torch's ``StepLR``.
    """

    __slots__ = ()

    def __new__(cls, start: float, gamma: float, every: int) -> Self:
        return super().__new__(cls, "StepDecay", start, gamma, every)


class InverseTime(Schedule):
    """Hyperbolic decay: s(t) = start / (1 + rate·t/every), with ⌊t/every⌋ for a staircase.

    Args:
        start: The value at t = 0.
        rate: How fast it falls, at least 0.
        every: The updates in one unit of time, at least 1.
        staircase: Whether it falls only at the multiples of ``every``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``start`` or ``rate`` is NaN or infinite, ``rate`` negative or ``every`` below 1.

    Example:
        >>> from gradstep.schedules import InverseTime
        >>> s = InverseTime(1.0, rate=1.0, every=10)
        >>> s(0), s(10), s(30)
        (1.0, 0.5, 0.25)

    References:
        Keras ``InverseTimeDecay``; Robbins and Monro 1951, doi:10.1214/aoms/1177729586.
    """

    __slots__ = ()

    def __new__(cls, start: float, rate: float, every: int = 1, staircase: bool = False) -> Self:
        return super().__new__(cls, "InverseTime", start, rate, every, staircase)


class InverseSqrt(Schedule):
    """Inverse square root: s(t) = start·√(τ / max(t, τ)).

    Args:
        start: The value until t = τ.
        timescale: τ, in updates, at least 1: the value is halved at t = 4τ.

    Raises:
        TypeError: If ``start`` is not a number or ``timescale`` not an integer.
        ValueError: If ``start`` is NaN or infinite or ``timescale`` below 1.

    Example:
        >>> from gradstep.schedules import InverseSqrt
        >>> s = InverseSqrt(1.0, timescale=100)
        >>> s(0), s(100), s(400)
        (1.0, 1.0, 0.5)

    References:
        Raffel et al. 2020 (T5), arXiv:1910.10683; Vaswani et al. 2017, arXiv:1706.03762, with a warmup.
        transformers computes 1/√((t + τ − w)/τ) after a warmup of w, which is this one shifted.
    """

    __slots__ = ()

    def __new__(cls, start: float, timescale: int) -> Self:
        return super().__new__(cls, "InverseSqrt", start, timescale)
