"""The package as a whole: docstrings, doctests, what an import does."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import sys
from importlib.util import find_spec
from typing import Any

import pytest

import gradstep as gs
from processes import printed

#: Modules around a package that only some environments have.
NEED_MORE = {
    "gradstep.bench.compiled": "numba",
    "gradstep.bench.compiled_rows": "numba",
    "gradstep.bench.pytorch": "torch",
    "gradstep.bench.pytorch_narrow": "torch",
    "gradstep.bench.pytorch_rows": "torch",
    "gradstep.torch": "torch",
}

MODULES = [
    "gradstep",
    *(
        module.name
        for module in pkgutil.walk_packages(gs.__path__, "gradstep.")
        if not module.name.endswith(("_core", "__main__")) and module.name not in NEED_MORE
    ),
]

PUBLIC = sorted(
    {
        (name, public)
        for name in MODULES
        for public in getattr(importlib.import_module(name), "__all__", [])
        if public != "__version__"
    }
)


def documentation(thing: Any) -> str:
    """The docstring of a thing itself, not of its class or base class."""
    inherited = inspect.isclass(thing) and "__doc__" not in vars(thing)
    return "" if inherited else (inspect.getdoc(thing) or "")


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_every_public_name_has_a_docstring(module: str, name: str) -> None:
    thing = getattr(importlib.import_module(module), name)
    assert documentation(thing).strip(), f"{module}.{name} has no docstring"
    if inspect.isclass(thing):
        for attribute, member in vars(thing).items():
            if callable(member) and not attribute.startswith("_"):
                assert documentation(member).strip(), f"{module}.{name}.{attribute} has no docstring"


@pytest.mark.parametrize(("module", "needs"), NEED_MORE.items())
def test_a_module_that_needs_more_imports_with_it_only(module: str, needs: str) -> None:
    if find_spec(needs) is not None:
        assert (importlib.import_module(module).__doc__ or "").strip()
    else:
        with pytest.raises(ModuleNotFoundError, match=needs):
            importlib.import_module(module)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    assert (importlib.import_module(module).__doc__ or "").strip()


@pytest.mark.parametrize("module", MODULES)
def test_doctests(module: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(module))
    assert failed == 0


def test_there_are_doctests() -> None:
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert len([test for test in found if test.examples]) > 10


def test_every_optimizer_and_schedule_has_an_example() -> None:
    for module in (gs, gs.schedules):
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) and thing not in (gs.Optimizer, gs.schedules.Schedule):
                assert ">>> " in documentation(thing), f"{name} has no example"


def test_the_import_starts_no_thread_and_brings_nothing_but_numpy() -> None:
    code = """
import os, sys, numpy
tasks = lambda: len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
before, known = tasks(), set(sys.modules)
import gradstep
assert tasks() == before, "a thread was started"
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - known}))
"""
    brought = set(printed(code).split())
    assert brought - set(sys.stdlib_module_names) - {"numpy"} == {"gradstep"}


def test_a_small_step_starts_no_thread() -> None:
    code = """
import os, numpy as np, gradstep as gs
gs.set_num_threads(4)
opt = gs.Adam(np.ones(1000), clip_norm=1.0)
before = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
opt.step(np.ones(1000))
print((len(os.listdir("/proc/self/task")) if before else 0) - before)
"""
    assert printed(code) == "0"
