"""Directories in which ranks keep their state in files: one for each rank, below one for all of them."""

from __future__ import annotations

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradstep.directories.names import SEAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradstep.optimizers import Optimizer

NAME = re.compile(r"rank-\d+-of-(\d+)")
OPTION = "state_dir"


def placed(options: Mapping[str, Any], rank: int, ranks: int) -> dict[str, Any]:
    """Give the options of one rank's optimizer, with a directory of its own if there is one for all.

    Raises:
        FileExistsError: that has the state of another number of ranks.
    """
    given = options.get(OPTION)
    if given is None:
        return dict(options)
    check(Path(given), ranks)
    return {**options, OPTION: Path(given, f"rank-{rank}-of-{ranks}") if ranks > 1 else given}


def check(path: Path, ranks: int) -> None:
    """Refuse a directory in which another number of ranks has its state."""
    with suppress(FileNotFoundError):
        found = os.listdir(path)
        others = {int(match[1]) for match in map(NAME.fullmatch, found) if match} - {ranks}
        if SEAL in found and ranks > 1:
            others.add(1)
        if others:
            message = (
                f"it has the state of {counted(min(others))}, but there {'are' if ranks > 1 else 'is'} "
                f"{counted(ranks)}: go on with as many, save, and load that over others; or take another "
                "directory"
            )
            raise FileExistsError(errno.EEXIST, message, str(path))


def counted(ranks: int) -> str:
    """Write ``2 ranks``."""
    return f"{ranks} rank{'s' if ranks > 1 else ''}"


def abandon(optimizer: Optimizer) -> None:
    """Remove the files of an optimizer that is not to be, if it has made them, and let others have them."""
    directory = optimizer._directory
    if directory is not None:
        if not directory.resumed:
            shutil.rmtree(directory.path, ignore_errors=True)
        directory.abandon()
