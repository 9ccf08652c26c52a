"""Pictures of schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep._core import Schedule
from gradstep.figures import save
from gradstep.horizons import default_steps
from gradstep.plots.canvas import brief, figure_size, finish, legend, look, own_figure
from gradstep.plots.sampling import counted, sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

MOST_BINS = 2_000


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
        ImportError: matplotlib is not installed: ``pip install matplotlib``.
        TypeError: ``schedules`` is not a dict of schedules, or ``steps`` not an integer.
        ValueError: ``schedules`` is empty, or ``steps`` out of range.

    Example:
        >>> import gradstep as gs
        >>> from gradstep.schedules import Cosine, Linear
        >>> rates = {"cosine": Cosine(0.1, steps=100), "linear": Linear(0.1, 0.0, steps=100)}
        >>> ax = gs.plot_schedules(rates)  # doctest: +SKIP
    """
    if not hasattr(schedules, "items"):
        raise TypeError(f"schedules must be a dict of schedules by name, got {type(schedules).__name__}")
    for name, schedule in schedules.items():
        if not isinstance(schedule, Schedule):
            raise TypeError(f"schedules[{name!r}] must be a schedule, got {type(schedule).__name__}")
    if not schedules:
        raise ValueError("schedules is empty")
    steps = max(map(default_steps, schedules.values())) if steps is None else counted(steps)
    axes = ax if ax is not None else own_figure(list(schedules)).add_subplot()
    draw_schedules(axes, schedules, steps, log)
    legend(axes, [axes], outside=ax is None)
    return axes


def save_schedules(schedules: Mapping[str, Schedule], steps: int, path: Path) -> None:
    """Draw schedules into a file, without pyplot: no display, no backend and no global state.

    Args:
        schedules: what to draw, by name. The name of a single one is the title.
        steps: how many steps to draw.
        path: the file to write; its suffix is the format.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=figure_size(list(schedules)), layout="constrained")
    axes = figure.add_subplot()
    draw_schedules(axes, schedules, steps)
    if len(schedules) > 1:
        legend(axes, [axes], outside=True)
    else:
        axes.set_title(brief(*schedules), fontsize=10, parse_math=False)
    save(figure, path, dpi=150)


def draw_schedules(
    axes: Axes, schedules: Mapping[str, Schedule], steps: int, log: bool | None = None
) -> None:
    """Draw each schedule in a colour and style of its own."""
    for i, (name, schedule) in enumerate(schedules.items()):
        draw_schedule(axes, schedule, steps, label=brief(name), **look(i))
    finish(axes, "learning rate", log)


def draw_schedule(axes: Axes, schedule: Schedule, steps: int, **line: Any) -> None:
    """Draw a schedule's values, or the bounds of its values where there are too many."""
    t, low, high = sample(schedule, steps, MOST_BINS)
    line.setdefault("marker", "o" if steps == 1 else "")
    if steps <= MOST_BINS:
        axes.plot(t, low, drawstyle="steps-post", **line)
    else:
        axes.plot(np.repeat(t, 2), np.column_stack((low, high)).ravel(), **line)
