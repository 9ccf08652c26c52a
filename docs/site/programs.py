"""Pages of the programs under docs/examples and docs/recipes: what the docstring says, and the program."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def page(path: Path) -> str:
    """Write the page of a program."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    title, _, words = (ast.get_docstring(tree) or path.stem).partition("\n")
    first = tree.body[0]
    body = "\n".join(source.splitlines()[first.end_lineno :]) if isinstance(first, ast.Expr) else source
    # Programs of a gallery are run by a target of their own, and not as the page is read.
    code = f"```{{code-block}} python\n:class: program\n\n{body.strip()}\n```"
    # A folder without a list of its programs has them where a page leads to one.
    head = "" if (path.parent / "README.md").exists() else "---\norphan: true\n---\n\n"
    return (
        f"{head}# {title.rstrip('.')}\n\n`docs/{path.parent.name}/{path.name}`\n\n{prose(words)}\n\n{code}\n"
    )


def prose(text: str) -> str:
    """Write the rest of a docstring: paragraphs; those that are indented are formulas or commands."""
    parts = []
    for part in textwrap.dedent(text).strip("\n").split("\n\n"):
        if all(line.startswith("    ") for line in part.splitlines() if line):
            part = f"```text\n{textwrap.dedent(part)}\n```"
        parts.append(part.strip("\n"))
    return "\n\n".join(parts)
