"""What the tests of sweeps run: at the top level of a module, where worker processes find it."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import gradstep as gs

Report = Callable[..., None]


def parabola(report: Report, *, lr: float, seed: int, steps: int = 30) -> None:
    """Descend; the loss hangs on the rate and on all three sources of randomness."""
    start = [np.random.default_rng(seed).normal(), np.random.normal(), random.gauss(0, 1)]  # noqa: NPY002
    w = np.array(start)
    opt = gs.SGD(w, lr=lr)
    for step in range(steps):
        report(step, val_loss=w @ w, size=np.abs(w).max())
        opt.step(2 * w)


def by_rule(report: Report, *, rule: Any, lr: float, seed: int) -> None:
    w = np.random.default_rng(seed).normal(size=3)
    opt = rule(w, lr=lr)
    for step in range(20):
        opt.step(2 * w)
        report(step, val_loss=w @ w)


def trouble(report: Report, *, what: str, seed: int) -> None:
    """Go well, or in one of many ways wrong, at the first seed."""
    report(0, val_loss=1.0 + seed)
    if seed:
        return
    if what == "raise":
        raise ValueError("no such\nlayer")
    if what == "exit":
        raise SystemExit(3)
    if what == "vanish":
        os._exit(7)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        time.sleep(1000)
    if what == "nan":
        report(5, val_loss=float("nan"))
    if what == "text":
        report(5, val_loss="low")


def silent(report: Report, *, lr: float, seed: int) -> None:  # noqa: ARG001
    report(0, loss=lr)


def threads(report: Report, *, lr: float, seed: int) -> None:  # noqa: ARG001
    report(
        0,
        val_loss=lr,
        gradstep=gs.get_num_threads(),
        **{name: float(os.environ[name]) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")},
        pid=os.getpid(),
    )


def logged(report: Report, *, lr: float, folder: str, seed: int) -> None:
    """Leave a line of what was run, and take some time."""
    with open(os.path.join(folder, "log"), "a") as log:
        log.write(f"{lr} {seed} {os.getpid()}\n")
    time.sleep(0.2)
    report(0, val_loss=lr + seed)


def endless(report: Report, *, lr: float, folder: str, seed: int) -> None:
    """Leave a line, and never come back."""
    logged(report, lr=lr, folder=folder, seed=seed)
    time.sleep(1000)


def stuck(report: Report, *, lr: float, folder: str, seed: int) -> None:
    """Come to an end at the first rate only."""
    if lr > 0.1:
        endless(report, lr=lr, folder=folder, seed=seed)
    logged(report, lr=lr, folder=folder, seed=seed)


def mended(report: Report, *, lr: float, folder: str, seed: int) -> None:
    """Fail until a file is there."""
    if not os.path.exists(os.path.join(folder, "mended")):
        raise FileNotFoundError("mended")
    report(0, val_loss=lr + seed)


def rows(table: gs.SweepTable) -> list[tuple[Any, ...]]:
    """All that a trial says but for the time that it took."""
    return [
        (trial.setting, trial.seed, trial.until, trial.status, trial.step, trial.metrics, trial.error)
        for trial in table.trials
    ]


def grid(folder: Path) -> dict[str, list[Any]]:
    return {"lr": [0.1, 0.2, 0.3, 0.4], "folder": [str(folder)]}


if __name__ == "__main__":
    # Of those who are started in the background the shell lets interrupts be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = {"logged": logged, "endless": endless, "stuck": stuck}[sys.argv[2]]
    print(gs.sweep(run, grid(Path(sys.argv[1])), workers=2, resume=Path(sys.argv[1], "sweep.csv")))
