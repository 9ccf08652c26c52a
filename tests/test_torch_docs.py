"""docs/torch.md and docs/torch/: the examples run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="gigabytes: `make test-torch` installs it")

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = re.findall(
    r"```python\n(.*?)```", (DOCS / "torch.md").read_text(encoding="utf-8"), flags=re.DOTALL
)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number: int) -> None:
    exec(compile(EXAMPLES[number], f"torch.md, example {number}", "exec"), {})


def loaded(path: Path) -> Any:
    """A program as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cartpole_is_learned_the_same_by_every_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    """As far as roundings have not grown: eight updates."""
    module = loaded(DOCS / "torch" / "cartpole.py")
    runs = module.main(["--all", "--steps", "8192"])
    assert list(runs) == list(module.OPTIMIZERS)
    assert "gradstep with clip norm" in capsys.readouterr().out
    lasted = [run.standing() for (run,) in runs.values()]
    assert min(lasted) > 24.0  # which a random policy does not reach
    assert max(lasted) - min(lasted) < 0.05 * max(lasted)


def test_in_float64_every_episode_is_as_long_as_with_torch(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    module = loaded(DOCS.parent / "benches" / "torch_returns.py")
    asked = ["--double", "--seeds", "2", "--steps", "8192", "--keep", str(tmp_path / "runs.jsonl")]
    runs = module.main(asked)
    assert torch.get_default_dtype() is torch.float32
    assert list(runs) == list(module.CONTENDERS)
    for seed in range(2):
        first = runs[module.FIRST][seed]["lasted"]
        assert len(first) > 200
        assert all(of_one[seed]["lasted"] == first for of_one in runs.values())
    printed = capsys.readouterr().out
    assert "| gradstep |" in printed
    # It goes on with what it has kept.
    assert module.main(asked) == runs
    assert capsys.readouterr().out == printed
    single = module.main(["--steps", "8192", "--seeds", "2", "--without", *module.CONTENDERS[1:-2]])
    assert list(single) == [module.FIRST, *module.CONTENDERS[-2:]]
    assert single[module.FIRST][0]["lasted"] != runs[module.FIRST][0]["lasted"]
    assert module.alike_at_first([1, 2, 3], [1, 2, 4]) == 2
    assert module.alike_at_first([1, 2], [1, 2, 4]) == 2


def test_roundings_are_as_large_as_torchs(capsys: pytest.CaptureFixture[str]) -> None:
    found = loaded(DOCS.parent / "benches" / "torch_returns.py").roundings(100, 2_000)
    spread, mean = found["gradstep"]
    assert spread == pytest.approx(found["torch"][0], rel=0.05)
    assert abs(mean) < 4 * spread / 2_000**0.5
    assert "| gradstep |" in capsys.readouterr().out
