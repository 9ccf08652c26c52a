"""A sweep: from the grid to the table."""

from __future__ import annotations

import io
import math
import sys
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradstep import randomness
from gradstep.files import check_replaceable
from gradstep.progress import ProgressBar
from gradstep.scalars import counted, measured
from gradstep.sweeps import files, sending
from gradstep.sweeps.results import SweepTable
from gradstep.sweeps.trials import Outcome, Task, Trial, described, execute, settings_of, text
from gradstep.threads import get_num_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

    from gradstep.sweeps.summaries import Summary


def sweep(
    run: Callable[..., object],
    grid: Mapping[str, Any],
    *,
    workers: int | None = None,
    seeds: int | Iterable[int] = 3,
    minimize: str = "val_loss",
    maximize: str | None = None,
    rungs: Sequence[int] = (),
    keep: float = 1 / 3,
    time_limit: float | None = None,
    threads: int | None = None,
    resume: str | os.PathLike[str] | None = None,
) -> SweepTable:
    """Train with every setting of a grid and several seeds, on all cores, and tabulate how well it went.

    A trial is a call ``run(report, seed=..., **setting)``, which trains and calls ``report(step,
    val_loss=...)`` as it goes, with any metrics; the last value of the one that is asked for counts. A run
    that raises, hangs, dies or reports a value that is not finite is a row with its error, and harms no
    other. Before each one the global random states of NumPy and Python are set by its seed, so no result
    depends on the number of workers or on their order. (A BLAS may round otherwise with another number of
    ``threads``.) Ctrl-C returns the trials that are there. On a terminal there is a line of progress.

    Args:
        run: a function at the top level of a module or script, which worker processes import; a script
            calls ``sweep`` under ``if __name__ == "__main__":``.
        grid: for each argument of ``run`` the values to try, ``{"lr": [...], "momentum": [...]}``; all
            combinations are.
        workers: how many processes work at a time; by default as many as `get_num_threads` says. 0 trains
            in this process, where ``run`` may be any function.
        seeds: how many, from 0; or which.
        minimize: the metric that is to be small.
        maximize: one that is to be large, instead.
        rungs: rising steps, for successive halving: all settings are trained up to the first of them, the
            best are trained anew up to the next, and so on; the best at the last one are trained to the end.
        keep: the share of the settings, in (0, 1), that gets over a rung: rounded up.
        time_limit: after how many seconds a trial is ended, and has failed; needs workers.
        threads: how many each BLAS and gradstep may use in a worker; by default a fair share of those that
            `get_num_threads` gives here.
        resume: a CSV file of the trials, written after each of them, whole or not at all. What is in it
            already is not done again, but for what has failed.

    Returns:
        The table: ``.best`` is the setting to take, ``.plot()`` draws all.

    Raises:
        TypeError: an argument is of the wrong type, or workers cannot be sent ``run`` or the grid.
        ValueError: an argument is out of range, or ``resume`` is the file of another sweep.
        OSError: ``resume`` cannot be read or written.
        RuntimeError: the worker processes cannot begin.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> def run(report, lr, seed):
        ...     w = np.random.default_rng(seed).normal(size=2)
        ...     opt = gs.SGD(w, lr=lr)
        ...     for step in range(20):
        ...         opt.step(2 * w)
        ...     report(20, val_loss=w @ w)
        >>> gs.sweep(run, {"lr": [0.001, 0.1, 0.3]}, workers=0).best
        {'lr': 0.3}

    References:
        Successive halving: Jamieson, Talwalkar 2016, arXiv:1502.07943. Here survivors are trained anew at
        each rung, which takes up to 1/(1 − keep) times the steps of going on, but needs neither memory nor
        an order in time.
    """
    settings = settings_of(grid)
    seeds = seeds_of(seeds)
    rungs, keep = rungs_of(rungs, keep)
    if not callable(run):
        raise TypeError(f"run must be a function, got {type(run).__name__}")
    cores = get_num_threads()
    workers = min(cores, len(settings) * len(seeds)) if workers is None else counted("workers", workers, 0)
    if time_limit is not None:
        time_limit = measured("time_limit", time_limit)
        if not time_limit > 0:
            raise ValueError(f"time_limit must be above 0, got {time_limit}")
        if not workers:
            raise ValueError("time_limit needs workers, since nothing can end a run in this process")
    threads = max(1, cores // max(1, workers)) if threads is None else counted("threads", threads, 1)
    metric = minimize if maximize is None else maximize
    record = Record(list(settings[0]), seeds, metric, maximize is not None, resume)

    def outcomes(tasks: list[Task]) -> Generator[tuple[int, Outcome], None, None]:
        if not workers:
            return ((number, execute(run, metric, task)) for number, task in enumerate(tasks))
        from gradstep.sweeps import workers as crew  # with multiprocessing, which takes time

        return crew.outcomes(sent, metric, tasks, workers=workers, threads=threads, time_limit=time_limit)

    sent = sending.pickled(run, settings) if workers else b""
    alive = settings
    with suppress(KeyboardInterrupt), randomness.unchanged():
        for until in (*rungs, None):
            tasks = [Task(setting, seed, until) for setting in alive for seed in seeds]
            tasks = [task for task in tasks if not record.has(task)]
            with (
                ProgressBar(len(tasks), sys.stderr or io.StringIO()) as bar,
                closing(outcomes(tasks)) as made,
            ):
                for number, outcome in made:
                    record.add(Trial(**tasks[number]._asdict(), **outcome._asdict()))
                    bar.label = progress(record.table(settings))
                    bar.advance()
            if until is not None:
                alive = survivors(record.table(alive, until), keep)
    return record.table(settings)


class Record:
    """All trials that were made, those of a file among them."""

    def __init__(
        self,
        names: list[str],
        seeds: list[int],
        metric: str,
        maximize: bool,
        path: str | os.PathLike[str] | None,
    ) -> None:
        self.names, self.seeds, self.metric, self.maximize, self.path = names, seeds, metric, maximize, path
        self.trials: dict[tuple[str, ...], dict[int | None, Trial]] = {}
        if path is not None:
            check_replaceable(path)
            for trial in files.read(path, names):
                # What has failed may have been mended since, and another metric is another question.
                if trial.status != "failed" and metric in trial.metrics:
                    self._of(trial)[trial.until] = trial

    def _of(self, trial: Task | Trial) -> dict[int | None, Trial]:
        """Give the trials with the same setting and seed, by the steps at which they were to be stopped."""
        key = (*(text(trial.setting[name]) for name in self.names), str(trial.seed))
        return self.trials.setdefault(key, {})

    def add(self, trial: Trial) -> None:
        """Keep a trial, in the file too."""
        self._of(trial)[trial.until] = trial
        if self.path is not None:
            files.write(
                self.path, self.names, (one for group in self.trials.values() for one in group.values())
            )

    def latest(self, task: Task) -> Trial | None:
        """Find the longest trial with the setting and seed of a task that is no longer than the task."""

        def length(trial: Trial) -> float:
            return math.inf if trial.until is None else trial.until

        limit = math.inf if task.until is None else task.until
        found = [trial for trial in self._of(task).values() if length(trial) <= limit]
        return max(found, key=length, default=None)

    def has(self, task: Task) -> bool:
        """Tell whether a task would bring nothing new: it was done, or ended by itself before it would."""
        trial = self.latest(task)
        return trial is not None and (trial.until == task.until or trial.status != "stopped")

    def table(self, settings: list[dict[str, Any]], until: int | None = None) -> SweepTable:
        """Tabulate the longest trial of each setting and seed, up to a rung."""
        found = [
            (setting, self.latest(Task(setting, seed, until))) for setting in settings for seed in self.seeds
        ]
        return SweepTable(
            [replace(trial, setting=setting) for setting, trial in found if trial is not None],
            names=self.names,
            metric=self.metric,
            maximize=self.maximize,
            planned=len(found),
        )


def survivors(table: SweepTable, keep: float) -> list[dict[str, Any]]:
    """Choose the best settings at a rung, in the order of the grid."""

    def rank(summary: Summary) -> float:
        if math.isnan(summary.score):
            return math.inf
        return -summary.score if table.maximize else summary.score

    count = math.ceil(keep * len(table.settings))
    best = sorted(table.settings, key=rank)[:count]
    return [summary.setting for summary in table.settings if summary in best]


def progress(table: SweepTable) -> str:
    """Write the line beside the progress bar."""
    bad = sum(trial.status in ("failed", "diverged") for trial in table.trials)
    ranked = table.ranked()
    best = f"best: {ranked[0].score:.4g} at {described(ranked[0].setting)}" if ranked else ""
    return ", ".join(filter(None, (best, f"{bad} failed or diverged" if bad else "")))


def seeds_of(seeds: int | Iterable[int]) -> list[int]:
    """List the seeds."""
    if not hasattr(seeds, "__iter__"):
        return list(range(counted("seeds", seeds, 1)))
    numbers = [counted(f"seeds[{i}]", seed, 0) for i, seed in enumerate(seeds)]
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError(f"seeds must be different numbers, got {numbers}")
    return numbers


def rungs_of(rungs: Sequence[int], keep: float) -> tuple[list[int], float]:
    """Check what successive halving is asked for."""
    steps = [counted(f"rungs[{i}]", rung, 0) for i, rung in enumerate(rungs)]
    if steps != sorted(set(steps)):
        raise ValueError(f"rungs must rise, got {steps}")
    keep = measured("keep", keep)
    if not 0 < keep < 1:
        raise ValueError(f"keep must be above 0 and below 1, got {keep}")
    return steps, keep
