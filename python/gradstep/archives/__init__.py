"""Files of a tree of plain values and arrays: written as a stream, and read with nothing of them trusted.

Two forms hold the same: .npz, which is a zip of .npy files, and .safetensors. Both have a header in JSON,
with what is no array, and the form and the checksum of each array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradstep.archives import npz, safetensors
from gradstep.archives.contents import Content
from gradstep.archives.errors import CheckpointError
from gradstep.archives.later import Later
from gradstep.archives.stored import Stored
from gradstep.archives.trees import flattened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath
    from typing import BinaryIO

    from gradstep.archives.trees import Arrays, Tree

    Writer = Callable[[BinaryIO, Tree, Arrays], None]

__all__ = ["CheckpointError", "Content", "Later", "Stored", "flattened", "read", "writer"]

WRITERS: dict[str, Writer] = {".npz": npz.write, ".safetensors": safetensors.write}
"""By the suffixes of paths."""


def writer(path: PurePath) -> Writer:
    """Choose the form that a path asks for.

    Raises:
        ValueError: there is no such form.
    """
    if path.suffix.lower() not in WRITERS:
        raise ValueError(f"path must end in {' or '.join(WRITERS)}, got {str(path)!r}")
    return WRITERS[path.suffix.lower()]


def read(file: BinaryIO, limit: int) -> Content:
    """Read what a file says of itself, and none of its arrays.

    Args:
        file: it can seek. The arrays are read from it later.
        limit: the most bytes that the header may have.

    Raises:
        CheckpointError: it is none of the two forms, or damaged.
        OSError: it cannot be read.
    """
    size = file.seek(0, 2)
    file.seek(0)
    return npz.read(file, size, limit) if file.read(2) == b"PK" else safetensors.read(file, size, limit)
