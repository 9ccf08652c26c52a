"""docs/torch.md and docs/torch/: the examples run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = re.findall(
    r"```python\n(.*?)```", (DOCS / "torch.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int) -> None:
    exec(compile(EXAMPLES[number], f"torch.md, example {number}", "exec"), {})


def test_cartpole_is_learned_the_same_by_every_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    """As far as roundings have not grown: eight updates."""
    spec = importlib.util.spec_from_file_location("cartpole", DOCS / "torch" / "cartpole.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    runs = module.main(["--all", "--steps", "8192"])
    assert list(runs) == list(module.OPTIMIZERS)
    assert "gradstep with clip norm" in capsys.readouterr().out
    lasted = [run.standing() for (run,) in runs.values()]
    assert min(lasted) > 24.0  # which a random policy does not reach
    assert max(lasted) - min(lasted) < 0.05 * max(lasted)
