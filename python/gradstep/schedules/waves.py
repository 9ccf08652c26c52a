"""Schedules that fall and rise: cosine, warm restarts, cyclic."""

from __future__ import annotations

from typing import Literal, Self

from gradstep.schedules.base import Schedule


class Cosine(Schedule):
    """Cosine annealing: s(t) = end + (start − end)·(1 + cos πt/T)/2, and ``end`` from t = T on.

    Args:
        start: The value at t = 0.
        steps: T, in updates, at least 1.
        end: The value at t = T.
        periodic: Whether the wave goes on past T: back to ``start`` at 2T, and so on.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is NaN or infinite, or ``steps`` is below 1.

    Example:
        >>> from gradstep.schedules import Cosine
        >>> s = Cosine(1.0, steps=100)
        >>> s(0), s(50), s(100), s(150)
        (1.0, 0.5, 0.0, 0.0)
        >>> Cosine(1.0, steps=100, periodic=True)(200)
        1.0

    References:
        Loshchilov and Hutter 2017, arXiv:1608.03983. ``periodic`` is torch's ``CosineAnnealingLR``, which
        rises again; holding ``end`` is optax and Keras, which give it as a fraction of ``start``.
    """

    __slots__ = ()

    def __new__(cls, start: float, steps: int, end: float = 0.0, periodic: bool = False) -> Self:
        return super().__new__(cls, "Cosine", start, steps, end, periodic)


class CosineRestarts(Schedule):
    """Cosine annealing with warm restarts (SGDR).

    Cycle i begins at tᵢ = period·(1 + m + … + m^(i−1)), m being ``period_mult``, rounded to the nearest
    integer (beyond 2⁵³, where floats are coarser, to one near it). In it
    s(t) = end + (start·k^i − end)·(1 + cos πx)/2 with x = (t − tᵢ)/(tᵢ₊₁ − tᵢ) and k the ``peak_mult``. Each
    cycle is over before it would reach ``end``.

    Args:
        start: The value at t = 0.
        period: The length of the first cycle in updates, at least 1.
        period_mult: m ≥ 1, each cycle's length over that of the last one.
        peak_mult: k ≥ 0, each cycle's peak over that of the last one.
        end: Where each cycle falls to.
        rounded: Whether tᵢ is rounded, so that each cycle begins at its peak. Otherwise it begins between two
            steps where ``period_mult`` is not whole.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is NaN, infinite or out of its range.

    Example:
        >>> from gradstep.schedules import CosineRestarts
        >>> s = CosineRestarts(1.0, period=10, period_mult=2, peak_mult=0.5)
        >>> s(0), s(5), s(10), s(20), s(30)
        (1.0, 0.5, 0.5, 0.25, 0.25)

    References:
        Loshchilov and Hutter 2017, arXiv:1608.03983; torch's ``CosineAnnealingWarmRestarts`` (peak_mult
        1) and Keras ``CosineDecayRestarts``, whose ``t_mul`` is 2 by default and whose cycles are not
        ``rounded``.
    """

    __slots__ = ()

    def __new__(
        cls,
        start: float,
        period: int,
        period_mult: float = 1,
        peak_mult: float = 1.0,
        end: float = 0.0,
        rounded: bool = True,
    ) -> Self:
        return super().__new__(cls, "CosineRestarts", start, period, period_mult, peak_mult, end, rounded)


class Cyclic(Schedule):
    """Triangles between two values: s(t) = low + (high − low)·x·h, or high − (high − low)·x·h inverted.

    x rises from 0 to 1 in ``up`` updates and falls back in ``down``. With c = ⌊t/(up + down)⌋ the height
    h is ``triangular``: 1; ``triangular2``: 2^(−c); ``exp_range``: gamma^t.

    Args:
        low: The value at the foot of each triangle.
        high: The value at the top of the first one, at least ``low``.
        up: The updates of a rise, at least 1.
        down: The updates of a fall, at least 1. None stands for ``up``.
        mode: ``"triangular"``, ``"triangular2"`` or ``"exp_range"``.
        gamma: The factor per update of ``exp_range``, from 0 to 1. The other modes do not use it.
        invert: Whether the triangles hang from ``high`` down, as a momentum's do; see `momentum`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``high`` is below ``low``, or another argument out of its range.

    Example:
        >>> from gradstep.schedules import Cyclic
        >>> s = Cyclic(0.0, 1.0, up=4, mode="triangular2")
        >>> s(0), s(4), s(6), s(8), s(12)
        (0.0, 1.0, 0.5, 0.0, 0.5)

    References:
        Smith 2017, arXiv:1506.01186; torch's ``CyclicLR``, whose momentum is `momentum`.
    """

    __slots__ = ()

    def __new__(
        cls,
        low: float,
        high: float,
        up: int,
        down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        invert: bool = False,
    ) -> Self:
        down = up if down is None else down
        return super().__new__(cls, "Cyclic", low, high, up, down, mode, gamma, invert)

    def momentum(self, low: float = 0.8, high: float = 0.9) -> Cyclic:
        """Give the momentum that goes with this rate: low where the rate is high, and back.

        Args:
            low: The momentum at the top of the first triangle.
            high: The momentum at the foot of each.

        Raises:
            TypeError: If an argument is not a number.
            ValueError: If one is NaN or infinite, or ``high`` below ``low``.

        Example:
            >>> from gradstep.schedules import Cyclic
            >>> rate = Cyclic(0.01, 0.1, up=4)
            >>> momentum = rate.momentum(0.75, 1.0)
            >>> momentum(0), momentum(2), momentum(4), momentum(8)
            (1.0, 0.875, 0.75, 1.0)

        References:
            ``cycle_momentum``, ``base_momentum`` and ``max_momentum`` of torch's ``CyclicLR``.
        """
        return type(self)(**self.params | {"low": low, "high": high, "invert": not self.params["invert"]})
