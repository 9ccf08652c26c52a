"""Packages that are made to be absent, in fixtures that a file of tests makes its own."""

import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

import pytest

from gradstep.bench import contenders, schedules


class Without:
    """An import hook that pretends that a package is not installed."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without("matplotlib"), *sys.meta_path])


def numpy_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave torch and numba out of the benchmark; their import alone takes seconds."""
    monkeypatch.setattr(contenders, "is_installed", lambda _: False)
    monkeypatch.setattr(schedules, "is_installed", lambda _: False)
    contenders.installed.cache_clear()
    yield
    contenders.installed.cache_clear()


def no_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without("scipy"), *sys.meta_path])
