"""The directives that show what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from measured import RIVALS, machine, shown, workloads
from sphinx.util.docutils import SphinxDirective
from tables import Written, table

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class Speeds(Written):
    """Tabulates a rule on every workload: gradstep's time, and how many times that the others take."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        rule = self.arguments[0]
        rows = [
            [
                f"{workload.title}: {workload.size}",
                shown(workload.of("gradstep", rule)),
                *(f"{workload.of(who, rule):.3g}×" if rule in workload.times[who] else "–" for who in RIVALS),
                f"{workload.best_numba(rule):.3g}×",
            ]
            for workload in workloads()
        ]
        return self.parsed(
            ["", *table([f"a step of {rule}", "gradstep", *RIVALS, "numba, the best of six"], rows), ""]
        )


class Machine(SphinxDirective):
    """Says what the benchmarks were measured on."""

    def run(self) -> list[nodes.Node]:
        return [nodes.paragraph("", f"Measured on: {machine()}.")]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the directives known."""
    app.add_directive("speeds", Speeds)
    app.add_directive("machine", Machine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
