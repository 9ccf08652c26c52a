"""docs/formulas.md: its snippets run, and it leaves no rule and no schedule out."""

import re
from pathlib import Path

import pytest

import gradstep as gs
from gradstep import feedback, schedules

TEXT = (Path(__file__).parent.parent / "docs" / "formulas.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
RULES = [
    name
    for name in gs.__all__
    if isinstance(rule := getattr(gs, name), type) and issubclass(rule, gs.Optimizer)
]


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) > 10


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(number: int) -> None:
    exec(compile(SNIPPETS[number], f"formulas.md, snippet {number}", "exec"), {})


@pytest.mark.parametrize(
    "name",
    sorted(
        {*schedules.__all__, *feedback.__all__, *RULES}
        - {"Feedback", "Optimizer", "Schedule", "layerwise", "like"}
    ),
)
def test_every_class_has_its_formula(name: str) -> None:
    assert re.search(rf"^\|.*`{name}[(`.]", TEXT, flags=re.MULTILINE), f"no table has a row with `{name}(…)`"


@pytest.mark.parametrize("path", re.findall(r"\]\((?!#|https?:)([^)]+)\)", TEXT))
def test_links_lead_somewhere(path: str) -> None:
    assert (Path(__file__).parent.parent / "docs" / path).exists()
