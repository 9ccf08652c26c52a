"""README's examples run as they stand, pasted into a file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_there_is_an_example() -> None:
    assert EXAMPLES


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


@pytest.mark.parametrize(
    "path", re.findall(r"\]\((?!#|https?:)([^)]+)\)", README.read_text(encoding="utf-8"))
)
def test_links_lead_somewhere(path: str) -> None:
    assert (README.parent / path).exists()
