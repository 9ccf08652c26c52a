"""What docstrings and signatures need on their way to a page."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import GoogleDocstring
from sphinx.util.docstrings import prepare_docstring

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

#: Names of annotations, which a type checker reads where they come from, and their pages.
MEANT = {
    "Floats": "gradstep.types.Floats",
    "State": "gradstep.optimizers.states.State",
    "Slots": "gradstep.optimizers.states.State",
    "gradstep.optimizers.states.Slots": "gradstep.optimizers.states.State",
    "Trial": "gradstep.sweeps.Trial",
    "Arrays": "gradstep.types.Arrays",
    "Indices": "gradstep.types.Indices",
    "Grads": "gradstep.Grads",
    "Options": "gradstep.Optimizer",
    "Params": "gradstep.Params",
    "Rate": "gradstep.Rate",
    "Resumable": "gradstep.Optimizer",
    "_core.Optimizer": "gradstep.Optimizer",
    "_core.Schedule": "gradstep.schedules.Schedule",
    "Schedule": "gradstep.schedules.Schedule",
    "Optimizer": "gradstep.Optimizer",
}


def read_property(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Read a property's docstring as that of a method, with sections, and not as "type: words"."""
    if what == "property" or inspect.isgetsetdescriptor(thing):
        own = prepare_docstring(thing.__doc__ or "")
        lines[:] = str(GoogleDocstring(own, app.config, app, "method", name, thing, options)).split("\n")


def keep_letters(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Keep a description such as ``m.`` from becoming a list, and names from becoming a type."""
    for i, line in enumerate(lines):
        if found := re.match(r":ivar ([\w, ]+):", line):
            lines[i] = line.replace(found[1], found[1].replace(", ", ","), 1)
    lines[:] = [re.sub(r"^(\s*:[^:]+: \w{1,2})\.$", r"\1\.", line) for line in lines]


def find(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.reference | None:
    """Lead a name of an annotation to its page."""
    if node.get("refdomain") != "py" or (target := MEANT.get(node["reftarget"])) is None:
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, text)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Come after napoleon."""
    app.connect("autodoc-process-docstring", read_property, priority=600)
    app.connect("autodoc-process-docstring", keep_letters, priority=700)
    app.connect("missing-reference", find)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
