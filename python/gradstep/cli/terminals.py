"""What a terminal is like: how wide, and whether it shows colours."""

import os
import shutil
import sys
import textwrap
from typing import TextIO

WIDEST_TEXT = 100
"""Lines of running text get no longer: they are hard to read then."""
NARROWEST = 20
ERROR, PLAIN = "\x1b[1;31m", "\x1b[0m"


def columns() -> int:
    """Count the columns of the terminal: those of the variable COLUMNS, and 80 where nobody knows."""
    return max(NARROWEST, shutil.get_terminal_size().columns)


def text_width() -> int:
    """Count the columns that running text may fill."""
    return min(WIDEST_TEXT, columns())


def table_width() -> int | None:
    """Count the columns that a table may fill: any number in a file or a pipe, where programs read it."""
    return columns() if sys.stdout.isatty() or os.environ.get("COLUMNS") else None


def wrapped(line: str) -> str:
    """Break running text where a table would be broken."""
    width = table_width()
    return line if width is None else textwrap.fill(line, width, break_on_hyphens=False)


def shows_colour(stream: TextIO) -> bool:
    """Tell whether to write in colours: to a terminal that has them, unless NO_COLOR is set.

    FORCE_COLOR asks for them anywhere. https://no-color.org, https://force-color.org
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
