"""What every schedule can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gradstep import _core

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Schedule(_core.Schedule):
    """What every schedule can do. Not made directly: use one of its subclasses.

    Raises:
        TypeError: On call, if t is neither an integer nor an integer array.
        ValueError: On call, if t is negative, or not below 2⁶³.

    Example:
        >>> from gradstep.schedules import Constant, Cosine
        >>> s = Cosine(1.0, steps=4).then(Constant(0.25), at=3)
        >>> [round(s(t), 3) for t in range(5)]
        [1.0, 0.854, 0.5, 0.25, 0.25]
        >>> (0.5 * s)(4)
        0.125
    """

    __slots__ = ()

    # NumPy scalars and arrays on the left of ``*`` leave it to us instead of looking for elements.
    __array_ufunc__ = None

    _compositions: ClassVar[dict[str, Callable[..., Schedule]]] = {}
    """What the methods make, by the method. These classes derive from this one, so they enter themselves."""

    def __init_subclass__(cls, method: str | None = None) -> None:
        super().__init_subclass__()
        if method is not None:
            Schedule._compositions[method] = cls

    def then(self, b: Schedule, at: int) -> Schedule:
        """Give way to ``b`` at t = ``at``; b sees t − at. See `Join`."""
        return self._compositions["then"]((self, b), (at,))

    def warmup(
        self,
        steps: int,
        start: float | None = None,
        shape: Literal["linear", "cosine", "exponential", "sqrt"] = "linear",
    ) -> Schedule:
        """Rise to the first value in ``steps`` updates, then begin. See `Warmup`."""
        return self._compositions["warmup"](self, steps, start, shape)

    def cooldown(
        self,
        total: int,
        fraction: float = 0.2,
        end: float = 0.0,
        shape: Literal["linear", "cosine", "sqrt"] = "linear",
    ) -> Schedule:
        """Fall to ``end`` in the last ``fraction`` of ``total`` updates. See `Cooldown`."""
        return self._compositions["cooldown"](self, total, fraction, end, shape)

    def clip(self, low: float, high: float) -> Schedule:
        """Hold every value between ``low`` and ``high``. See `Clip`."""
        return self._compositions["clip"](self, low, high)

    def every(self, k: int) -> Schedule:
        """Advance once every ``k`` updates, as an epoch-wise schedule does. See `Every`."""
        return self._compositions["every"](self, k)

    def stride(self, k: int) -> Schedule:
        """Advance by ``k`` steps in every update, as a schedule of samples does. See `Stride`."""
        return self._compositions["stride"](self, k)

    def shift(self, n: int) -> Schedule:
        """Begin ``n`` updates into the schedule. See `Shift`."""
        return self._compositions["shift"](self, n)

    def repeat(self, period: int) -> Schedule:
        """Begin again every ``period`` updates. See `Repeat`."""
        return self._compositions["repeat"](self, period)

    def plot(
        self, steps: int | None = None, ax: Axes | None = None, log: bool | None = None, **line: Any
    ) -> Axes:
        """Draw the schedule; needs matplotlib (``pip install matplotlib``).

        Args:
            steps: How many steps to draw, from t = 0. By default enough to show the schedule whole.
            ax: The Axes to draw on; a new figure by default.
            log: Whether the values have a logarithmic axis. By default it depends on the values; see
                `gradstep.plot_schedules`, which draws several schedules in one picture.
            line: What ``Axes.plot`` takes, such as ``label`` or ``color``.

        Returns:
            The Axes. It is never shown; a notebook does that by itself.

        Raises:
            ImportError: If matplotlib is not installed.
            TypeError: If ``steps`` is not an integer.
            ValueError: If ``steps`` is below 1 or above 2⁵³.
        """
        from gradstep.plots import plot_schedule

        return plot_schedule(self, steps, ax=ax, log=log, **line)

    def __mul__(self, other: Schedule | float) -> Schedule:
        """Multiply by a schedule or a number. See `Product`."""
        return self._compositions["__mul__"](self, other)

    __rmul__ = __mul__

    def __add__(self, other: Schedule | float) -> Schedule:
        """Add a schedule or a number. See `Sum`."""
        return self._compositions["__add__"](self, other)

    __radd__ = __add__

    def __pow__(self, exponent: float) -> Schedule:
        """Raise to a power. See `Power`."""
        return self._compositions["__pow__"](self, exponent)
