"""How the pictures look: figures, colours, scales, labels, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow, too pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
STYLES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)))
LONGEST_LABEL = 60
NO_MATPLOTLIB = "plots need matplotlib: pip install 'gradstep[plot]'"


def own_figure(labels: Sequence[object] = ()) -> Figure:
    """Make a figure that notebooks show, with room for a legend on the right."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(NO_MATPLOTLIB) from None
    return pyplot.figure(figsize=figure_size(labels), layout="constrained")


def file_formats() -> set[str]:
    """Name the file formats that can be drawn, such as "png".

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(NO_MATPLOTLIB) from None
    return set(Figure().canvas.get_supported_filetypes())


def figure_size(labels: Sequence[object] = ()) -> tuple[float, float]:
    """Give inches that leave room for the labels."""
    room = 0.7 + 0.075 * max(len(brief(label)) for label in labels) if len(labels) > 1 else 0.0
    return 6.4 + room, max(4.0, 0.23 * len(labels) + 1.0)


def look(i: int) -> dict[str, Any]:
    """Give the colour and style of the i-th curve; they repeat after 42."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[i // len(COLOURS) % len(STYLES)]}


def finish(axes: Axes, name: str, log: bool | None, *, grid: bool = True) -> None:
    """Name the axes, choose their scales and draw a light grid."""
    if log is None:
        log = wants_log([np.asarray(line.get_ydata(), float) for line in axes.get_lines()])
    axes.set_yscale("log" if log else "linear")
    axes.margins(x=0)
    if not log:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.6g}")
        low, high = axes.dataLim.intervaly
        if low >= 0 and high > 0:
            # Without ending the autoscaling, which what is drawn later needs.
            axes.set_ylim(bottom=0, auto=None)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.10g}")
    axes.set_xlabel("step")
    axes.set_ylabel(name)
    if grid:
        axes.grid(alpha=0.3)


def wants_log(curves: Sequence[NDArray[np.float64]]) -> bool:
    """Tell whether half of a curve of positive values would be lost at the bottom of a linear axis."""
    finite = [curve[np.isfinite(curve)] for curve in curves]
    values = np.concatenate([np.empty(0), *finite])
    if not values.size or values.min() <= 0:
        return False
    return any(curve.size > 1 and np.median(curve) < 0.02 * values.max() for curve in finite)


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
