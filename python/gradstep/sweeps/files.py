"""Trials in a CSV file, a row each, that a sweep goes on from."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from gradstep.files import replacing
from gradstep.sweeps.trials import Status, Trial, text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

BEFORE, AFTER = ("seed", "until", "status", "step"), ("seconds", "error")
"""The columns between those of the setting and the metrics, and those at the end."""


def write(path: str | os.PathLike[str], names: Sequence[str], trials: Iterable[Trial]) -> None:
    """Write trials into a file, which is replaced whole or stays as it was.

    Args:
        path: the file.
        names: those of the settings' arguments.
        trials: what to write.

    Raises:
        OSError: the file cannot be written.
    """
    trials = list(trials)
    metrics = list(dict.fromkeys(name for trial in trials for name in trial.metrics))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([*names, *BEFORE, *metrics, *AFTER])
    for trial in trials:
        writer.writerow(
            [
                *(text(trial.setting[name]) for name in names),
                *(trial.seed, trial.until, trial.status, trial.step),
                *(trial.metrics.get(name) for name in metrics),
                *(round(trial.seconds, 3), trial.error),
            ]
        )
    with replacing(path) as file:
        file.write(table.getvalue().encode())


def read(path: str | os.PathLike[str], names: Sequence[str]) -> list[Trial]:
    """Read what `write` wrote, the values of the settings as texts; nothing where there is no file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is that of another sweep, or none of a sweep at all.
    """
    try:
        lines = list(csv.reader(io.StringIO(Path(path).read_text("utf-8"), newline="")))
    except FileNotFoundError:
        return []
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no table of a sweep: {error}") from None
    if not lines:
        return []
    head = lines[0]
    first = [*names, *BEFORE]
    if head[: len(first)] != first or head[-len(AFTER) :] != [*AFTER]:
        raise ValueError(
            f"{path} has the columns {', '.join(head)}, but this sweep begins with {', '.join(first)}"
        )
    return [
        trial(path, number, dict(zip(head, line, strict=False)), names)
        for number, line in enumerate(lines[1:], 2)
    ]


def trial(path: str | os.PathLike[str], number: int, cells: dict[str, str], names: Sequence[str]) -> Trial:
    """Make a trial of the cells of a line."""
    others = {*names, *BEFORE, *AFTER}
    status: Any = cells.get("status")
    try:
        if status not in get_args(Status):
            raise ValueError(f"there is no status {status!r}")
        return Trial(
            {name: cells[name] for name in names},
            int(cells["seed"]),
            int(cells["until"]) if cells["until"] else None,
            status,
            int(cells["step"]) if cells["step"] else None,
            {name: float(cell) for name, cell in cells.items() if name not in others and cell},
            float(cells["seconds"]),
            cells["error"],
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}, line {number}, is no trial: {error}") from None
