"""The build fails when a public name has no page."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

import gradstep as gs
from gradstep.optimizers.hypers import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

LOG = logging.getLogger(__name__)
OURS = "gradstep"


def public(module: ModuleType = gs) -> Iterator[tuple[str, Any]]:
    """Name everything that users import, modules of ``__all__`` searched through."""
    for name in module.__all__:
        if name == "__version__":
            continue
        thing = getattr(module, name)
        if isinstance(thing, ModuleType):
            yield from public(thing)
        else:
            yield f"{module.__name__}.{name}", thing


def members(thing: type) -> Iterator[tuple[str, set[str]]]:
    """Name the public methods and properties of a class, and the places where each may be documented.

    A hyperparameter is an argument of its class, and documented there.
    """
    for name in dir(thing):
        owners = [owner for owner in thing.__mro__ if name in vars(owner)]
        # What Python's own classes have, as an exception's `args`, is Python's.
        if name.startswith("_") or not owners[-1].__module__.startswith(OURS):
            continue
        member = inspect.getattr_static(thing, name)
        if not isinstance(member, Attribute) and (
            callable(getattr(thing, name)) or inspect.isdatadescriptor(member)
        ):
            yield name, {cls.__name__ for cls in thing.__mro__}


def attributes(thing: type) -> set[str]:
    """Name what the docstring of a class lists: its attributes, and arguments that it may keep."""
    sections = re.findall(
        r"^(?:Args|Attributes):\n((?:    .*\n|\n)+)", inspect.getdoc(thing) or "", flags=re.MULTILINE
    )
    lines = re.findall(r"^    ([\w, ]+):", "\n".join(sections), flags=re.MULTILINE)
    return {name for line in lines for name in line.split(", ")}


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each public name that no page describes."""
    described = set(env.domains["py"].data["objects"])
    ends = {tuple(name.split(".")[-2:]) for name in described}
    for name, thing in public():
        if name not in described:
            LOG.warning("no page describes %s: docs/site/api.py gives it a place", name)
        if not inspect.isclass(thing):
            continue
        own = attributes(thing)
        for member, classes in members(thing):
            if name in described and member in own:
                continue
            if not any((cls, member) in ends for cls in classes):
                LOG.warning("no page describes %s.%s", name, member)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look when all pages have been read."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
