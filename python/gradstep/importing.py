"""Names of packages that are imported when they are first asked for: most programs want few of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def later(package: str, found: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a package.

    Args:
        package: its name.
        found: the module that has each name; the name itself where it is a module.
    """

    def find(name: str) -> Any:
        """Import what few programs want, when they want it."""
        where = found.get(name)
        if where is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{where}")
        return module if name == where else getattr(module, name)

    return find
