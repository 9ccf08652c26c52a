"""Disks that are full, that fail, or that have a limit: at every operation on them, one after the other."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from faults.runs import loaded, save
from gradstep import files
from processes import HERE, printed


class Disk:
    """A disk whose operations are counted, and fail from a certain one on."""

    def __init__(self, fails_at: int, error: int, ever_after: bool) -> None:
        self.fails_at, self.error, self.ever_after, self.count = fails_at, error, ever_after, 0

    def operate(self) -> None:
        """Count one operation, or fail."""
        self.count += 1
        if self.count == self.fails_at or (self.ever_after and self.count > self.fails_at):
            raise OSError(self.error, os.strerror(self.error))

    @contextmanager
    def inserted(self) -> Iterator[None]:
        """Have it under all that saves files."""
        disk = self

        class File(io.FileIO):
            def write(self, data: Any) -> int:
                try:
                    disk.operate()
                except OSError:
                    super().write(memoryview(data)[: len(data) // 2])
                    raise
                return super().write(data)

        def opened(path: Any, mode: str, opener: Any = None) -> Any:
            disk.operate()
            return io.BufferedWriter(File(path, mode, opener=opener))

        def failing(function: Callable[..., Any]) -> Callable[..., Any]:
            def operation(*arguments: Any, **options: Any) -> Any:
                disk.operate()
                return function(*arguments, **options)

            return operation

        with (
            mock.patch.object(files, "open", opened, create=True),
            mock.patch.object(os, "fsync", failing(os.fsync)),
            mock.patch.object(os, "replace", failing(os.replace)),
            mock.patch.object(os, "link", failing(os.link)),
        ):
            yield


def fail_everywhere(folder: Path, suffix: str = ".npz") -> dict[str, int]:
    """Fail at each operation of a save with each error. Give counts."""
    path = folder / f"run{suffix}"
    counts = {"faults": 0, "old": 0, "new": 0}
    save(path, 1)
    for error, ever_after in ((errno.ENOSPC, True), (errno.EIO, False), (errno.EIO, True)):
        for keep in (1, 3):
            number = loaded(path)
            for fails_at in range(1, 1000):
                disk, said = Disk(fails_at, error, ever_after), None
                try:
                    with disk.inserted():
                        save(path, number + 1, keep=keep)
                except OSError as caught:
                    said = caught.errno
                if disk.count < fails_at:
                    break
                counts["faults"] += 1
                number = check(path, number, said is None, counts)
                assert said in (None, error), said
            else:
                raise AssertionError("a save has no end")
    return counts


def check(path: Path, number: int, succeeded: bool, counts: dict[str, int]) -> int:
    """Look for the new run after success, and otherwise for the old one; and that nothing is left behind."""
    found = loaded(path)
    assert found == number + succeeded
    counts["new" if succeeded else "old"] += 1
    assert not list(path.parent.glob(".gradstep-*.tmp"))
    for older in path.parent.glob(f"{path.stem}.*{path.suffix}"):
        assert loaded(older) <= found
    return found


LIMITED = """
import resource, signal, sys
sys.path.insert(0, {here!r})
from faults.runs import save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in {limits}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        save({path!r}, 2)
    except OSError as error:
        print(error.errno, end=" ")
"""


def limit_size(folder: Path, times: int, suffix: str = ".npz") -> dict[str, int]:
    """Limit the size of files to less than what a save takes."""
    path = folder / f"run{suffix}"
    save(path, 1)
    limits = [path.stat().st_size * i // times for i in range(times)]
    said = printed(LIMITED.format(here=str(HERE), limits=limits, path=str(path))).split()
    assert said == [str(errno.EFBIG)] * times
    counts = {"faults": times, "old": 0, "new": 0}
    check(path, 1, False, counts)
    counts["old"] = times
    return counts


def fill_up(folder: Path) -> dict[str, int] | None:
    """Leave less and less room in a file system in memory; None where nobody may mount one."""
    place = folder / "tmpfs"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mounting, capture_output=True, check=False).returncode:
        return None
    counts = {"faults": 0, "old": 0, "new": 0}
    try:
        path, filler = place / "run.npz", place / "filler"
        save(path, 1)
        needs = path.stat().st_size
        for room in range(0, needs + 4096, 2048):
            free = os.statvfs(place).f_bavail * os.statvfs(place).f_bsize
            filler.write_bytes(b"x" * max(0, free - room))
            number, said = loaded(path), None
            try:
                save(path, number + 1)
            except OSError as error:
                said = error.errno
                counts["faults"] += 1
            assert said in (None, errno.ENOSPC)
            check(path, number, said is None, counts)
            filler.unlink()
    finally:
        subprocess.run(["umount", str(place)], check=True)
    return counts
