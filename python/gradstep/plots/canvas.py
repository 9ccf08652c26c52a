"""How the pictures look: figures, colours, scales, labels, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.figures import COLOURS, NO_MATPLOTLIB, STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

LONGEST_LABEL = 60
LARGEST_DRAWN = 1e300
"""matplotlib adds and multiplies what it draws, and near the largest float that makes infinities."""
UNIT_OF_THE_LARGE = 1e100


def own_figure(labels: Sequence[object] = ()) -> Figure:
    """Make a figure that notebooks show, with room for a legend on the right."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(NO_MATPLOTLIB) from None
    return pyplot.figure(figsize=figure_size(labels), layout="constrained")


def figure_size(labels: Sequence[object] = ()) -> tuple[float, float]:
    """Give inches that leave room for the labels."""
    room = 0.7 + 0.075 * max(len(brief(label)) for label in labels) if len(labels) > 1 else 0.0
    return 6.4 + room, max(4.0, 0.23 * len(labels) + 1.0)


def look(i: int) -> dict[str, Any]:
    """Give the colour and style of the i-th curve; they repeat after 42."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[i // len(COLOURS) % len(STYLES)]}


def finish(axes: Axes, name: str, log: bool | None, *, grid: bool = True) -> None:
    """Name the axes, choose their scales and draw a light grid."""
    unit = shrink(axes)
    if log is None:
        log = wants_log(values_of(axes))
    # In a large unit a margin of so many decades might be one too many.
    axes.margins(x=0, y=0 if log and unit != 1.0 else None)
    axes.set_yscale("log" if log else "linear")
    if not log or unit != 1.0:
        axes.yaxis.set_major_formatter(lambda value, _: f"{float(value) * unit:.6g}")
    if not log:
        low, high = axes.dataLim.intervaly
        if low >= 0 and high > 0:
            # Without ending the autoscaling, which what is drawn later needs.
            axes.set_ylim(bottom=0, auto=None)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.10g}")
    axes.set_xlabel("step")
    axes.set_ylabel(name)
    if grid:
        axes.grid(alpha=0.3)


def values_of(axes: Axes) -> list[NDArray[np.float64]]:
    """Give the values of each curve."""
    return [np.asarray(line.get_ydata(), float) for line in axes.get_lines()]


def shrink(axes: Axes) -> float:
    """Draw what is too large in a larger unit, and return the unit that the axis is to count in."""
    curves = values_of(axes)
    if not any(np.any(np.abs(curve[np.isfinite(curve)]) > LARGEST_DRAWN) for curve in curves):
        return 1.0
    for line, curve in zip(axes.get_lines(), curves, strict=True):
        line.set_ydata(curve / UNIT_OF_THE_LARGE)
    axes.relim()
    return UNIT_OF_THE_LARGE


def wants_log(curves: Sequence[NDArray[np.float64]]) -> bool:
    """Tell whether half of a curve of positive values would be lost at the bottom of a linear axis."""
    finite = [curve[np.isfinite(curve)] for curve in curves]
    values = np.concatenate([np.empty(0), *finite])
    if not values.size or values.min() <= 0:
        return False
    low = 0.02 * values.max()
    return any(curve.size > 1 and 2 * np.count_nonzero(curve < low) >= curve.size for curve in finite)


def legend(axes: Axes, sources: Sequence[Axes], *, outside: bool) -> None:
    """Name the curves beside the picture; on a caller's Axes, whose neighbours are unknown, inside it."""
    handles = [line for source in sources for line in source.get_lines()]
    if outside:
        axes.figure.legend(handles=handles, loc="outside right upper", frameon=False)
    else:
        # Of two Axes over each other the later one is on top.
        sources[-1].legend(handles=handles)


def brief(label: object) -> str:
    """Shorten a long name."""
    text = str(label)
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
