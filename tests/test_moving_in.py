"""docs/moving-in.md: what stands before and after a project moved in comes to the same numbers."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "moving-in.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {section.partition("\n")[0]: section for section in TEXT.split("\n## ")[1:]}


def anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_the_table_leads_to_every_project() -> None:
    assert re.findall(r"^\| \[([^]]+)\]\(#([^)]+)\)", TEXT, flags=re.MULTILINE) == [
        (title, anchor(title)) for title in SECTIONS
    ]
    assert len(SECTIONS) == 10


@pytest.mark.parametrize("title", SECTIONS)
def test_before_and_after_come_to_the_same(title: str) -> None:
    before, after = re.findall(r"```python\n(.*?)```", SECTIONS[title], flags=re.DOTALL)
    assert "gradstep" not in before
    assert "np.testing.assert_allclose" in after
    names: dict[str, object] = {}
    for name, code in (("before", before), ("after", after)):
        exec(compile(code, f"moving-in.md, {title}, {name}", "exec"), names)
