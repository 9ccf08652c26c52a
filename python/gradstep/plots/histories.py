"""Pictures of what a training run did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradstep.figures import COLOURS, STYLES, save
from gradstep.plots.canvas import brief, figure_size, finish, legend, look, own_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

RIGHT_STYLE = (0, (4, 2))
NAMES = {"lr": "learning rate", "grad_norm": "gradient norm"}
FEW_POINTS = 50
"""A curve of fewer points has markers."""


def plot_history(
    columns: Mapping[str, tuple[Sequence[int], Sequence[float]]],
    *,
    ax: Axes | None = None,
    log: bool | None = None,
) -> Axes:
    """Draw columns of a history, each with its steps and values; see `gradstep.History.plot`."""
    names = list(columns)
    if not names:
        raise ValueError("history is empty")
    rates = [name for name in names if is_rate(name)]
    left = [name for name in names if name not in rates] or rates
    right = [name for name in rates if name not in left]
    curves = [(name, *columns[name]) for name in left + right]
    labels = [NAMES.get(name, name) + (" (right)" if name in right else "") for name in left + right]
    axes = ax if ax is not None else own_figure(labels).add_subplot()
    right_axes = axes.twinx() if right else axes
    for i, (label, (name, steps, values)) in enumerate(zip(labels, curves, strict=True)):
        line = look(i) | {"marker": "." if len(steps) < FEW_POINTS else "", "linewidth": 1.2}
        if name in right:
            right_axes.plot(steps, values, label=label, **line | {"linestyle": RIGHT_STYLE})
        else:
            axes.plot(steps, values, label=label, **line)
    finish(axes, NAMES.get(left[0], left[0]) if len(left) == 1 else title(left), log)
    if right:
        finish(right_axes, "learning rate", log=False, grid=False)
    if len(names) > 1:
        legend(axes, [axes, right_axes] if right else [axes], outside=ax is None)
    return axes


def draw_runs(axes: Axes, runs: Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[float]]]]) -> None:
    """Draw columns of several histories: a colour for each run, a style for each column."""
    columns = list(dict.fromkeys(column for run in runs.values() for column in run))
    for i, (run, series) in enumerate(runs.items()):
        for column, (steps, values) in series.items():
            style: dict[str, Any] = {
                "color": COLOURS[i % len(COLOURS)],
                "linestyle": STYLES[(columns.index(column) + i // len(COLOURS)) % len(STYLES)],
                "marker": "." if len(steps) < FEW_POINTS else "",
                "linewidth": 1.2,
            }
            label = run if len(columns) == 1 else f"{run}: {NAMES.get(column, column)}"
            axes.plot(steps, values, label=brief(label), **style)
    finish(axes, NAMES.get(columns[0], columns[0]) if len(columns) == 1 else title(columns), log=None)
    legend(axes, [axes], outside=True)


def save_runs(runs: Mapping[str, Mapping[str, tuple[Sequence[int], Sequence[float]]]], path: Path) -> None:
    """Draw histories into a file, without pyplot: of a single one its rates too, on the right.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    names = [f"{run}: {column}" for run, series in runs.items() for column in series]
    figure = Figure(figsize=figure_size(names if len(runs) > 1 else ()), layout="constrained")
    axes = figure.add_subplot()
    if len(runs) == 1:
        ((name, columns),) = runs.items()
        plot_history(columns, ax=axes)
        axes.set_title(brief(name), fontsize=10, parse_math=False)
    else:
        draw_runs(axes, runs)
    save(figure, path, dpi=150)


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
