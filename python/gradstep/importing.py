"""Names of packages that are imported when they are first asked for: most programs want few of them."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


promised: dict[str, Mapping[str, str]] = {}
"""For each package, the module that has each name that comes later."""


def later(package: str, found: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package.

    Args:
        package: its name.
        found: the module that has each name; the name itself where it is a module.
    """
    promised[package] = found

    def find(name: str) -> Any:
        """Import what few programs want, when they want it."""
        where = found.get(name)
        if where is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return place(package, name, where)

    return find


def place(package: str, name: str, where: str) -> Any:
    """Put what a package promised there, and return it."""
    module = import_module(f"{package}.{where}")
    value = module if name == where else getattr(module, name)
    setattr(sys.modules[package], name, value)
    return value


@cache
def bring(*modules: str) -> None:
    """Put in place all that packages promised of some modules.

    When it is asked for may be too late: in the handler of a signal that came in the midst of the import, in
    a child that was forked then, while the interpreter ends, or when the package has been upgraded meanwhile.
    What there is no memory for now is tried once more when it is asked for.
    """
    with suppress(ImportError, MemoryError, OSError):
        for package, found in promised.items():
            for name, where in found.items():
                if f"{package}.{where}" in modules:
                    place(package, name, where)
