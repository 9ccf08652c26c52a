"""Who has a directory."""

from __future__ import annotations

import os
import sys
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Lock:
    """The sole use of a directory, in this process and others, until it is released or gone.

    Where the system cannot lock directories (Windows, some network file systems), nothing is locked.

    Raises:
        BlockingIOError: somebody else has it.
    """

    def __init__(self, folder: Path) -> None:
        self.release: Callable[[], object] = int
        if sys.platform == "win32":
            return
        import fcntl

        with suppress(PermissionError):
            descriptor = os.open(folder, os.O_RDONLY)
            self.release = weakref.finalize(self, os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self.release()
                message = "another optimizer has its state there: delete that one, or take another directory"
                raise BlockingIOError(error.errno, message, str(folder)) from None
            except OSError:
                self.release()
