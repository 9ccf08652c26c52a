"""README's examples run as they stand, pasted into a file; its rows of rules are on a page of docs/."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradstep.signatures import RULES, Signature

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")
GLANCE = (README.parent / "docs" / "options.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


def test_it_is_whole() -> None:
    assert EXAMPLES
    assert "@@" not in TEXT


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 0, done.stderr
    (found,) = re.findall(r"(squared error|difference after 1,000 steps:) (\S+?)[,\n]", done.stdout)
    assert float(found[1]) < (0.02 if found[0] == "squared error" else 1e-12)


@pytest.mark.parametrize("path", re.findall(r"\]\((?!#|https?:)([^)]+)\)", TEXT))
def test_links_lead_somewhere(path: str) -> None:
    assert (README.parent / path).exists()


@pytest.mark.parametrize("name", sorted(set(RULES) - {"adamw"}))  # its row refers to that of Adam
def test_a_row_has_the_options_and_the_state_of_each_rule(name: str) -> None:
    (row,) = re.findall(rf"^\| `{RULES[name]}` \|.*", GLANCE, flags=re.MULTILINE)
    rule = Signature(name)
    named = {*re.findall(r"`(\w+)`", row)} - {RULES[name]}
    parameters = inspect.signature(rule.optimizer).parameters.values()
    switches = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert named == {*rule.options, *rule.slots, *rule.optional} - {"lr", "scalars"} - switches
