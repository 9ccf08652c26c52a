"""Schedules given as lists: values that change at listed steps, or between them, and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from gradstep.schedules.base import Schedule


class MultiStep(Schedule):
    """A factor at each milestone: s(t) = start·gamma^#{m ≤ t}.

    Args:
        start: The value before the first milestone.
        milestones: The steps at which the factor comes, in order. One listed twice counts twice.
        gamma: The factor, at least 0.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``start`` or ``gamma`` is NaN or infinite, ``gamma`` is negative, or ``milestones``
            are negative or not in order.

    Example:
        >>> from gradstep.schedules import MultiStep
        >>> s = MultiStep(1.0, milestones=[30, 80], gamma=0.5)
        >>> s(29), s(30), s(80)
        (1.0, 0.5, 0.25)

    References:
        torch's ``MultiStepLR``, which also drops at t ≥ m.
    """

    __slots__ = ()

    def __new__(cls, start: float, milestones: Sequence[int] | NDArray[np.integer], gamma: float) -> Self:
        return super().__new__(cls, "MultiStep", start, milestones, gamma)


class Piecewise(Schedule):
    """Constant pieces: s(t) = values[#{b ≤ t}].

    Args:
        boundaries: The steps at which each value but the first begins, strictly increasing.
        values: The values, one more than ``boundaries``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``boundaries`` are negative or do not increase, a value is NaN or infinite, or the
            lengths do not match.

    Example:
        >>> from gradstep.schedules import Piecewise
        >>> s = Piecewise([100, 200], [1.0, 0.5, 0.1])
        >>> s(99), s(100), s(1000)
        (1.0, 0.5, 0.1)

    References:
        ``optax.piecewise_constant_schedule``. Keras ``PiecewiseConstantDecay`` changes one step later, at
        t > b.
    """

    __slots__ = ()

    def __new__(
        cls,
        boundaries: Sequence[int] | NDArray[np.integer],
        values: Sequence[float] | NDArray[np.floating],
    ) -> Self:
        return super().__new__(cls, "Piecewise", boundaries, values)


class Interpolated(Schedule):
    """Values at listed steps, and between two of them a line or half a wave.

    For steps[i] ≤ t < steps[i+1], with x = (t − steps[i])/(steps[i+1] − steps[i]), a = values[i] and
    b = values[i+1], it is ``linear``: a + (b − a)·x; ``cosine``: b + (a − b)·(1 + cos πx)/2. Before the first
    step the first value holds, from the last step on the last one.

    Args:
        steps: The steps that have a value of their own, strictly increasing, at least one.
        values: A value for each of them.
        shape: ``"linear"`` or ``"cosine"``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``steps`` are negative, do not increase or there is none, a value is NaN or infinite,
            the lengths do not match, or ``shape`` is not one of the two.

    Example:
        >>> from gradstep.schedules import Interpolated
        >>> s = Interpolated([0, 100, 400], [0.0, 1.0, 0.25])
        >>> s(50), s(100), s(200), s(1000)
        (0.5, 1.0, 0.75, 0.25)

    References:
        ``optax.piecewise_interpolate_schedule``, which gives each value as a multiple of the one before;
        ``numpy.interp``.
    """

    __slots__ = ()

    def __new__(
        cls,
        steps: Sequence[int] | NDArray[np.integer],
        values: Sequence[float] | NDArray[np.floating],
        shape: Literal["linear", "cosine"] = "linear",
    ) -> Self:
        return super().__new__(cls, "Interpolated", steps, values, shape)


class Table(Schedule):
    """A value for each t: s(t) = values[min(t, n−1)].

    Args:
        values: The n values, at least one. The last one holds for ever.

    Raises:
        TypeError: If ``values`` is not a list, tuple or 1-d array of numbers.
        ValueError: If it is empty, or a value is NaN or infinite.

    Example:
        >>> from gradstep.schedules import Table
        >>> s = Table([0.1, 0.2, 0.05])
        >>> s(1), s(2), s(1000)
        (0.2, 0.05, 0.05)
    """

    __slots__ = ()

    def __new__(cls, values: Sequence[float] | NDArray[np.floating]) -> Self:
        return super().__new__(cls, "Table", values)
