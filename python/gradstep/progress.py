"""A progress bar on one line of a terminal."""

import os
import shutil
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO


class ProgressBar:
    """Counts up to `total` on `stream` if that is a terminal, and wipes itself off at the end.

    Where `stream` is a file, a pipe or a terminal that cannot wipe a line (TERM=dumb), nothing is written.

    Args:
        total: how many times `advance` will be called.
        stream: where to draw.
    """

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total, self.stream, self.done, self.label = total, stream, 0, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._draw("")

    def advance(self) -> None:
        """Count one more."""
        self.done += 1
        bar = "#" * (30 * self.done // self.total)
        self._draw(f"[{bar:.<30}] {self.done / self.total:4.0%}  {self.label}")

    def _draw(self, line: str) -> None:
        if self.stream.isatty() and os.environ.get("TERM") != "dumb":
            # One column short of the width: a full line would wrap, and \r could not go back over it.
            shown = line[: shutil.get_terminal_size().columns - 1]
            with suppress(OSError):  # a terminal that has gone ends no work
                self.stream.write("\r\x1b[K" + shown)
                self.stream.flush()
