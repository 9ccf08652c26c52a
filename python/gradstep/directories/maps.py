"""Files of NumPy's format that lie in memory: made at their full size, opened, and brought to the disk."""

from __future__ import annotations

import errno
import math
import mmap
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK = 1 << 20
"""How many zeros are written at once."""
NOT_THERE = {errno.EINVAL, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.ENOSYS), errno.ENODEV}
"""What systems say that cannot set room aside."""


def made(path: Path, header: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Make a file that holds zeros, with all its room on the disk set aside, and map it.

    Raises:
        OSError: it is there already, or there is no room for it; then it may be there in part.
    """
    with open(path, "xb+") as file:
        np.lib.format.write_array_header_1_0(file, dict(header))  # type: ignore[no-untyped-call, unused-ignore]
        file.flush()
        start = file.tell()
        size = start + size_of(header)
        if not set_aside(file, size):
            write_zeros(file, size - start)
        return mapped(file, start, size)


def opened(path: Path, header: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Map a file that was made before.

    Raises:
        OSError: it cannot be opened, or its holes cannot be filled.
        ValueError: it is not what was made.
    """
    with open(path, "rb+") as file:
        try:
            version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call, unused-ignore]
            if version != (1, 0):
                raise ValueError(f"its format has the version {version}, not (1, 0)")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
        except ValueError as error:
            raise ValueError(f"{path} is not the .npy file that was made: {error}") from error
        descr = np.lib.format.dtype_to_descr(dtype)
        found = {"descr": descr, "fortran_order": fortran_order, "shape": shape}
        if found != header:
            raise ValueError(f"{path} has the header {found}, but was made with {dict(header)}")
        start = file.tell()
        wanted, size = start + size_of(header), os.fstat(file.fileno()).st_size
        if size != wanted:
            raise ValueError(f"{path} has {size} bytes, but was made with {wanted}")
        set_aside(file, size)
        return mapped(file, start, size)


def size_of(header: Mapping[str, Any]) -> int:
    """Count the bytes of the elements."""
    shape: tuple[int, ...] = header["shape"]
    return math.prod(shape) * int(np.dtype(header["descr"]).itemsize)


def set_aside(file: BinaryIO, size: int) -> bool:
    """Let the system set room aside for all of a file, whose content stays. Tell whether it can."""
    if sys.platform == "win32" or sys.platform == "darwin":
        return False
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in NOT_THERE:
            return False
        raise OSError(error.errno, error.strerror, file.name) from None
    return True


def write_zeros(file: BinaryIO, count: int) -> None:
    """Take room by writing to it, which nothing but a system that compresses can take for less."""
    zeros = bytes(min(count, BLOCK))
    for at in range(0, count, BLOCK):
        file.write(zeros[: count - at])
    file.flush()


def mapped(file: BinaryIO, start: int, size: int) -> NDArray[np.uint8]:
    """Map a file; give its bytes from a place on."""
    if sys.version_info >= (3, 13) and sys.platform != "win32":
        # Else each map has a descriptor of its own, of which a process may have a thousand or so.
        memory = mmap.mmap(file.fileno(), size, trackfd=False)
    else:
        memory = mmap.mmap(file.fileno(), size)
    return np.frombuffer(memory, np.uint8, size - start, start)


def maps_below(arrays: list[Any]) -> Iterator[mmap.mmap]:
    """Give each map of a file that some of the arrays are views of, once."""
    seen = set()
    for array in arrays:
        below: Any = array
        while below is not None and not isinstance(below, mmap.mmap):
            below = below.obj if isinstance(below, memoryview) else getattr(below, "base", None)
        if below is not None and id(below) not in seen:
            seen.add(id(below))
            yield below
