"""What a sweep tries, and what each trial comes to."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, SupportsFloat, SupportsIndex

import numpy as np

from gradstep import randomness
from gradstep.scalars import counted, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Status = Literal["done", "stopped", "diverged", "failed"]
OWN_COLUMNS = ("seed", "until", "status", "step", "seconds", "error")
"""Names of a trial that no setting and no metric can have."""


class Task(NamedTuple):
    """What a trial is to be.

    Attributes:
        setting: the arguments of the run by name.
        seed: that of the run.
        until: the step at whose report it is stopped, or None.
    """

    setting: dict[str, Any]
    seed: int
    until: int | None


class Outcome(NamedTuple):
    """What a trial came to, in types that every process can read; see `Trial`."""

    status: Status
    step: int | None
    metrics: dict[str, float]
    seconds: float
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Trial:
    """One run of a sweep, with one setting and one seed.

    Attributes:
        setting: the arguments of the run by name.
        seed: that of the run.
        until: the step at which it was to be stopped, or None.
        status: "done"; "stopped" at a rung; "diverged" where the metric was not finite; "failed".
        step: the last one that was reported, or None.
        metrics: the last values reported, by name.
        seconds: how long it took.
        error: what went wrong, in a line; empty if nothing did.
        traceback: the same with the lines of code, where they are known.

    Example:
        >>> from gradstep.sweeps import Trial
        >>> Trial({"lr": 0.1}, 0, None, "done", 9, {"val_loss": 0.5}, 1.5).metrics
        {'val_loss': 0.5}
    """

    setting: dict[str, Any]
    seed: int
    until: int | None
    status: Status
    step: int | None
    metrics: dict[str, float]
    seconds: float
    error: str = ""
    traceback: str = ""


class TrialEnd(BaseException):
    """Ends a run from inside its reports; not to be caught by what catches errors."""

    def __init__(self, status: Status, error: str = "") -> None:
        super().__init__(error)
        self.status: Status = status


class Report:
    """What a run calls as it goes, ``report(step, val_loss=...)``.

    Args:
        metric: what the sweep is judged by.
        task: what is run.

    Raises:
        TypeError: on a call: ``step`` is no integer, or a value no number.
        ValueError: on a call: a metric is called as an argument of the run is, or a column of the table.
    """

    def __init__(self, metric: str, task: Task) -> None:
        self.metric, self.task = metric, task
        self.step: int | None = None
        self.metrics: dict[str, float] = {}

    def __call__(self, step: SupportsIndex, /, **metrics: SupportsFloat) -> None:
        """Take the metrics of a step."""
        step = counted("step", step, 0)
        for name in metrics:
            if name in OWN_COLUMNS or name in self.task.setting:
                raise ValueError(f"a metric cannot be called {name!r}, which the table has already")
        values = {name: measured(name, value) for name, value in metrics.items()}
        self.step, self.metrics = step, {**self.metrics, **values}
        value = values.get(self.metric, 0.0)
        if not isfinite(value):
            raise TrialEnd("diverged", f"{self.metric} was {value} at step {step}")
        if self.task.until is not None and step >= self.task.until and self.metric in self.metrics:
            raise TrialEnd("stopped")


def execute(run: Callable[..., object], metric: str, task: Task) -> Outcome:
    """Make a trial in this process, from random states that follow from its seed; no error gets out."""
    report = Report(metric, task)
    begin = time.perf_counter()
    status: Status = "done"
    error = lines = ""
    randomness.seed(task.seed)
    try:
        # A rate that is too large leads to overflow, and some are meant to.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            run(report, seed=task.seed, **task.setting)
    except TrialEnd as end:
        status, error = end.status, str(end)
    except (Exception, SystemExit) as raised:
        status, error, lines = "failed", brief(raised), traceback.format_exc()
    if status == "done" and metric not in report.metrics:
        reported = ", ".join(report.metrics) or "nothing"
        status, error = "failed", f"the run reported no {metric}; it reported {reported}"
    return Outcome(status, report.step, report.metrics, time.perf_counter() - begin, error, lines)


def brief(error: BaseException) -> str:
    """Say in a line what was raised.

    Example:
        >>> brief(ValueError("shapes   do not fit"))
        'ValueError: shapes do not fit'
    """
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


def settings_of(grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List all combinations of a grid; the last argument changes fastest.

    Raises:
        TypeError: it is no dict of lists.
        ValueError: it is empty, has a name that is taken or a value twice.

    Example:
        >>> settings_of({"lr": [0.1, 0.01], "momentum": [0.9]})
        [{'lr': 0.1, 'momentum': 0.9}, {'lr': 0.01, 'momentum': 0.9}]
    """
    if not hasattr(grid, "items"):
        raise TypeError(f"grid must be a dict of lists, got {type(grid).__name__}")
    columns: dict[str, list[Any]] = {}
    for name, values in grid.items():
        if not isinstance(name, str):
            raise TypeError(f"grid must have names as its keys, got {type(name).__name__}")
        if name in (*OWN_COLUMNS, "report"):
            raise ValueError(f"an argument of a run cannot be called {name!r}, which every run has already")
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
            raise TypeError(f"grid[{name!r}] must be a list of values, got {type(values).__name__}")
        columns[name] = [value.item() if isinstance(value, np.generic) else value for value in values]
        if not columns[name]:
            raise ValueError(f"grid[{name!r}] must have at least one value, got none")
        texts = [text(value) for value in columns[name]]
        if twice := next((one for one in texts if texts.count(one) > 1), None):
            raise ValueError(f"grid[{name!r}] has {twice} twice")
    if not columns:
        raise ValueError("grid must have at least one argument, got none")
    return [dict(zip(columns, values, strict=True)) for values in product(*columns.values())]


def text(value: object) -> str:
    """Write a value of a setting as tables and files have it: functions and classes by their names.

    Example:
        >>> import gradstep as gs
        >>> text(0.1), text("adam"), text(gs.Adam), text(gs.schedules.Constant(0.1))
        ('0.1', 'adam', 'Adam', 'Constant(value=0.1)')
    """
    if isinstance(value, str):
        return value
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(value)


def described(setting: Mapping[str, Any]) -> str:
    """Write a setting in a line.

    Example:
        >>> described({"lr": 0.1, "rule": "adam"})
        'lr=0.1, rule=adam'
    """
    return ", ".join(f"{name}={text(value)}" for name, value in setting.items())
