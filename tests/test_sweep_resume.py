"""Sweeps that are interrupted, killed, and go on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import gradstep as gs
import sweeping
from sweeping import rows

POSIX = os.name == "posix"


class TestResume:
    def test_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        file = tmp_path / "sweep.csv"
        grid: dict[str, list[Any]] = {"lr": [0.1, 0.2], "folder": [str(tmp_path)]}
        first = gs.sweep(sweeping.logged, grid, workers=0, seeds=2, resume=file)
        assert len((tmp_path / "log").read_text().splitlines()) == 4
        again = gs.sweep(sweeping.logged, grid, workers=0, seeds=2, resume=file)
        assert rows(again) == rows(first)
        assert len((tmp_path / "log").read_text().splitlines()) == 4
        grid["lr"].append(0.05)
        more = gs.sweep(sweeping.logged, grid, workers=0, seeds=3, resume=file)
        assert len((tmp_path / "log").read_text().splitlines()) == 9
        assert more.best["lr"] == 0.05
        with file.open(newline="") as lines:
            assert len(list(csv.DictReader(lines))) == 9

    def test_what_has_failed_is_tried_again(self, tmp_path: Path) -> None:
        file = tmp_path / "sweep.csv"
        grid = {"lr": [0.1], "folder": [str(tmp_path)]}
        failed = gs.sweep(sweeping.mended, grid, workers=0, seeds=1, resume=file)
        assert failed.trials[0].error == "FileNotFoundError: mended"
        (tmp_path / "mended").touch()
        assert gs.sweep(sweeping.mended, grid, workers=0, seeds=1, resume=file).best["lr"] == 0.1

    def test_another_metric_is_another_question(self, tmp_path: Path) -> None:
        file = tmp_path / "sweep.csv"
        gs.sweep(sweeping.silent, {"lr": [0.1, 0.2]}, workers=0, minimize="loss", resume=file)
        table = gs.sweep(sweeping.silent, {"lr": [0.1, 0.2]}, workers=0, minimize="other", resume=file)
        assert {trial.error for trial in table.trials} == {"the run reported no other; it reported loss"}

    def test_halving_goes_on_too(self, tmp_path: Path) -> None:
        grid = {"lr": [1e-3, 0.1, 0.3, 5.0], "steps": [30]}
        options: dict[str, Any] = {"workers": 0, "seeds": 2, "rungs": [3, 6], "keep": 0.5}
        whole = gs.sweep(sweeping.parabola, grid, **options, resume=tmp_path / "x.csv")
        lines = (tmp_path / "x.csv").read_text().splitlines(keepends=True)
        assert len(lines) == 1 + 8 + 4 + 2
        for kept in range(1, len(lines)):
            (tmp_path / "y.csv").write_text("".join(lines[:kept]))
            assert rows(gs.sweep(sweeping.parabola, grid, **options, resume=tmp_path / "y.csv")) == rows(
                whole
            )

    def test_a_table_is_such_a_file(self, tmp_path: Path) -> None:
        grid = {"lr": [0.1, 5.0], "steps": [300]}
        table = gs.sweep(sweeping.parabola, grid, workers=0, seeds=2)
        table.to_csv(tmp_path / "x.csv")
        again = gs.sweep(sweeping.parabola, grid, workers=0, seeds=2, resume=tmp_path / "x.csv")
        assert rows(again) == rows(table)
        assert [trial.seconds for trial in again.trials] == [
            round(trial.seconds, 3) for trial in table.trials
        ]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                "lr,seed\n",
                "has the columns lr, seed, but this sweep begins with lr, steps, seed, until, status, step",
            ),
            (
                "step,loss\n0,1.0\n",
                "has the columns step, loss, but this sweep begins with lr, steps, seed, until",
            ),
            (
                "lr,steps,seed,until,status,step,val_loss,seconds,error\n0.1,30,0,,fine,1,1.0,1.0,\n",
                "line 2, is no trial: there is no status 'fine'",
            ),
            (
                "lr,steps,seed,until,status,step,val_loss,seconds,error\n0.1,30,x,,done,1,1.0,1.0,\n",
                "line 2, is no trial: invalid literal",
            ),
        ],
    )
    def test_a_file_of_something_else_stays(self, content: str, message: str, tmp_path: Path) -> None:
        path = tmp_path / "x.csv"
        path.write_text(content)
        with pytest.raises(ValueError, match=message):
            gs.sweep(sweeping.parabola, {"lr": [0.1], "steps": [3]}, workers=0, resume=path)
        assert path.read_text() == content

    @pytest.mark.skipif(not POSIX, reason="kills by a signal")
    def test_after_the_parent_was_killed(self, tmp_path: Path) -> None:
        file, log = tmp_path / "sweep.csv", tmp_path / "log"
        parent = subprocess.Popen([sys.executable, sweeping.__file__, str(tmp_path), "logged"])
        deadline = time.monotonic() + 60
        while not (file.exists() and len(file.read_text().splitlines()) > 2):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        done = len(file.read_text().splitlines()) - 1
        begun = log.read_text().splitlines()
        assert 2 <= done < 12
        for pid in {int(line.split()[2]) for line in begun}:
            while is_alive(pid):
                assert time.monotonic() < deadline, "a worker outlives its parent"
                time.sleep(0.02)
        begun = log.read_text().splitlines()
        table = gs.sweep(sweeping.logged, sweeping.grid(tmp_path), workers=2, resume=file)
        assert len(table) == table.planned == 12
        assert len(log.read_text().splitlines()) == len(begun) + 12 - done
        assert table.best["lr"] == 0.1


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has asked for its exit status does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(not POSIX, reason="kills by a signal")
def test_a_worker_that_is_busy_ends_with_its_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, sweeping.__file__, str(tmp_path), "endless"])
    deadline = time.monotonic() + 60
    while not (log.exists() and len(log.read_text().splitlines()) == 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    for line in log.read_text().splitlines():
        while is_alive(int(line.split()[2])):
            assert time.monotonic() < deadline, "a worker outlives its parent"
            time.sleep(0.02)


@pytest.mark.skipif(not POSIX, reason="interrupts by a signal")
def test_an_interrupt_returns_what_is_there(tmp_path: Path) -> None:
    # A group of its own, all of which gets the signal, as from a terminal.
    parent = subprocess.Popen(
        [sys.executable, sweeping.__file__, str(tmp_path), "stuck"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "sweep.csv").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=60)
    assert (parent.returncode, err) == (0, "")
    assert "interrupted after " in out
    assert " of 12 trials" in out
