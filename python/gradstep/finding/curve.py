"""What a range test found."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from gradstep.charts import bars, output_encoding
from gradstep.finding.suggestions import Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

WIDTH = 79
ROWS, COLUMNS, MARGIN = 6, 60, 11
"""Of the chart, which is no wider."""


class LRCurve:
    """The losses of a run whose rate rises, as `gradstep.find_lr` makes them.

    Attributes:
        lrs: the rates that were tried, rising.
        losses: the loss of each step before the update with that rate; all are finite.
        smoothed: the same without most of the noise, by local lines under Gaussian weights.
        end: why the run ended before the largest rate, or None.
        trouble: why no rate can be suggested, or None.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> curve = gs.find_lr(np.ones(2), lambda w, t: (0.5, np.zeros(2)))
        >>> curve.trouble
        'the loss is flat: no rate from low to high changes it'
        >>> curve.suggestion
        Traceback (most recent call last):
        ...
        ValueError: no rate can be suggested: the loss is flat: no rate from low to high changes it
    """

    def __init__(
        self,
        lrs: NDArray[np.float64],
        losses: NDArray[np.float64],
        *,
        width: float,
        ceiling: float,
        end: str | None,
    ) -> None:
        self.lrs, self.losses, self.end = lrs, losses, end
        self._shape = Shape(losses, width, ceiling)
        self.smoothed = self._shape.smoothed
        self.trouble = self._shape.trouble
        if self.trouble and end:
            self.trouble += f"; {end}"

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed loss falls fastest.

        Raises:
            ValueError: the curve speaks for no rate; it says why, as ``trouble`` does.
        """
        return self._at(self._shape.steepest)

    @property
    def minimum_tenth(self) -> float:
        """A tenth of the rate at which the smoothed loss is least: as large as is safe.

        Raises:
            ValueError: as `suggestion`.
        """
        return self._at(self._shape.lowest) / 10

    @property
    def valley(self) -> float:
        """The rate in the middle of the fall, on the logarithmic scale: from where a tenth of it is done.

        fastai's ``valley`` is in the middle of the longest sequence of falling losses, which reaches into the
        noise of the smallest rates.

        Raises:
            ValueError: as `suggestion`.
        """
        return self._at(self._shape.middle)

    def _at(self, place: int) -> float:
        if self.trouble:
            raise ValueError(f"no rate can be suggested: {self.trouble}")
        return float(self.lrs[place])

    def plot(self, *, ax: Axes | None = None, log: bool | None = None) -> Axes:
        """Draw the losses over the rates, with the suggestions; needs matplotlib.

        Args:
            ax: where to draw; a new figure by default.
            log: whether the losses have a logarithmic axis. By default they do where all are above 0 and half
                of them would be lost at the bottom of a linear one.

        Returns:
            The Axes. It is never shown; a notebook does that by itself.

        Raises:
            ImportError: matplotlib is not installed: ``pip install matplotlib``.
        """
        from gradstep.plots import plot_lr_curve

        marks = {}
        if self.trouble is None:
            marks = {"suggestion": self.suggestion, "valley": self.valley, "minimum / 10": self.minimum_tenth}
        title = f"no suggestion: {self.trouble}" if self.trouble else ""
        return plot_lr_curve(self.lrs, self.losses, self.smoothed, marks, title, ax=ax, log=log)

    def __len__(self) -> int:
        """The number of steps that were made."""
        return len(self.lrs)

    def __repr__(self) -> str:
        return "\n".join([*self._headline(), *self._chart()])

    def _headline(self) -> list[str]:
        """Say in lines what was tried and what is suggested."""
        tried = f"from {self.lrs[0]:.3g} to {self.lrs[-1]:.3g}" if len(self) else ""
        first = f"LRCurve: {len(self)} rates {tried}" + (
            f"; {self.end}" if self.end and not self.trouble else ""
        )
        if self.trouble:
            second = f"no suggestion: {self.trouble}"
        else:
            second = (
                f"suggestion {self.suggestion:.3g} (^), valley {self.valley:.3g}, "
                f"a tenth of the minimum's {self.minimum_tenth:.3g}"
            )
        return [*textwrap.wrap(first, WIDTH), *textwrap.wrap(second, WIDTH)]

    def _chart(self) -> list[str]:
        """Draw the smoothed losses with characters, over the rates on a logarithmic scale."""
        if len(self) < 2:
            return []
        columns = min(COLUMNS, len(self))
        # Of each column the loss in its middle.
        places = ((np.arange(columns) + 0.5) * len(self) / columns).astype(int)
        values = self.smoothed[places]
        # What diverges is cut off at the top, so that the fall is seen.
        bottom, top = float(values.min()), float(values.max())
        if values[0] > bottom:
            top = min(top, bottom + 1.5 * float(values[0] - bottom))
        names = [f"{top:.4g}", *[""] * (ROWS - 2), f"{bottom:.4g}"]
        rows = bars(values, bottom, top, rows=ROWS, encoding=output_encoding())
        lines = [f"{name:>{MARGIN - 2}} |{row}".rstrip() for name, row in zip(names, rows, strict=True)]
        first, last = f"{self.lrs[0]:.3g}", f"{self.lrs[-1]:.3g}"
        scale = [*f"{first}{last:>{max(0, columns - len(first))}}"]
        if not self.trouble:
            scale[min(self._shape.steepest * columns // len(self), len(scale) - 1)] = "^"
        return [*lines, f"{'lr':>{MARGIN - 2}}  {''.join(scale)}"]
