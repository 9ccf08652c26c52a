"""Rows of numbers in a file of JSON lines, appended one by one and read back."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Row = tuple[int, dict[str, float]]
"""A step, and what was measured there."""


class Journal:
    """Appends rows to a file, each by one write of a whole line; nothing is kept back in memory.

    A program that reads meanwhile finds whole lines, but perhaps for the last one. After a crash the file
    ends with whatever the system had got; a line that was torn is left behind by those that follow.

    Args:
        path: the file, which is made if it is not there.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self._open()

    def _open(self) -> None:
        self._file = os.open(
            self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
        )
        self._close = weakref.finalize(self, os.close, self._file)
        end = os.lseek(self._file, 0, os.SEEK_END)
        # What the last program could not finish must not swallow our first line.
        self._torn = False
        if end:
            os.lseek(self._file, end - 1, os.SEEK_SET)
            self._torn = os.read(self._file, 1) != b"\n"

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Write a row.

        Raises:
            OSError: it cannot be written.
        """
        # JSON has no NaN and no infinity, but has their names.
        cells = {name: value if math.isfinite(value) else str(value) for name, value in values.items()}
        line = ("\n" if self._torn else "") + json.dumps({"step": step, **cells}) + "\n"
        rest = line.encode()
        self._torn = True
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._torn = False

    def __getstate__(self) -> str:
        return self.path

    def __setstate__(self, path: str) -> None:
        self.path = path
        self._open()


def rows(path: str | os.PathLike[str]) -> Iterator[Row]:
    """Read the rows of a file of JSON lines, or of a CSV file with a column "step".

    Where the steps begin again, as after a checkpoint, the rows that were overtaken are left out.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is of neither kind.
    """
    read = csv_rows if Path(path).suffix.lower() == ".csv" else json_rows
    try:
        found: list[Row] = []
        for step, values in read(Path(path).read_text("utf-8")):
            if found and found[-1][0] > step:
                found = [row for row in found if row[0] < step]
            found.append((step, values))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    yield from found


def json_rows(text: str) -> Iterator[Row]:
    """Read JSON lines."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.rstrip().endswith("}"):
            # Nothing, or torn.
            continue
        try:
            row: Any = json.loads(line)
            step = int(row.pop("step"))
            yield step, {name: float(value) for name, value in row.items() if value is not None}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f'line {number} is no row such as {{"step": 0, "loss": 0.5}}') from None


def csv_rows(text: str) -> Iterator[Row]:
    """Read a CSV file with a line of names."""
    lines = csv.DictReader(io.StringIO(text, newline=""))
    if "step" not in (lines.fieldnames or ()):
        raise ValueError('there is no column "step"')
    for row in lines:
        try:
            step = int(row.pop("step"))
            yield step, {name: float(cell) for name, cell in row.items() if cell}
        except (ValueError, TypeError, AttributeError):
            raise ValueError(f"line {lines.line_num} is no row of numbers") from None
