"""The directives that ask the package: what `like` sets, what state a rule keeps, what a command prints."""

from __future__ import annotations

import inspect
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from gradstep.optimizers.dialects import DIALECTS, dialect
from gradstep.signatures import RULES, Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def written(value: object) -> str:
    """Write a number as people do, anything else as Python does."""
    return f"{value:g}" if isinstance(value, float) else repr(value)


class Written(SphinxDirective):
    """A directive that writes reStructuredText; in Markdown it stands inside of ``eval-rst``."""

    def parsed(self, lines: Iterable[str]) -> list[nodes.Node]:
        box = nodes.container()
        self.state.nested_parse(StringList(list(lines), source=f"<{self.name}>"), self.content_offset, box)
        return list(box.children)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (heads, *rows):
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    return lines


class Libraries(Written):
    """Tabulates what ``like`` sets for a rule, library by library."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        having = [library for library, rules in DIALECTS.items() if name in rules]
        if not having:
            return self.parsed([f"No library that ``like`` knows has a ``{name}`` of its own."])
        rows = []
        for library in having:
            given = [f"``{key}={written(value)}``" for key, value in dialect(name, library, {}).items()]
            rows.append(
                [f'``gs.{name}.like("{library}")``', ", ".join(given) or "nothing: it is as the class"]
            )
        return self.parsed(["", *table(["call", "what it sets"], rows), ""])


class Costs(Written):
    """Tabulates all rules: what each is, the numbers kept for each parameter, and its default rate."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for name in sorted(RULES, key=lambda name: RULES[name].lower()):
            rule = Signature(name)
            summary = (inspect.getdoc(rule.optimizer) or "").partition("\n")[0]
            state = [slot for slot in rule.slots if slot != "scalars"]
            optional = (
                f"; {', '.join(f'``{slot}``' for slot in rule.optional)} by option" if rule.optional else ""
            )
            kept = f"{len(state)}: {', '.join(f'``{slot}``' for slot in state)}" if state else "0"
            rows.append(
                [
                    f":py:class:`~gradstep.{RULES[name]}`",
                    summary,
                    f"{kept}{optional}",
                    f"``{written(rule.options['lr'])}``",
                ]
            )
        heads = ["rule", "in a line", "state, each as large as the parameter", "default ``lr``"]
        return self.parsed(["", *table(heads, rows), ""])


class Command(SphinxDirective):
    """Shows a command with what it prints; the build fails if it does."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"fails": int}

    def run(self) -> list[nodes.Node]:
        command = self.arguments[0]
        words = shlex.split(command)
        if words[0] != "gradstep":
            raise self.error(f"{words[0]} is not gradstep")
        plain = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            encoding="utf-8",
            env=plain,
            timeout=120,
            check=False,
        )
        if done.returncode != self.options.get("fails", 0):
            raise self.error(f"{command}: exit status {done.returncode}\n{done.stderr}")
        text = f"$ {command}\n{done.stdout}{done.stderr}".replace(sys.executable, "python").rstrip()
        return [nodes.literal_block(text, text, language="text", classes=["command"])]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the directives known."""
    app.add_directive("libraries", Libraries)
    app.add_directive("costs", Costs)
    app.add_directive("command", Command)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
