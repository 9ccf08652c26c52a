"""Pictures of schedules and of training runs, drawn with matplotlib (extra `plot`).

matplotlib is imported inside the functions. Every function takes ``ax`` and returns the Axes that it drew on,
shows nothing and changes no settings. Without ``ax`` it makes a figure with pyplot, as pandas does, which
notebooks show by themselves and which works without a display too.
"""

from __future__ import annotations

from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.horizons import MOST_STEPS, default_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gradstep.history import History
    from gradstep.schedules import Schedule

__all__ = ["plot_history", "plot_schedule", "plot_schedules"]

# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow, too pale for lines.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
STYLES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)))
NAMES = {"lr": "learning rate", "grad_norm": "gradient norm"}

MOST_EVALUATIONS = 1_000_000
MOST_BINS = 2_000
FEW_POINTS = 50
"""A curve of fewer points has markers."""
LONGEST_LABEL = 60


def plot_schedule(
    schedule: Schedule,
    steps: int | None = None,
    *,
    ax: Axes | None = None,
    log: bool | None = None,
    **line: Any,
) -> Axes:
    """Draw one schedule; see `plot_schedules`. ``line`` goes to ``Axes.plot``."""
    steps = default_steps(schedule) if steps is None else counted(steps)
    axes = ax if ax is not None else own_figure().add_subplot()
    draw_schedule(axes, schedule, steps, **line)
    finish(axes, "learning rate", log)
    if "label" in line:
        axes.legend()
    return axes


def plot_schedules(
    schedules: Mapping[str, Schedule],
    steps: int | None = None,
    *,
    ax: Axes | None = None,
    log: bool | None = None,
) -> Axes:
    """Draw several schedules in one picture, with a legend.

    Each is drawn at t = 0, 1, …, steps−1. A curve of more than 2,000 steps is drawn by the least and the
    largest value in each of 2,000 stretches, so that no peak is lost; above a million steps those are of a
    million values.

    Args:
        schedules: what to draw, by the names for the legend.
        steps: how many steps to draw, from 1 to 2⁵³. By default enough to show all of them whole.
        ax: the Axes to draw on; a new figure by default.
        log: whether the values have a logarithmic axis. By default they do if all are above 0, and on a
            linear one at least half of a curve would lie within 2 % of the bottom.

    Returns:
        The Axes.

    Raises:
        ImportError: matplotlib is not installed: ``pip install 'gradstep[plot]'``.
        TypeError: ``schedules`` is not a dict of schedules, or ``steps`` not an integer.
        ValueError: ``schedules`` is empty, or ``steps`` out of range.

    Example:
        >>> import gradstep as gs
        >>> from gradstep.schedules import Cosine, Linear
        >>> rates = {"cosine": Cosine(0.1, steps=100), "linear": Linear(0.1, 0.0, steps=100)}
        >>> ax = gs.plot_schedules(rates)  # doctest: +SKIP
    """
    from gradstep.schedules import Schedule

    if not hasattr(schedules, "items"):
        raise TypeError(f"schedules must be a dict of schedules by name, got {type(schedules).__name__}")
    for name, schedule in schedules.items():
        if not isinstance(schedule, Schedule):
            raise TypeError(f"schedules[{name!r}] must be a schedule, got {type(schedule).__name__}")
    if not schedules:
        raise ValueError("schedules is empty")
    steps = max(map(default_steps, schedules.values())) if steps is None else counted(steps)
    labels = [brief(str(name)) for name in schedules]
    axes = ax if ax is not None else own_figure(labels).add_subplot()
    for i, (label, schedule) in enumerate(zip(labels, schedules.values(), strict=True)):
        draw_schedule(axes, schedule, steps, label=label, **look(i))
    finish(axes, "learning rate", log)
    legend(axes, [axes], outside=ax is None)
    return axes


def plot_history(
    history: History, columns: Sequence[str] = (), *, ax: Axes | None = None, log: bool | None = None
) -> Axes:
    """Draw columns of a history; see `History.plot`."""
    names = list(columns) or shown_by_default(history.columns)
    if not names:
        raise ValueError("history is empty")
    curves = [(name, *history.series(name)) for name in names]
    axes = ax if ax is not None else own_figure(names).add_subplot()
    rates = [name for name in names if is_rate(name)]
    left = [name for name in names if name not in rates] or rates
    right_axes = axes.twinx() if len(left) < len(names) else axes
    for i, (name, steps, values) in enumerate(curves):
        marker = "." if len(steps) < FEW_POINTS else ""
        # Behind the other curves, and thinner.
        behind: dict[str, Any] = {"linewidth": 1.0, "alpha": 0.8} if name not in left else {}
        where = axes if name in left else right_axes
        where.plot(steps, values, label=NAMES.get(name, name), marker=marker, **look(i), **behind)
    finish(axes, NAMES.get(left[0], left[0]) if len(left) == 1 else title(left), log)
    if right_axes is not axes:
        finish(right_axes, "learning rate", log=False, grid=False)
    if len(names) > 1:
        legend(axes, [axes, right_axes] if right_axes is not axes else [axes], outside=ax is None)
    return axes


def shown_by_default(columns: Sequence[str]) -> list[str]:
    """Choose the losses and the learning rates, or all if there is no loss."""
    losses = [name for name in columns if "loss" in name.lower()]
    return [name for name in columns if name in losses or is_rate(name)] if losses else list(columns)


def is_rate(name: str) -> bool:
    """Tell whether a column is a learning rate."""
    return name == "lr" or name.startswith("lr.")


def title(names: Sequence[str]) -> str:
    """Name an axis of several columns."""
    if all(is_rate(name) for name in names):
        return "learning rate"
    return "loss" if all("loss" in name.lower() for name in names) else "value"


def counted(steps: int) -> int:
    """Check a number of steps."""
    try:
        count = index(steps)
    except TypeError:
        raise TypeError(f"steps must be an integer, got {type(steps).__name__}") from None
    if not 1 <= count <= MOST_STEPS:
        raise ValueError(f"steps must be from 1 to 2**53, got {count}")
    return count


def sample(
    schedule: Schedule, steps: int, bins: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the first t, the least and the largest value of each of at most ``bins`` stretches of t."""
    count = min(steps, MOST_EVALUATIONS)
    t = np.arange(steps) if count == steps else np.linspace(0, steps - 1, count).astype(np.int64)
    values = schedule(t)
    starts = np.arange(min(bins, count)) * count // min(bins, count)
    return t[starts], np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)


def draw_schedule(axes: Axes, schedule: Schedule, steps: int, **line: Any) -> None:
    """Draw a schedule's values, or the bounds of its values where there are too many."""
    t, low, high = sample(schedule, steps, MOST_BINS)
    line.setdefault("marker", "o" if steps == 1 else "")
    if steps <= MOST_BINS:
        axes.plot(t, low, drawstyle="steps-post", **line)
    else:
        axes.plot(np.repeat(t, 2), np.column_stack((low, high)).ravel(), **line)


def own_figure(labels: Sequence[str] = ()) -> Figure:
    """Make a figure that notebooks show, with room for a legend on the right."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'gradstep[plot]'") from None
    return pyplot.figure(figsize=figure_size(labels), layout="constrained")


def figure_size(labels: Sequence[str] = ()) -> tuple[float, float]:
    """Give inches that leave room for the labels."""
    room = 0.7 + 0.075 * max(map(len, labels)) if len(labels) > 1 else 0.0
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
        if 0 <= low < high:
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
        axes.legend(handles=handles)


def brief(label: str) -> str:
    """Shorten a long name."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
