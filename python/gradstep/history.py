"""What a training run did, step by step, in bounded memory."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Self, SupportsFloat

from gradstep.files import replacing
from gradstep.journals import Journal, rows
from gradstep.scalars import counted, measured
from gradstep.series import Series

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from gradstep.optimizers import Optimizer

__all__ = ["History"]


class History:
    """Records the learning rate, the loss, the gradient norm and any other metric of each step.

    `record` costs a few microseconds at any length. A column holds at most ``capacity`` values: when it is
    full, every second value is dropped and from then on one value in twice as many is kept; the first and
    the last value always stay. Each column counts for itself, so that an accuracy measured once in 100 steps
    is not lost because the loss is recorded at every step; columns that are recorded together keep the same
    steps.

    Args:
        capacity: the most values that a column holds, at least 2.
        log: a file to which each row is appended as a line of JSON, whole, while the run goes on; nothing is
            thinned out there, and NaN and ±∞ are "nan", "inf" and "-inf". `read` reads it, and
            ``gradstep plot run.jsonl`` draws it.

    Attributes:
        capacity: as given.
        columns: the names of the columns, in order of appearance, without ``"step"``.

    Raises:
        TypeError: ``capacity`` is not an integer.
        ValueError: ``capacity`` is below 2.
        OSError: ``log`` cannot be written.

    Example:
        >>> import numpy as np
        >>> import gradstep as gs
        >>> w = np.array([4.0])
        >>> opt = gs.SGD(w, lr=gs.schedules.Linear(0.5, 0.0, steps=4))
        >>> history = gs.History()
        >>> for _ in range(3):
        ...     history.record(opt, loss=w[0] ** 2)
        ...     _ = opt.step(2 * w)
        >>> history.to_dict()
        {'step': [0, 1, 2], 'lr': [0.5, 0.375, 0.25], 'loss': [16.0, 0.0, 0.0]}

        With a capacity, the rows in between thin out:

        >>> history = gs.History(capacity=5)
        >>> for step in range(12):
        ...     history.record(step=step, loss=float(step))
        >>> history.to_dict()["step"]
        [0, 4, 8, 11]
    """

    def __init__(self, capacity: int = 10_000, *, log: str | os.PathLike[str] | None = None) -> None:
        self.capacity = counted("capacity", capacity, 2)
        self._journal = None if log is None else Journal(log)
        self._series: dict[str, Series] = {}
        self._next_row = 0
        self._next_step = 0

    def record(
        self,
        opt: Optimizer | None = None,
        /,
        *,
        step: int | None = None,
        lr: SupportsFloat | Sequence[SupportsFloat] | None = None,
        loss: SupportsFloat | None = None,
        grad_norm: SupportsFloat | None = None,
        **metrics: SupportsFloat | None,
    ) -> None:
        """Add a row.

        Given an optimizer, ``step``, ``lr`` and ``grad_norm`` are read from it where they are not given.
        Called before ``opt.step``, as above, a row has the loss, and the rate of the step that is about to
        follow from it. Called after, its step and rate still are a point of the schedule: those of the
        next step. The gradient norm is always that of the last step.

        Args:
            opt: the optimizer.
            step: the number of the step; without an optimizer one more than the last one, from 0.
            lr: the learning rate. A tuple, as of an optimizer with several groups, makes the columns
                ``"lr.0"``, ``"lr.1"``, …
            loss: the loss. NaN and ±∞ are recorded as they are.
            grad_norm: the norm of the gradients.
            metrics: other columns by name. None, here and above, is no value.

        Raises:
            TypeError: ``opt`` is not an optimizer, ``step`` not an integer, or a value not a number.
            ValueError: ``step`` is negative. Nothing has been recorded then, as after a TypeError.
            OSError: the log cannot be written. The row has been recorded here.
        """
        if opt is not None:
            if not (hasattr(opt, "step_count") and hasattr(opt, "lr")):
                kind = type(opt).__name__
                raise TypeError(f"opt must be an optimizer, got {kind}; name other values: loss=...")
            step = opt.step_count if step is None else step
            lr = opt.lr if lr is None else lr
            grad_norm = opt.grad_norm if grad_norm is None else grad_norm
        step = self._next_step if step is None else counted("step", step, 0)
        rates = (
            {f"lr.{i}": rate for i, rate in enumerate(lr)} if isinstance(lr, (tuple, list)) else {"lr": lr}
        )
        row = {**rates, "loss": loss, "grad_norm": grad_norm, **metrics}
        values = {name: measured(name, value) for name, value in row.items() if value is not None}
        for name, value in values.items():
            if name not in self._series:
                self._series[name] = Series(self.capacity, self._next_row)
            self._series[name].append(self._next_row, step, value)
        self._next_row += 1
        self._next_step = step + 1
        if self._journal is not None:
            self._journal.append(step, values)

    @classmethod
    def read(cls, path: str | os.PathLike[str], capacity: int = 10_000) -> Self:
        """Read what was logged, or what `to_csv` wrote.

        Lines that a crash has torn are left out, and so are rows that were overtaken: where a run went on
        from a checkpoint, its steps begin again, and those of the second time count.

        Args:
            path: a CSV file if its name ends in ".csv", and otherwise one of JSON lines.
            capacity: as of the class.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is of neither kind; or ``capacity`` is below 2.

        Example:
            >>> import tempfile
            >>> from pathlib import Path
            >>> import gradstep as gs
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     history = gs.History(log=Path(folder, "run.jsonl"))
            ...     history.record(loss=0.5)
            ...     history.record(loss=float("inf"))
            ...     print(Path(folder, "run.jsonl").read_text().splitlines())
            ...     gs.History.read(Path(folder, "run.jsonl")).series("loss")
            ['{"step": 0, "loss": 0.5}', '{"step": 1, "loss": "inf"}']
            ([0, 1], [0.5, inf])
        """
        history = cls(capacity)
        for step, values in rows(path):
            history.record(step=step, **values)
        return history

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order of appearance, without ``"step"``."""
        return tuple(self._series)

    def __len__(self) -> int:
        """The number of rows that are kept."""
        return len(self._rows())

    def series(self, name: str) -> tuple[list[int], list[float]]:
        """Give the steps and the values of one column.

        Args:
            name: the column.

        Raises:
            ValueError: there is no such column.

        Example:
            >>> import gradstep as gs
            >>> history = gs.History()
            >>> history.record(step=10, loss=0.5)
            >>> history.series("loss")
            ([10], [0.5])
        """
        if name not in self._series:
            raise ValueError(f"history has no column {name!r}; it has {', '.join(self.columns) or 'none'}")
        points = self._series[name].points
        return [point.step for point in points], [point.value for point in points]

    def to_dict(self) -> dict[str, list[Any]]:
        """Give the rows as ``{"step": [...], name: [...], ...}``, lists of one length.

        Where a column has no value in a row, or dropped it, there is None. All else is int and float.
        """
        rows = self._rows()
        place = {row: i for i, row in enumerate(rows)}
        table: dict[str, list[Any]] = {"step": list(rows.values())}
        for name, series in self._series.items():
            column: list[float | None] = [None] * len(rows)
            for point in series.points:
                column[place[point.row]] = point.value
            table[name] = column
        return table

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the rows as a CSV file with a line of names.

        Floats are written so that reading gives the same bits; where there is no value, the cell is empty.
        A file that is there already is replaced in one moment: at any time it is the old one or the new one,
        whole, and if this fails it is the old one.

        Args:
            path: the file to write, in UTF-8.

        Raises:
            OSError: the file cannot be written.
        """
        table = self.to_dict()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
        with replacing(path) as file:
            file.write(text.getvalue().encode())

    def plot(self, *columns: str, ax: Axes | None = None, log: bool | None = None) -> Axes:
        """Draw columns over the steps; needs matplotlib (``pip install matplotlib``).

        Learning rates that are drawn with other columns have an axis of their own, on the right.

        Args:
            columns: what to draw. By default every loss, which is a column with "loss" in its name, and
                every learning rate; if there is no loss, all columns.
            ax: where to draw; a new figure by default.
            log: whether the left axis is logarithmic. By default it is if all values are above 0, and on a
                linear one at least half of a curve would lie within 2 % of the bottom.

        Returns:
            The Axes, that of the left axis. It is never shown; a notebook does that by itself.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: there is no such column, or none at all.
        """
        from gradstep.plots import plot_history, shown_by_default

        names = columns or shown_by_default(self.columns)
        return plot_history({name: self.series(name) for name in names}, ax=ax, log=log)

    def _rows(self) -> dict[int, int]:
        """The step of each row that any column keeps, in order of recording."""
        rows = {point.row: point.step for series in self._series.values() for point in series.points}
        return dict(sorted(rows.items()))
