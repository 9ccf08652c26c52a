"""The benchmark's speed-ups, drawn with matplotlib (extra `bench`)."""

from itertools import groupby
from pathlib import Path

from gradstep.bench.contenders import OWN, TITLES
from gradstep.bench.results import Results
from gradstep.bench.rules import RULES
from gradstep.figures import BLACK, GREEN, ORANGE, PURPLE, SKY, VERMILLION, save

MARKERS = {
    "numpy": ("o", ORANGE, "full"),
    "numpy-out": ("o", ORANGE, "none"),
    "torch": ("s", VERMILLION, "none"),
    "torch-foreach": ("D", VERMILLION, "none"),
    "torch-fused": ("s", VERMILLION, "full"),
    "numba": ("^", GREEN, "none"),
    "numba-parallel": ("^", GREEN, "full"),
    "numba-unchecked": ("v", SKY, "none"),
    "numba-unchecked-parallel": ("v", SKY, "full"),
    "numba-fastmath": ("P", PURPLE, "none"),
    "numba-fastmath-parallel": ("P", PURPLE, "full"),
}
"""Shape, colour and filling: a colour a library, and filled where it uses all it has."""


MANY_TIMES = 300
"""An axis that spans more has room for the powers of ten only."""


def draw(results: Results, path: Path) -> None:
    """Draw a panel for each workload: how many times gradstep's time each contender takes, rule by rule.

    Args:
        results: what the benchmark found.
        path: the file to write; its suffix is the format.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    panels = [
        (workload, {times.rule.key: times for times in group})
        for workload, group in groupby(results.steps, lambda times: times.workload)
    ]
    rules = [key for key in RULES if any(key in rows for _, rows in panels)]
    figure = Figure(figsize=(max(6.0, 3.1 * len(panels) + 1), 1.9 + 0.42 * len(rules)), layout="constrained")
    drawn = set()
    for i, (workload, rows) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), i + 1)
        for y, rule in enumerate(rules):
            for name, (marker, colour, fill) in MARKERS.items():
                ratio = rows[rule].against(name) if rule in rows else None
                if ratio is None:
                    continue
                axes.plot(
                    ratio,
                    y,
                    marker,
                    color=colour,
                    fillstyle="none" if fill == "none" else "full",
                    markersize=6,
                    label=TITLES[name] if name not in drawn else None,
                )
                drawn.add(name)
        axes.axvline(1, color=BLACK, linewidth=1.2, label=None if i else TITLES[OWN])
        axes.set_xscale("log")
        low, high = min(axes.get_xlim()[0], 0.8), max(axes.get_xlim()[1], 12)
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < MANY_TIMES else (1,)))
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}×")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.tick_params(axis="x", labelsize=8)
        axes.set_ylim(len(rules) - 0.5, -0.5)
        axes.set_yticks(range(len(rules)), [RULES[rule].title for rule in rules] if i == 0 else [])
        axes.grid(alpha=0.3)
        axes.set_title(f"{workload.title}\n{size(len(workload.shapes), workload.elements)}", fontsize=9)
    figure.supxlabel("time of a step over gradstep's (right of the line: gradstep is faster)", fontsize=9)
    figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=9)
    save(figure, path, dpi=110)


def size(tensors: int, elements: int) -> str:
    """Write a workload's size in short.

    Example:
        >>> size(161, 25_557_032), size(1, 1000)
        ('161 tensors, 25.6 M elements', '1 tensor, 1,000 elements')
    """
    count = f"{elements / 1e6:.1f} M" if elements >= 1e6 else f"{elements:,}"
    return f"{tensors} tensor{'s' if tensors > 1 else ''}, {count} elements"
