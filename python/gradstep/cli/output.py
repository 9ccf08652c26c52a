"""Where a command's words go: streams that may be full, closed or without a reader, and files."""

import errno
import io
import json
import math
import os
import sys
from contextlib import suppress
from pathlib import Path

from gradstep.cli.terminals import ERROR, PLAIN, shows_colour
from gradstep.files import replacing

STDOUT = "-"
"""What stands for standard output in the place of a file."""


class ClosedStream(io.StringIO):
    """Stands for a standard stream that was closed from the start, as by `>&-`; refuses what was written."""

    def flush(self) -> None:
        """Say what writing to a closed file says, once."""
        if self.getvalue():
            self.seek(0)
            self.truncate()
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def open_streams() -> None:
    """Make both standard streams writable for the code of the commands."""
    sys.stdout = sys.stdout or ClosedStream()
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show "µ" gets "?", not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Under PYTHONUNBUFFERED argparse would find that its help cannot be written, and says nothing then.
        sys.stdout.reconfigure(line_buffering=False, write_through=False)


def settle_streams() -> None:
    """Let go of what could not be written, or Python would try again at its exit, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(message: str, *, coloured: bool = True) -> None:
    """Write a line to standard error, if that can be; in colour what comes before the first ": "."""
    if coloured and shows_colour(sys.stderr):
        head, colon, rest = message.partition(": ")
        message = f"{ERROR}{head}{colon.rstrip()}{PLAIN}{colon.lstrip(':')}{rest}"
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)


def finite(value: float) -> float | None:
    """Give None for what JSON has no number for, as of a run that has diverged."""
    return value if math.isfinite(value) else None


def write_text(path: Path, text: str) -> None:
    """Put a file into its place, whole."""
    with replacing(path) as file:
        file.write(text.encode())


def write_json(target: Path | str, content: object) -> None:
    """Put a file with JSON into its place, whole, or print it if the target is `STDOUT`."""
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    if isinstance(target, Path):
        write_text(target, text)
    else:
        sys.stdout.write(text)
