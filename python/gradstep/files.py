"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["check_replaceable", "replacing"]

MODE_OF_NEW_FILES = 0o666
"""Less what the process's umask takes away, as everywhere."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place at the end of the ``with`` block, and not before.

    It is written beside the old file, brought to the disk, and then takes the old one's name. So a program
    that reads meanwhile, or after a crash, finds the old content or the new, whole. If anything goes wrong
    the old file is as it was, and nothing else is left behind; nor is there if the program is killed, where
    the system has files without names, as Linux has. Elsewhere that leaves a file ``.gradstep-….tmp``.

    The permissions stay those of the old file, and its owner where the system allows that. Of a symbolic
    link the target is replaced. What is no regular file, such as a pipe, is written to directly.

    Args:
        path: where the file is, or will be. Its directory has to be there, and writable.

    Returns:
        A context manager that gives the binary file to write to.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from gradstep.files import replacing
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "x.txt")
        ...     with replacing(path) as file:
        ...         _ = file.write(b"whole")
        ...     try:
        ...         with replacing(path) as file:
        ...             _ = file.write(b"hal")
        ...             raise RuntimeError("power cut")
        ...     except RuntimeError:
        ...         print(path.read_text(), [one.name for one in Path(folder).iterdir()])
        whole ['x.txt']
    """
    path = Path(path)
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    if old is not None and not S_ISREG(old.st_mode):
        with path.open("wb") as file:
            yield file
        return
    if old is not None:
        # Its directory would let us replace a file that we may not write to.
        with path.open("r+b") as replaced:
            forget(replaced.fileno())
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".gradstep-{os.urandom(8).hex()}.tmp")
    # Nobody may read the new file who may not read the old one, not even while it is written.
    mode = MODE_OF_NEW_FILES if old is None else S_IMODE(old.st_mode) & 0o777
    is_named = False

    def opener(name: str, flags: int) -> int:
        nonlocal is_named
        descriptor = open_unnamed(target.parent, mode)
        is_named = descriptor is None
        return os.open(name, flags, mode) if descriptor is None else descriptor

    try:
        with open(beside, "xb", opener=opener) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if not is_named:
                give_name(file.fileno(), beside)
        if old is not None:
            with suppress(AttributeError, OSError):  # no chown on Windows, and not for everybody elsewhere
                os.chown(beside, old.st_uid, old.st_gid)
            beside.chmod(mode)
        os.replace(beside, target)
    except BaseException as error:
        with suppress(OSError):
            beside.unlink()
        if isinstance(error, OSError) and error.filename == str(beside):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    sync_directory(target.parent)


def forget(descriptor: int) -> None:
    """Have the system use a file's pages in its memory for another one; the file stays."""
    # The new file then needs no memory beside that of the old one: the same as writing into it.
    with suppress(AttributeError, OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def open_unnamed(folder: Path, mode: int) -> int | None:
    """Open a file that has no name as yet, and so is gone with the program, where there is such a thing."""
    if not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, mode)
    except (AttributeError, OSError):
        return None


def give_name(descriptor: int, path: Path) -> None:
    """Give a file a name that was opened without."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # With a directory Python calls `linkat`, which follows the link in /proc; without, it would not.
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder)
    finally:
        os.close(folder)


def check_replaceable(path: str | os.PathLike[str]) -> None:
    """Raise what `replacing` would at the start, so that it is known before the work is done; leave no trace.

    Raises:
        OSError: the file could not be written.
    """

    class CheckedError(Exception):
        pass

    with suppress(CheckedError), replacing(path):
        raise CheckedError


def sync_directory(folder: Path) -> None:
    """Bring a directory's entries to the disk, where a directory can be opened."""
    # The file is in its place by now; whether a crash within seconds would bring back the old one is all that
    # is left open, and no reason to call the file not written.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
