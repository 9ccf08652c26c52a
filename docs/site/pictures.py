"""The directives that draw: ``curve`` for schedules, ``path`` for a rule's way down Rosenbrock's valley."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from charts import Chart
from docutils import nodes
from reactions import REACTIONS
from sphinx.util.docutils import SphinxDirective
from valley import valley

import gradstep as gs
from gradstep import expressions
from gradstep.horizons import default_steps

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

MOST_POINTS = 400


def picture(svg: str, caption: str = "", code: bool = False) -> nodes.figure:
    """Put a picture into a figure, with what it shows below it."""
    figure = nodes.figure("", nodes.raw("", svg, format="html"), classes=["drawn"])
    if caption:
        figure += nodes.caption("", "", nodes.literal(caption, caption) if code else nodes.Text(caption))
    return figure


def drawn(values: np.ndarray, description: str, label: str = "updates done") -> str:
    """Draw values over the count of updates."""
    top = float(values.max()) or 1.0
    low = min(0.0, float(values.min()))
    chart = Chart((0, len(values) - 1), (low, low + (top - low) * 1.04))
    kept = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int))
    # A value that jumps does so at one step, and not across the points left out.
    jumps = np.flatnonzero(np.abs(np.diff(values)) > (top - low) / 50)
    kept = np.unique(np.concatenate([kept, jumps, jumps + 1]))
    chart.line((float(t), float(values[t])) for t in kept)
    return chart.svg(description, label)


class Curve(SphinxDirective):
    """Draws a schedule, written as for ``gradstep plot``, at as many steps as show it whole."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"steps": int}

    def run(self) -> list[nodes.Node]:
        text = self.arguments[0]
        schedule = expressions.parse(text)
        values = schedule(np.arange(self.options.get("steps") or default_steps(schedule)))
        return [picture(drawn(values, f"The values of {text}"), text, code=True)]


class Reaction(SphinxDirective):
    """Draws what a feedback schedule makes of a made-up training."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        values, words = REACTIONS[self.arguments[0]]()
        return [picture(drawn(values, words), words)]


class Path(SphinxDirective):
    """Draws how a rule gets down Rosenbrock's valley."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        svg, words = valley(getattr(gs, self.arguments[0]))
        return [picture(svg, words)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the directives known."""
    app.add_directive("curve", Curve)
    app.add_directive("reaction", Reaction)
    app.add_directive("path", Path)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
