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
SIDE_BY_SIDE = 0.12
FAR_ABOVE = 1000.0
"""What is so many times the median is out of the picture."""


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
    top = highest(settings)
    for i, (label, summaries) in enumerate(curves.items()):
        # What has no order has no line, and what would stand over each other stands side by side.
        aside = 0.0 if numeric else SIDE_BY_SIDE * (i - (len(curves) - 1) / 2)
        style = look(i) | ({} if numeric else {"linestyle": "", "marker": "D", "markersize": 7})
        points = {places[text(one.setting[x])] + aside: one for one in summaries}
        draw(axes, points, label, style, connected=numeric, top=10 * top)
    if not numeric:
        axes.set_xticks(list(places.values()), [brief(name) for name in places])
        axes.set_xlim(-0.5, len(places) - 0.5)
    elif min(places.values()) > 0 and max(places.values()) > MANY_TIMES * min(places.values()):
        axes.set_xscale("log")
    # A loss that comes to 0 has no place on a logarithmic axis, and is no reason for another one.
    shown = [values[(values != 0) & (values <= top)] for values in values_of(axes)]
    if wants_log(shown) if log is None else log:
        axes.set_yscale("log")
    if axes.dataLim.y1 > top:
        axes.set_ylim(top=top)
    mark_failures(axes, settings, x, places)
    axes.set_xlabel(x)
    axes.set_ylabel(f"{metric}, mean and range of the seeds")
    axes.grid(alpha=0.3)
    if len(curves) > 1:
        legend(axes, [axes], outside=ax is None)
    return axes


def draw(
    axes: Axes,
    points: dict[float, Summary],
    label: str,
    style: dict[str, Any],
    *,
    connected: bool,
    top: float,
) -> None:
    """Draw a curve: the means, a band or bars from the least value to the largest, a dot for each seed.

    What is above ``top`` is drawn there, out of sight: a line leads to it.
    """
    finite = {place: one for place, one in sorted(points.items()) if math.isfinite(one.score)}
    places = list(finite)
    values = [[min(value, top) for value in one.values] for one in finite.values()]
    low, high = list(map(min, values)), list(map(max, values))
    axes.plot(
        places, [min(one.score, top) for one in finite.values()], label=brief(label), linewidth=1.6, **style
    )
    if connected:
        axes.fill_between(places, low, high, color=style["color"], alpha=0.15, linewidth=0)
    else:
        axes.vlines(places, low, high, color=style["color"], linewidth=1.2)
    axes.scatter(
        [place for place, one in zip(places, values, strict=True) for _ in one],
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
    if bad:
        axes.scatter(
            sorted(bad),
            [1.0] * len(bad),
            marker="x",
            color="0.3",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            zorder=3,
        )
        axes.update_datalim([(place, 0.0) for place in bad], updatey=False)
        axes.autoscale_view(scaley=False)
        axes.set_title("×: a trial diverged or failed", fontsize=9, loc="right", color="0.3")


def highest(settings: Sequence[Summary]) -> float:
    """Choose up to where values are drawn: a loss that has diverged would press the others together."""
    scores = sorted(one.score for one in settings if math.isfinite(one.score))
    usual = scores[len(scores) // 2] if scores else 0.0
    return FAR_ABOVE * usual if usual > 0 else math.inf


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
