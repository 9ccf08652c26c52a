"""The reference: everything public that has no page among the rules and the schedules."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gradstep import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASS = ".. autoclass:: {}\n   :members:\n   :inherited-members: {}\n"
#: What classes have from these is described there.
ELSEWHERE = "Schedule, Mapping, object, ValueError, Warning, UserWarning, Exception, str, dict"

PAGES = {
    "optimizers": (
        "What every optimizer has",
        "gradstep",
        ["Optimizer", "Rows", "Packed", "optimizers.states.State"],
        "gradstep.optimizers",
    ),
    "functional": ("Updates of one array", "gradstep.functional", functional.__all__, "gradstep.functional"),
    "schedules": (
        "What every schedule has",
        "gradstep.schedules",
        ["Schedule", "like", "layerwise"],
        "gradstep.schedules",
    ),
    "feedback": ("What reacts to training", "gradstep.feedback", ["Feedback"], "gradstep.feedback"),
    "training": ("Around a training", "gradstep", ["EarlyStopping", "History", "plot_schedules"], ""),
    "rates": (
        "Finding rates",
        "gradstep",
        ["find_lr", "LRCurve", "sweep", "SweepTable", "sweeps.Trial", "sweeps.summaries.Summary"],
        "",
    ),
    "minimizing": ("Minimizing functions", "gradstep", ["minimize", "scipy_method"], ""),
    "saving": (
        "Saving and loading",
        "gradstep",
        ["save", "load", "from_torch_state_dict", "to_torch_state_dict"],
        "",
    ),
    "threads": ("Threads", "gradstep", ["get_num_threads", "set_num_threads", "num_threads"], ""),
    "types": (
        "Types for annotations",
        "gradstep",
        ["Params", "Grads", "Rate", "types.Floats", "types.Indices", "types.Arrays"],
        "",
    ),
    "errors": (
        "Errors and warnings",
        "gradstep",
        ["NonFiniteError", "CheckpointError", "CheckpointWarning", "DetachedParameterWarning"],
        "",
    ),
}
#: Parts that a checkout may have, by their module; all that they name is described.
PARTS = {"mpi": "Many machines", "torch": "For torch's users"}

INDEX = """\
# Reference

Every public name, from its docstring. The [rules](../rules/index.md) and the
[schedules](../schedules/index.md) have pages of their own.

```{{toctree}}
:maxdepth: 1

{names}
```
"""


def entry(module: str, name: str) -> str:
    """Write the directive that describes a name."""
    thing: object = import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part)
    full = f"{module}.{name}"
    if name.rpartition(".")[2] in ("Params", "Grads", "Rate", "Floats", "Indices", "Arrays"):
        return f".. autodata:: {full}\n   :no-value:\n"
    if isinstance(thing, type):
        return CLASS.format(full, "object" if name == "Schedule" else ELSEWHERE)
    return f".. autofunction:: {full}\n"


def page(title: str, module: str, names: list[str], about: str) -> str:
    """Write a page."""
    head = f"{title}\n{'=' * len(title)}\n"
    parts = [head]
    if about:
        parts.append(f".. automodule:: {about}\n   :no-members:\n")
    parts.append(f".. py:currentmodule:: {module}\n")
    return "\n".join(parts + [entry(module, name) for name in names])


def pages() -> Iterator[tuple[str, str]]:
    """Write all pages, those of optional parts if they are here."""
    found = dict(PAGES)
    for part, title in PARTS.items():
        try:
            module = import_module(f"gradstep.{part}")
        except ModuleNotFoundError:
            continue
        found[part] = (title, module.__name__, list(module.__all__), module.__name__)
    for key, described in found.items():
        yield f"reference/{key}.rst", page(*described)
    yield "reference/index.md", INDEX.format(names="\n".join(found))
