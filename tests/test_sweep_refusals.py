"""Sweeps that cannot be made, and what is said then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
import sweeping

NO_GUARD = """
import gradstep as gs
def run(report, lr, seed):
    report(0, val_loss=lr)
print(gs.sweep(run, {"lr": [0.1, 0.2]}, workers=2))
"""


def test_a_script_without_a_guard_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(NO_GUARD)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "RuntimeError: a worker process ended before it took its first run, with exit status 1."
    )
    assert 'under `if __name__ == "__main__":`' in done.stderr.splitlines()[-1]


def test_a_function_that_was_typed_in_is_told() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_GUARD], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr.splitlines()[-1] == (
        "TypeError: run must be a function that worker processes can import, got one of a notebook or a "
        "console: write it into a file such as training.py, and `from training import run`; "
        "workers=0 trains in this process, one run after the other"
    )


def local() -> Callable[..., None]:
    def run(report: Callable[..., None], *, lr: float, seed: int) -> None:
        report(0, val_loss=lr + seed)

    return run


HERE = "workers=0 trains in this process, one run after the other"
SENT = "got {}: write it with def at the top level of a file; " + HERE
IMPORTABLE = "run must be a function that worker processes can import, "
TAKEN = "an argument of a run cannot be called 'seed', which every run has already"
NO_LIMIT = "time_limit needs workers, since nothing can end a run in this process"
BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"run": lambda report, lr, seed: None}, TypeError, IMPORTABLE + SENT.format("<lambda>")),  # noqa: ARG005
    ({"run": local()}, TypeError, IMPORTABLE + SENT.format("local.<locals>.run")),
    ({"run": 3}, TypeError, "run must be a function, got int"),
    ({"grid": [0.1]}, TypeError, "grid must be a dict of lists, got list"),
    ({"grid": {}}, ValueError, "grid must have at least one argument, got none"),
    ({"grid": {"lr": []}}, ValueError, "grid['lr'] must have at least one value, got none"),
    ({"grid": {"lr": 0.1}}, TypeError, "grid['lr'] must be a list of values, got float"),
    ({"grid": {"lr": "0.1"}}, TypeError, "grid['lr'] must be a list of values, got str"),
    ({"grid": {1: [0.1]}}, TypeError, "grid must have names as its keys, got int"),
    ({"grid": {"lr": [0.1, np.float64(0.1)]}}, ValueError, "grid['lr'] has 0.1 twice"),
    ({"grid": {"seed": [1]}}, ValueError, TAKEN),
    ({"workers": -1}, ValueError, "workers must be at least 0, got -1"),
    ({"workers": 1.0}, TypeError, "workers must be an integer, got float"),
    ({"seeds": 0}, ValueError, "seeds must be at least 1, got 0"),
    ({"seeds": [1, 1]}, ValueError, "seeds must be different numbers, got [1, 1]"),
    ({"seeds": [0.5]}, TypeError, "seeds[0] must be an integer, got float"),
    ({"seeds": np.array([1.0])}, TypeError, "seeds[0] must be an integer, got float64"),
    ({"seeds": 1.5}, TypeError, "seeds must be an integer, got float"),
    ({"time_limit": 0}, ValueError, "time_limit must be above 0, got 0.0"),
    ({"time_limit": 1, "workers": 0}, ValueError, NO_LIMIT),
    ({"rungs": [3, 2]}, ValueError, "rungs must rise, got [3, 2]"),
    ({"keep": 1.0}, ValueError, "keep must be above 0 and below 1, got 1.0"),
    ({"threads": 0}, ValueError, "threads must be at least 1, got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_is_wrong_is_named(given: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"run": sweeping.silent, "grid": {"lr": [0.1]}, "workers": 2, **given}
    with pytest.raises(error) as raised:
        gs.sweep(**arguments)
    assert str(raised.value) == message


def test_a_value_that_cannot_be_sent_is_named() -> None:
    with pytest.raises(TypeError, match=r"^the setting rule=<lambda>, lr=0.1 cannot be sent to workers: "):
        gs.sweep(sweeping.by_rule, {"rule": [lambda w, lr: gs.SGD(w, lr=lr)], "lr": [0.1]}, workers=2)


def test_rules_and_schedules_are_values() -> None:
    rates = [0.1, gs.schedules.Cosine(0.1, 20)]
    table = gs.sweep(sweeping.by_rule, {"rule": [gs.SGD, gs.Adam], "lr": rates}, workers=1, seeds=1)
    assert [trial.status for trial in table.trials] == ["done"] * 4
    assert table.best == {"rule": gs.SGD, "lr": 0.1}
    assert "Cosine(start=0.1" in repr(table)
    assert max(map(len, repr(table).splitlines())) <= 80
