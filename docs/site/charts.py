"""Line charts as SVG inside the page, which take its colours, in the light and in the dark."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Points = Iterable[tuple[float, float]]
    Range = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 34


class Chart:
    """A frame with two axes, and what is drawn into it.

    Args:
        x: the range of the horizontal axis.
        y: that of the vertical one; logarithmic, if ``log``.
        size: width and height, in units of the picture.
        log: whether the vertical axis is logarithmic.
    """

    def __init__(self, x: Range, y: Range, size: tuple[int, int] = (440, 240), log: bool = False) -> None:
        self.x, self.y, self.log = x, y, log
        self.width, self.height = size
        self.parts: list[str] = []

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Give the place of a point in the picture."""
        (left, right), (low, high) = self.x, self.y
        if self.log:
            y, low, high = (math.log10(value) for value in (y, low, high))
        across, up = (x - left) / (right - left), (y - low) / (high - low)
        return (
            LEFT + across * (self.width - LEFT - RIGHT),
            self.height - BOTTOM - up * (self.height - TOP - BOTTOM),
        )

    def line(self, points: Points, kind: str = "curve") -> None:
        """Draw a line through points."""
        places = " ".join("{:.1f},{:.1f}".format(*self.place(x, y)) for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{places}"/>')

    def dot(self, x: float, y: float, kind: str) -> None:
        """Mark a point."""
        across, down = self.place(x, y)
        self.parts.append(f'<circle class="{kind}" cx="{across:.1f}" cy="{down:.1f}" r="4"/>')

    def word(self, x: float, y: float, text: str, anchor: str = "start", kind: str = "word") -> None:
        """Write into the picture, at a point of its coordinates."""
        across, down = self.place(x, y)
        self.parts.append(
            f'<text class="{kind}" x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def svg(self, description: str, label: str = "") -> str:
        """Write the picture, with what it shows in words for those who do not see it, and what x is."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        frame = [f'<path class="axis" d="M{LEFT},{TOP}V{bottom}H{right}"/>']
        for value in self.levels():
            y = self.place(self.x[0], value)[1]
            frame.append(f'<path class="grid" d="M{LEFT},{y:.1f}H{right}"/>')
            frame.append(
                f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.6g}</text>'
            )
        for value in steps_of(*self.x):
            x = self.place(value, self.y[0])[0]
            frame.append(f'<path class="axis" d="M{x:.1f},{bottom}v4"/>')
            frame.append(
                f'<text class="tick" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{value:,.6g}</text>'
            )
        if label:
            frame.append(
                f'<text class="tick" x="{right}" y="{self.height - 3}" text-anchor="end">'
                f"{escape(label)}</text>"
            )
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(description, quote=True)}">{"".join(frame + self.parts)}</svg>'
        )

    def levels(self) -> Sequence[float]:
        """Choose where the vertical axis has numbers."""
        if not self.log:
            return steps_of(*self.y, most=4)
        low, high = (math.log10(value) for value in self.y)
        return [10.0**n for n in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]


def steps_of(low: float, high: float, most: int = 5) -> list[float]:
    """Choose round numbers of a range, evenly spaced.

    Example:
        >>> steps_of(0, 1000)
        [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]
