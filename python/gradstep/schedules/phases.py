"""Plans of a whole training in phases."""

from __future__ import annotations

from typing import Literal, Self

from gradstep.schedules.base import Schedule


class OneCycle(Schedule):
    """One rise and one long fall: peak/div → peak → peak/div/final_div.

    With N ``steps`` and p = ``pct_start``, the peak is at t = p·N − 1 (which need not be whole) and the
    last value at t = N − 1, where it stays. With ``three_phase`` the value is back at peak/div at
    t = 2·p·N − 2 before the last fall. Between two such points a and b, with x from 0 to 1, it goes by
    ``cos``: b + (a−b)·(1 + cos πx)/2, or ``linear``: a + (b−a)·x.

    Args:
        peak: The largest value.
        steps: N, in updates, at least 1.
        pct_start: p, from 0 to 1: the part of the cycle that rises.
        div: The peak over the first value, above 0.
        final_div: The first value over the last one, above 0.
        anneal: ``"cos"`` or ``"linear"``.
        three_phase: Whether the fall is as long as the rise and the rest of the cycle falls further.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If one is out of its range.

    Example:
        >>> from gradstep.schedules import OneCycle
        >>> s = OneCycle(1.0, steps=100)
        >>> s(0), s(29), round(s(64), 6), s(99)
        (0.04, 1.0, 0.500002, 4e-06)

    References:
        Smith and Topin 2017, arXiv:1708.07120. torch's ``OneCycleLR``, whose momentum is `momentum`; torch
        raises past the end, this holds the last value.
    """

    __slots__ = ()

    def __new__(
        cls,
        peak: float,
        steps: int,
        pct_start: float = 0.3,
        div: float = 25.0,
        final_div: float = 1e4,
        anneal: Literal["cos", "linear"] = "cos",
        three_phase: bool = False,
    ) -> Self:
        return super().__new__(cls, "OneCycle", peak, steps, pct_start, div, final_div, anneal, three_phase)

    def momentum(self, low: float = 0.85, high: float = 0.95) -> OneCycle:
        """Give the momentum that goes with this rate: high → low → high, in the same phases.

        It is a `OneCycle` too, whose peak is ``low`` and whose first and last value are ``high``. In a third
        phase it stays there.

        Args:
            low: The momentum at the peak of the rate, above 0.
            high: The momentum at the first and at the last step, above 0.

        Raises:
            TypeError: If an argument is not a number.
            ValueError: If one is NaN, infinite or not above 0.

        Example:
            >>> from gradstep.schedules import OneCycle
            >>> rate = OneCycle(1.0, steps=100)
            >>> momentum = rate.momentum(0.85, 0.95)
            >>> [round(momentum(t), 4) for t in (0, 29, 64, 99)]
            [0.95, 0.85, 0.9, 0.95]

        References:
            ``cycle_momentum``, ``base_momentum`` and ``max_momentum`` of torch's ``OneCycleLR``.
        """
        if not high > 0:
            raise ValueError(f"high must be above 0, got {high}")
        return type(self)(**self.params | {"peak": low, "div": low / high, "final_div": 1.0})


class WarmupStableDecay(Schedule):
    """Warmup, plateau, decay: peak·(t+1)/(w+1) for t < w, ``peak`` for ``stable`` updates, then a fall.

    The fall goes from t = w + stable, with x from 0 to 1 in ``decay`` updates, as
    end + (peak − end)·f(x), f being ``linear``: 1 − x; ``cosine``: (1 + cos πx)/2; ``sqrt``: 1 − √x. Then
    the value stays at ``end``.

    Args:
        peak: The value of the plateau.
        warmup: w, in updates, at least 0.
        stable: The length of the plateau in updates, at least 0.
        decay: The length of the fall in updates, at least 1.
        end: The last value.
        shape: ``"linear"``, ``"cosine"`` or ``"sqrt"``.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a value is NaN or infinite, a length too small, or ``shape`` not one of the three.

    Example:
        >>> from gradstep.schedules import WarmupStableDecay
        >>> s = WarmupStableDecay(1.0, warmup=3, stable=10, decay=4)
        >>> s(0), s(3), s(13), s(15), s(17)
        (0.25, 1.0, 1.0, 0.5, 0.0)

    References:
        Hu et al. 2024 (MiniCPM), arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392, for 1 − √x.
        transformers' ``get_wsd_schedule`` begins at 0, which wastes the first update.
    """

    __slots__ = ()

    def __new__(
        cls,
        peak: float,
        warmup: int,
        stable: int,
        decay: int,
        end: float = 0.0,
        shape: Literal["linear", "cosine", "sqrt"] = "linear",
    ) -> Self:
        return super().__new__(cls, "WarmupStableDecay", peak, warmup, stable, decay, end, shape)
