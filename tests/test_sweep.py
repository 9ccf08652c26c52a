"""Sweeps: the same table from any number of workers, whatever becomes of some of them."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
import sweeping
from gradstep.sweeps import SweepTable, Trial

POSIX = os.name == "posix"


def rows(table: SweepTable) -> list[tuple[Any, ...]]:
    """All that a trial says but for the time that it took."""
    return [
        (trial.setting, trial.seed, trial.until, trial.status, trial.step, trial.metrics, trial.error)
        for trial in table.trials
    ]


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
        parent = subprocess.Popen([sys.executable, __file__, str(tmp_path)])
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
        table = gs.sweep(sweeping.logged, grid(tmp_path), workers=2, resume=file)
        assert len(table) == table.planned == 12
        assert len(log.read_text().splitlines()) == len(begun) + 12 - done
        assert table.best["lr"] == 0.1


def grid(folder: Path) -> dict[str, list[Any]]:
    return {"lr": [0.1, 0.2, 0.3, 0.4], "folder": [str(folder)]}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has asked for its exit status does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(not POSIX, reason="interrupts by a signal")
def test_an_interrupt_returns_what_is_there(tmp_path: Path) -> None:
    # A group of its own, all of which gets the signal, as from a terminal.
    parent = subprocess.Popen(
        [sys.executable, __file__, str(tmp_path)],
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


if __name__ == "__main__":
    print(
        gs.sweep(sweeping.logged, grid(Path(sys.argv[1])), workers=2, resume=Path(sys.argv[1], "sweep.csv"))
    )
