"""What a sweep found, as a table."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradstep.sweeps import files
from gradstep.sweeps.summaries import Summary, summarize
from gradstep.sweeps.trials import described, text
from gradstep.tables import as_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from gradstep.sweeps.trials import Trial

WIDTH = 79
MOST_LINES = 40
MOST_COLUMNS = 5
"""Of arguments; more are written into one."""


class SweepTable:
    """The trials of a sweep, as `gradstep.sweep` makes them, and what they speak for.

    Attributes:
        trials: one for each setting and seed, in the order of the grid: the longest one that was made. Those
            that an interrupt left out are not there.
        names: the names of the settings' arguments.
        metric: what the settings are judged by.
        maximize: whether more of it is better.
        planned: how many trials there would be without an interrupt.

    Example:
        >>> import gradstep as gs
        >>> def run(report, lr, seed):
        ...     report(0, val_loss=(lr - 0.1) ** 2 + seed)
        >>> table = gs.sweep(run, {"lr": [0.01, 0.1]}, seeds=2, workers=0)
        >>> table
        sweep: 2 settings × 2 seeds, the mean of val_loss and its range
          lr  val_loss  over the seeds
        ----  --------  --------------  ----
        0.01    0.5081  0.0081 … 1.008
         0.1       0.5           0 … 1  best
        >>> table.best
        {'lr': 0.1}
    """

    def __init__(
        self, trials: Sequence[Trial], *, names: Sequence[str], metric: str, maximize: bool, planned: int
    ) -> None:
        self.trials, self.names = tuple(trials), tuple(names)
        self.metric, self.maximize, self.planned = metric, maximize, planned

    @cached_property
    def settings(self) -> tuple[Summary, ...]:
        """What each setting came to over its seeds, in the order of the grid."""
        return summarize(self.trials, self.metric)

    @property
    def best(self) -> dict[str, Any]:
        """The setting with the best mean over its seeds, of those that trained to the end with all of them.

        Raises:
            ValueError: there is none.
        """
        ranked = self.ranked()
        if not ranked:
            errors = [trial.error for trial in self.trials if trial.error]
            first = f", the first one by {errors[0]}" if errors else ""
            raise ValueError(
                f"no setting trained to the end with all seeds; {len(errors)} trials failed{first}"
            )
        return dict(ranked[0].setting)

    def ranked(self) -> list[Summary]:
        """List the settings that trained to the end with all seeds, the best one first."""
        whole = [summary for summary in self.settings if summary.is_whole]
        return sorted(whole, key=lambda summary: -summary.score if self.maximize else summary.score)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a row for each trial into a CSV file, which ``resume=`` of a sweep can go on from.

        Args:
            path: the file, which is replaced whole or stays as it was.

        Raises:
            OSError: the file cannot be written.
        """
        files.write(path, self.names, self.trials)

    def plot(self, x: str | None = None, *, ax: Axes | None = None, log: bool | None = None) -> Axes:
        """Draw the metric over one argument: the mean of the seeds, their range, and each of them.

        Args:
            x: the argument; by default the first one that has several numbers, or just several values. Each
                combination of the others has a curve of its own.
            ax: where to draw; a new figure by default.
            log: whether the metric has a logarithmic axis. By default it does if all values are above 0, and
                on a linear one at least half of a curve would lie within 2 % of the bottom.

        Returns:
            The Axes. It is never shown; a notebook does that by itself.

        Raises:
            ImportError: matplotlib is not installed: ``pip install matplotlib``.
            ValueError: there is no such argument, or nothing to draw.
        """
        from gradstep.plots import plot_sweep

        return plot_sweep(self.settings, self.metric, x, ax=ax, log=log)

    def __len__(self) -> int:
        """The number of trials that were made."""
        return len(self.trials)

    def __repr__(self) -> str:
        seeds = len({trial.seed for trial in self.trials})
        head = (
            f"sweep: {len(self.settings)} setting{'s' * (len(self.settings) != 1)} × "
            f"{seeds} seed{'s' * (seeds != 1)}, the mean of {self.metric} and its range"
        )
        lines = [cut(head, WIDTH)]
        if len(self.trials) < self.planned:
            lines.append(f"interrupted after {len(self.trials)} of {self.planned} trials")
        if self.settings:
            lines.append(self._table())
        if failure := next((trial for trial in self.trials if trial.status == "failed"), None):
            where = f"{described(failure.setting)}, seed {failure.seed}"
            lines.append(cut(f"failed: {where}: {failure.error}", WIDTH))
        return "\n".join(lines)

    def _table(self) -> str:
        shown = self.settings[:MOST_LINES]
        ranked = self.ranked()
        notes = ["best" if ranked and one is ranked[0] else one.note for one in shown]
        scores = [f"{one.score:.4g}" if math.isfinite(one.score) else "–" for one in shown]
        spreads = [one.spread for one in shown]
        measured = [
            column(cut(self.metric, 14), scores),
            column("over the seeds", spreads),
            column("", notes),
        ]
        room = WIDTH - sum(max(map(len, cells)) + 2 for cells in measured)
        if len(self.names) <= MOST_COLUMNS:
            width = room // len(self.names) - 2
            arguments = [
                column(cut(name, width), [cut(in_short(one.setting[name]), width) for one in shown])
                for name in self.names
            ]
        else:
            arguments = [column("setting", [cut(described(one.setting), room) for one in shown])]
        head, *rows = zip(*arguments, *measured, strict=True)
        lines = as_text(head, rows, left=0).split("\n")
        left_out = len(self.settings) - len(shown)
        return "\n".join([*lines, *([f"… and {left_out} more"] if left_out else [])])


def in_short(value: object) -> str:
    """Write a value of a setting with a few digits."""
    return f"{value:.4g}" if isinstance(value, float) else text(value)


def column(name: str, cells: Sequence[str]) -> tuple[str, ...]:
    """Put a name over cells."""
    return name, *cells


def cut(line: str, width: int) -> str:
    """Shorten what is too long.

    Example:
        >>> cut("learning_rate", 8), cut("lr", 8)
        ('learnin…', 'lr')
    """
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"
