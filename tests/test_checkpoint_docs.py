"""docs/checkpoints.md: its examples run, and the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs" / "checkpoints.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"checkpoints.md, example {number}", "exec"), {})


def test_every_row_names_a_test_that_is_there() -> None:
    (section,) = re.findall(r"## What can go wrong\n(.*?)\n## ", TEXT, flags=re.DOTALL)
    rows = re.findall(r"^\| (.*) \| (.*) \| (.*) \|$", section, flags=re.MULTILINE)[2:]
    assert len(rows) > 10
    for _, _, named in rows:
        match = re.fullmatch(r"`(test_\w+\.py)::(test_\w+)`", named)
        assert match, named
        assert f"def {match[2]}(" in (TESTS / match[1]).read_text(encoding="utf-8"), named
