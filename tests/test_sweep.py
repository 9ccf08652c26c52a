"""Sweeps: the same table from any number of workers, whatever becomes of some of them."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
import sweeping
from gradstep.sweeps import SweepTable, Trial
from sweeping import rows

POSIX = os.name == "posix"


def test_the_table_hangs_neither_on_the_workers_nor_on_the_order() -> None:
    grid: dict[str, list[Any]] = {"lr": [0.3, 0.01, 0.1, 5.0], "steps": [10, 300]}
    here = gs.sweep(sweeping.parabola, grid, workers=0, seeds=2)
    assert rows(here) == rows(gs.sweep(sweeping.parabola, grid, workers=1, seeds=2))
    assert rows(here) == rows(gs.sweep(sweeping.parabola, grid, workers=3, seeds=2))
    assert [(t.setting["lr"], t.setting["steps"], t.seed) for t in here.trials] == [
        (lr, steps, seed) for lr in grid["lr"] for steps in grid["steps"] for seed in (0, 1)
    ]
    assert here.best == {"lr": 0.3, "steps": 300}
    diverged = here.trials[-1]
    assert (diverged.status, diverged.setting) == ("diverged", {"lr": 5.0, "steps": 300})
    assert diverged.error == f"val_loss was inf at step {diverged.step}"


def test_random_states_stay_as_they_were() -> None:
    numpys, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002
    gs.sweep(sweeping.parabola, {"lr": [0.1]}, workers=0)
    assert str(np.random.get_state()) == str(numpys)  # noqa: NPY002
    assert random.getstate() == pythons


ERRORS = {
    "raise": "ValueError: no such layer",
    "exit": "SystemExit: 3",
    "text": "TypeError: val_loss must be a number, got str",
    "vanish": "the worker ended, with exit status 7",
    "kill": "the worker ended, killed by signal 9",
    "hang": "took longer than 3 s",
}


@pytest.mark.skipif(not POSIX, reason="kills by a signal")
def test_what_goes_wrong_is_a_row_and_harms_no_other() -> None:
    whats = ["raise", "exit", "text", "vanish", "fine", "kill", "hang", "nan"]
    begin = time.monotonic()
    table = gs.sweep(sweeping.trouble, {"what": whats}, workers=2, seeds=2, time_limit=3.0)
    assert time.monotonic() - begin < 60
    assert [trial.setting["what"] for trial in table.trials] == [what for what in whats for _ in range(2)]
    for trial in table.trials:
        what = trial.setting["what"]
        if trial.seed or what == "fine":
            assert (trial.status, trial.metrics["val_loss"], trial.error) == ("done", 1.0 + trial.seed, "")
        elif what == "nan":
            assert (trial.status, trial.error) == ("diverged", "val_loss was nan at step 5")
        else:
            assert (trial.status, trial.error) == ("failed", ERRORS[what])
            assert ("Traceback" in trial.traceback) == (what in ("raise", "exit", "text"))
    assert table.best == {"what": "fine"}
    assert max(map(len, repr(table).splitlines())) <= 80


def test_what_goes_wrong_in_this_process_is_a_row_too() -> None:
    table = gs.sweep(sweeping.trouble, {"what": ["raise", "exit", "nan", "fine"]}, workers=0, seeds=2)
    assert [trial.status for trial in table.trials] == [
        *("failed", "done", "failed", "done", "diverged", "done", "done", "done"),
    ]


def test_a_metric_that_is_not_reported_is_named() -> None:
    table = gs.sweep(sweeping.silent, {"lr": [0.1]}, workers=0, seeds=1)
    assert table.trials[0].error == "the run reported no val_loss; it reported loss"
    with pytest.raises(
        ValueError, match=r"^no setting trained to the end with all seeds; 1 trials failed, the"
    ):
        _ = table.best


def test_threads_are_divided_among_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "13")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with gs.num_threads(6):
        table = gs.sweep(sweeping.threads, {"lr": [0.1, 0.2]}, workers=2, seeds=2)
    for trial in table.trials:
        names = ("gradstep", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        assert [trial.metrics[name] for name in names] == [3.0, 3.0, 3.0]
    assert {trial.metrics["pid"] for trial in table.trials}.isdisjoint({os.getpid()})
    assert (os.environ["OMP_NUM_THREADS"], "OPENBLAS_NUM_THREADS" in os.environ) == ("13", False)
    (trial,) = gs.sweep(sweeping.threads, {"lr": [0.1]}, workers=1, seeds=1, threads=4).trials
    assert trial.metrics["gradstep"] == 4.0


def test_maximize() -> None:
    table = gs.sweep(sweeping.silent, {"lr": [0.1, 0.3, 0.2]}, workers=0, maximize="loss")
    assert (table.best, table.metric) == ({"lr": 0.3}, "loss")


def test_successive_halving_stops_the_bad_ones() -> None:
    rates = [1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.3, 0.99, 5.0, 0.2]
    options: dict[str, Any] = {"seeds": 2, "rungs": [5, 10], "keep": 0.4}
    grid = {"lr": rates, "steps": [300]}
    table = gs.sweep(sweeping.parabola, grid, workers=0, **options)
    assert [trial.until for trial in table.trials[::2]] == [5, 5, 5, 10, 10, None, 5, 5, None]
    assert [trial.status for trial in table.trials[::2]] == [
        *("stopped", "stopped", "stopped", "stopped", "stopped", "done", "stopped", "stopped", "done")
    ]
    assert [trial.step for trial in table.trials[::2]] == [5, 5, 5, 10, 10, 299, 5, 5, 299]
    assert table.best == gs.sweep(sweeping.parabola, grid, workers=0, seeds=2).best
    assert rows(table) == rows(gs.sweep(sweeping.parabola, grid, workers=2, **options))
    assert "2 stopped" in repr(table)


def test_a_run_that_ends_before_a_rung_is_not_made_again(tmp_path: Path) -> None:
    grid = {"lr": [0.1, 0.2, 0.3], "folder": [str(tmp_path)]}
    table = gs.sweep(sweeping.logged, grid, workers=0, seeds=2, rungs=[10], keep=0.5)
    assert [trial.status for trial in table.trials] == ["done"] * 6
    assert len((tmp_path / "log").read_text().splitlines()) == 6


def made(settings: int, names: int, *, metric: str = "val_loss", status: Any = "done") -> SweepTable:
    trials = [
        Trial(
            {f"argument_{n}": 10.0**-i * (n + 1) for n in range(names)},
            seed,
            None,
            status,
            9,
            {metric: -1.2345e-5 * (i + seed + 1)},
            0.1,
            "OSError: " + "x" * 100 if status == "failed" else "",
        )
        for i in range(settings)
        for seed in range(3)
    ]
    return SweepTable(
        trials, names=list(trials[0].setting), metric=metric, maximize=False, planned=len(trials) + 1
    )


@pytest.mark.parametrize("names", [1, 2, 3, 5, 6, 12])
@pytest.mark.parametrize("metric", ["val_loss", "validation_cross_entropy_of_the_held_out_set"])
@pytest.mark.parametrize("status", ["done", "failed", "stopped"])
def test_its_text_fits_80_columns(names: int, metric: str, status: str) -> None:
    lines = repr(made(50, names, metric=metric, status=status)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "… and 10 more" in lines
    assert "interrupted after 150 of 151 trials" in lines


class Terminal:
    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def test_progress_is_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gs.sweep(sweeping.silent, {"lr": [0.1, 0.2]}, workers=0, minimize="loss")
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "100")
    gs.sweep(sweeping.silent, {"lr": [0.1, 0.2]}, workers=0, minimize="loss", seeds=1)
    assert " 50%  best: 0.1 at lr=0.1" in terminal.text
    assert terminal.text.endswith("\r\x1b[K")
