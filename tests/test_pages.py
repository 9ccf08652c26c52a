"""The pages of docs/: their examples run, their links lead somewhere, their numbers were measured.

`make docs` runs the examples too, and much more; this is what can be seen without Sphinx. Pages whose
examples have tests of their own are not run here.
"""

from __future__ import annotations

import doctest
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import gradstep as gs

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
ELSEWHERE = {
    "checkpoints.md",
    "formulas.md",
    "moving-in.md",
    "mpi.md",
    "schedulers.md",
    "torch.md",
    "variants.md",
}
BLOCKS = r"^```(python|pycon)\n(.*?)^```"
RUNNABLE = sorted(
    name
    for name, text in PAGES.items()
    if name not in ELSEWHERE and re.search(BLOCKS, text, flags=re.DOTALL | re.MULTILINE)
)


def test_there_are_pages() -> None:
    assert {"quickstart.md", "in-place.md", "errors.md", "from/numpy.md"} <= set(RUNNABLE)


@pytest.mark.parametrize("name", RUNNABLE)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    for kind, code in re.findall(BLOCKS, PAGES[name], flags=re.DOTALL | re.MULTILINE):
        if kind == "python":
            exec(compile(code, name, "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(code, names, name, name, 0)
            failed, tried = doctest.DocTestRunner().run(test, clear_globs=False)
            assert tried
            assert not failed
            names.update(test.globs)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_links_lead_somewhere(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    for path in re.findall(r"\]\((?!#|https?:)([^)#]+)", text):
        # These are written from the package when the site is built.
        if not re.match(r"((\.\./)?(rules|schedules|reference)/)", path):
            assert (DOCS / name).parent.joinpath(path).exists(), f"{name} links to {path}"


def test_every_schedule_can_be_chosen() -> None:
    compositions = {
        "Clip",
        "Every",
        "Join",
        "Power",
        "Product",
        "Repeat",
        "Schedule",
        "Shift",
        "Stride",
        "Sum",
    }
    for name in {*gs.schedules.__all__} - compositions - {"layerwise", "like"}:
        assert f"(#gradstep.schedules.{name})" in PAGES["choosing-a-schedule.md"] or name == "Lambda"


def rows(text: str) -> dict[str, list[str]]:
    """The rows of all tables, by their first cells."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def test_the_loops_of_the_readme_are_those_measured() -> None:
    readme = rows((DOCS.parent / "README.md").read_text(encoding="utf-8"))
    measured = rows(PAGES["loops.md"])
    head = measured.pop("loop")
    assert len(measured) > 3
    assert readme["loop"] == ["the step's share", "than textbook NumPy", "than careful NumPy"]
    columns = [head.index(name) for name in ("step's share", "than textbook", "than careful")]
    for loop, cells in measured.items():
        assert readme[loop] == [cells[column] for column in columns]


def test_the_picture_is_of_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "site"))
    try:
        picture = importlib.import_module("speed_picture")
        assert picture.picture() == picture.FILE.read_text(encoding="utf-8"), "run `make pictures`"
    finally:
        for name in ("speed_picture", "measured"):
            sys.modules.pop(name, None)
