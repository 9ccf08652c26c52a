"""Pictures of sweeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradstep.plots.canvas import brief, legend, look, own_figure, values_of, wants_log
from gradstep.sweeps.trials import described, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from gradstep.sweeps.summaries import Summary

MANY_TIMES = 10
"""Numbers that span more are drawn on a logarithmic axis."""


def plot_sweep(
    settings: Sequence[Summary],
    metric: str,
    x: str | None = None,
    *,
    ax: Axes | None = None,
    log: bool | None = None,
) -> Axes:
    """Draw the metric of a sweep over one argument; see `gradstep.SweepTable.plot`."""
    if not settings:
        raise ValueError("the sweep has no trials to draw")
    names = list(settings[0].setting)
    if x is None:
        x = argument_to_draw(names, settings)
    elif x not in names:
        raise ValueError(f"the sweep has no argument {x!r}; it has {', '.join(names)}")
    values = distinct([summary.setting[x] for summary in settings])
    numeric = all(map(is_number, values))
    places = {text(value): float(value) if numeric else i for i, value in enumerate(values)}
    curves: dict[str, list[Summary]] = {}
    for summary in settings:
        others = described({name: value for name, value in summary.setting.items() if name != x})
        curves.setdefault(others, []).append(summary)
    axes = ax if ax is not None else own_figure(list(curves)).add_subplot()
    for i, (label, summaries) in enumerate(curves.items()):
        draw(axes, {places[text(one.setting[x])]: one for one in summaries}, label, look(i))
    if numeric and min(places.values()) > 0 and max(places.values()) > MANY_TIMES * min(places.values()):
        axes.set_xscale("log")
    elif not numeric:
        axes.set_xticks(list(places.values()), [brief(name) for name in places])
    if wants_log(values_of(axes)) if log is None else log:
        axes.set_yscale("log")
    mark_failures(axes, settings, x, places)
    axes.set_xlabel(x)
    axes.set_ylabel(f"{metric}, mean and range of the seeds")
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        legend(axes, [axes], outside=ax is None)
    return axes


def draw(axes: Axes, points: dict[float, Summary], label: str, style: dict[str, Any]) -> None:
    """Draw a curve: a line through the means, a band from the least to the largest, a dot for each seed."""
    finite = {place: one for place, one in sorted(points.items()) if math.isfinite(one.score)}
    places = list(finite)
    values = [one.values for one in finite.values()]
    axes.plot(places, [one.score for one in finite.values()], label=brief(label), linewidth=1.6, **style)
    axes.fill_between(
        places, list(map(min, values)), list(map(max, values)), color=style["color"], alpha=0.15, linewidth=0
    )
    axes.scatter(
        [place for place in places for _ in finite[place].values],
        [value for one in values for value in one],
        s=14,
        color=style["color"],
        alpha=0.7,
        linewidth=0,
    )


def mark_failures(axes: Axes, settings: Sequence[Summary], x: str, places: dict[str, float]) -> None:
    """Put a cross at the upper edge where a trial diverged or failed."""
    bad = {
        places[text(one.setting[x])]
        for one in settings
        if any(trial.status in ("diverged", "failed") for trial in one.trials)
    }
    axes.scatter(
        sorted(bad),
        [1.0] * len(bad),
        marker="x",
        color="0.3",
        transform=axes.get_xaxis_transform(),
        clip_on=False,
    )
    if bad:
        axes.set_title("×: a trial diverged or failed", fontsize=9, loc="right", color="0.3")


def argument_to_draw(names: Sequence[str], settings: Sequence[Summary]) -> str:
    """Choose the first argument with several numbers, or else with several values, or else the first one."""
    values = {name: distinct([one.setting[name] for one in settings]) for name in names}
    several = [name for name in names if len(values[name]) > 1]
    numeric = [name for name in several if all(map(is_number, values[name]))]
    return [*numeric, *several, *names][0]


def distinct(values: list[Any]) -> list[Any]:
    """List values that differ, in order."""
    return list({text(value): value for value in values}.values())


def is_number(value: object) -> bool:
    """Tell whether a value has a place on an axis of numbers."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
