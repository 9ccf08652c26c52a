"""Draws docs/images/speed.svg from docs/benchmarks.md: who takes how long for a step, in three seconds.

    python docs/site/speed_picture.py

Few bars, each with its name and its time beside it. It is readable by itself and inside the site, in the
light and in the dark.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from measured import DOCS, Workload, shown, workloads

FILE = DOCS / "images" / "speed.svg"
RULE = "Adam"
WHO = ("gradstep", "NumPy, in place", "torch, fused", "NumPy, textbook")
SHOWN = {"RL policy": "A small policy network", "ResNet-50": "ResNet-50"}
WIDTH, ROW, BAR, HEAD, LEFT, RIGHT = 720, 30, 18, 58, 150, 170

STYLE = """
.speed {
  --ink: var(--pst-color-text-base, #222832); --soft: var(--pst-color-text-muted, #48566b);
  --own: var(--pst-color-primary, #0a7d91); --other: var(--pst-color-border, #c9c9c9);
  max-width: 100%; height: auto;
}
@media (prefers-color-scheme: dark) {
  .speed {
    --ink: var(--pst-color-text-base, #ced6dd); --soft: var(--pst-color-text-muted, #9ca4af);
    --own: var(--pst-color-primary, #3fb1c5); --other: var(--pst-color-border, #48566b);
  }
}
.speed text { font-family: system-ui, sans-serif; font-size: 15px; fill: var(--ink); }
.speed .title { font-weight: 600; font-size: 17px; } .speed .size { fill: var(--soft); }
.speed .own { fill: var(--own); font-weight: 600; } .speed rect.other { fill: var(--other); }
"""


class Row(NamedTuple):
    """A bar: whose, how long, and what stands beside it."""

    who: str
    time: float
    words: str


def rows(workload: Workload) -> list[Row]:
    """Give the bars of a workload."""
    own = workload.of("gradstep", RULE)
    bars = [Row("gradstep", own, shown(own))]
    for who in WHO[1:]:
        times = workload.of(who, RULE)
        bars.append(Row(who, own * times, f"{shown(own * times)}, {times:.3g}×"))
    return sorted(bars, key=lambda row: row.time)


def panel(workload: Workload, top: int) -> str:
    """Draw the bars of a workload."""
    bars = rows(workload)
    longest = max(row.time for row in bars)
    parts = [
        f'<text class="title" x="0" y="{top + 20}">{escape(SHOWN[workload.title])}'
        f'<tspan class="size" font-weight="400" dx="10">{escape(workload.size)}</tspan></text>'
    ]
    for i, row in enumerate(bars):
        y, kind = top + 34 + i * ROW, "own" if row.who == "gradstep" else "other"
        length = max(2.0, row.time / longest * (WIDTH - LEFT - RIGHT))
        parts.append(
            f'<text class="{kind}" x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(row.who)}</text>'
        )
        parts.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>')
        parts.append(
            f'<text class="{kind}" x="{LEFT + length + 8:.1f}" y="{y + 14}">{escape(row.words)}</text>'
        )
    return "".join(parts)


def picture() -> str:
    """Draw the picture."""
    measured = {workload.title: workload for workload in workloads()}
    chosen = [measured[title] for title in SHOWN]
    height = HEAD - 20 + len(chosen) * (34 + len(WHO) * ROW + 16)
    panels = [panel(workload, 38 + i * (34 + len(WHO) * ROW + 16)) for i, workload in enumerate(chosen)]
    words = f"The time of one step of {RULE}: shorter is better"
    return (
        f'<svg class="speed" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" role="img" '
        f'aria-label="{escape(words)}"><style>{STYLE}</style>'
        f'<text class="size" x="0" y="16">{escape(words)}</text>{"".join(panels)}</svg>\n'
    )


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
    print(FILE)
