"""Pictures of range tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradstep.figures import BLUE, GREEN, ORANGE, VERMILLION
from gradstep.plots.canvas import own_figure, wants_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

MARKS = ((VERMILLION, "o", 12), (GREEN, "s", 8), (ORANGE, "D", 4))
"""Colours, shapes and sizes: of marks in one place each is seen."""


def plot_lr_curve(
    lrs: NDArray[np.float64],
    losses: NDArray[np.float64],
    smoothed: NDArray[np.float64],
    marks: Mapping[str, float],
    title: str,
    *,
    ax: Axes | None = None,
    log: bool | None = None,
) -> Axes:
    """Draw the losses of a range test over the rates, marks for some of them; see `gradstep.LRCurve.plot`."""
    axes = ax if ax is not None else own_figure().add_subplot()
    axes.plot(lrs, losses, color="0.7", linewidth=0.8, label="loss")
    axes.plot(lrs, smoothed, color=BLUE, linewidth=1.8, label="smoothed")
    for (name, lr), (colour, marker, size) in zip(marks.items(), MARKS, strict=False):
        height = np.interp(np.log(lr), np.log(lrs), smoothed)
        axes.plot([lr], [height], marker, color=colour, markersize=size, label=f"{name}: {lr:.3g}")
    axes.set_xscale("log")
    if wants_log([smoothed]) if log is None else log:
        axes.set_yscale("log")
    elif losses.size:
        axes.set_ylim(shown(losses, int(smoothed.argmin())))
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss")
    axes.set_title(title, fontsize=9, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend()
    return axes


def shown(losses: NDArray[np.float64], lowest: int) -> tuple[float, float]:
    """Choose the bounds of a linear axis: what diverges would press the rest to the bottom."""
    low, high = float(losses.min()), float(losses[: lowest + 1].max())
    room = (high - low) or abs(high) or 1.0
    return low - 0.05 * room, high + 0.25 * room
