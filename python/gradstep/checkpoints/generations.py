"""The checkpoints before the newest: run.1.npz is the one before run.npz, run.2.npz the one before that."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from gradstep.files import replacing


def shift(path: Path, keep: int) -> None:
    """Keep a file that is about to be replaced, and those before it; it has its name all the while.

    Args:
        path: of the newest file, which is replaced next.
        keep: how many files there are to be, with the one that takes its place.
    """
    newest = Path(os.path.realpath(path))
    older = [newest.with_name(f"{newest.stem}.{n}{newest.suffix}") for n in range(1, keep)]
    if not older or not newest.exists():
        return
    with suppress(FileNotFoundError):
        if newest.samefile(older[0]):
            return  # the last time, it was kept, and then not replaced
    for n in reversed(range(1, len(older))):
        with suppress(FileNotFoundError):
            os.replace(older[n - 1], older[n])
    try:
        os.link(newest, older[0])
    except OSError:  # file systems without links
        with newest.open("rb") as source, replacing(older[0]) as copy:
            shutil.copyfileobj(source, copy)
