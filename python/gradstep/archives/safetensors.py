"""The form .safetensors: a header in JSON, which says where each array is, and then the arrays.

It is written and read without the package of that name, which would copy all arrays to do so.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep._core import Checksum
from gradstep.archives import headers
from gradstep.archives.contents import Content
from gradstep.archives.errors import CheckpointError
from gradstep.archives.later import present
from gradstep.archives.pieces import pieces
from gradstep.archives.stored import Form, Stored

if TYPE_CHECKING:
    from typing import BinaryIO

    from gradstep.archives.trees import Arrays, Tree

METADATA, KEY, SUM = "__metadata__", "gradstep", "gradstep.xxh3"
DTYPES = {
    "|b1": "BOOL",
    "|i1": "I8",
    "|u1": "U8",
    "<i2": "I16",
    "<u2": "U16",
    "<f2": "F16",
    "<i4": "I32",
    "<u4": "U32",
    "<f4": "F32",
    "<i8": "I64",
    "<u8": "U64",
    "<f8": "F64",
    "<c8": "C64",
}
"""The format's names by those of NumPy."""
LENGTH = struct.Struct("<Q")
ALIGNED = 8


def write(file: BinaryIO, tree: Tree, arrays: Arrays) -> None:
    """Write a file: the header first, for which all checksums are taken beforehand.

    Raises:
        ValueError: the format has no such dtype.
    """
    for name, array in arrays.items():
        if array.dtype.str not in DTYPES:
            raise ValueError(f"{name!r} has dtype {array.dtype}, which .npz has, but .safetensors has not")
    # Readers that lend memory want every element at a multiple of its size.
    ordered = sorted(arrays.items(), key=lambda pair: -pair[1].itemsize)
    forms = {
        name: Form(array.dtype, array.shape, "C", checksum_of(present(array))) for name, array in ordered
    }
    own = headers.write(tree, forms)
    header: dict[str, Any] = {METADATA: {KEY: own.decode("ascii"), SUM: checksum_of_bytes(own)}}
    at = 0
    for name, form in forms.items():
        header[name] = entry(form, at)
        at += form.nbytes
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % ALIGNED)
    file.write(LENGTH.pack(len(text)) + text)
    for _, array in ordered:
        for piece in pieces(present(array), "C"):
            file.write(piece.data)


def read(file: BinaryIO, size: int, limit: int) -> Content:
    """Read the header, and find the arrays."""
    file.seek(0)
    head = file.read(LENGTH.size)
    length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else size
    if LENGTH.size + length > size:
        raise CheckpointError("it is neither a .npz nor a .safetensors file, or its end is missing")
    # The header of gradstep is in that of the form, with a backslash before each quote; and the arrays again.
    headers.check_size(length, 3 * limit)
    try:
        outer = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=headers.unique)
    except CheckpointError:
        raise
    except (ValueError, RecursionError):
        raise CheckpointError("its header is no JSON, or nested too deeply") from None
    metadata = outer.pop(METADATA, None) if isinstance(outer, dict) else None
    if not (isinstance(metadata, dict) and isinstance(metadata.get(KEY), str)):
        raise CheckpointError("it has no header of gradstep")
    own = metadata[KEY].encode("ascii", "replace")
    if metadata.get(SUM) != checksum_of_bytes(own):
        raise CheckpointError("its header is damaged")
    header, forms = headers.read(own)
    if unlike := outer.keys() ^ forms.keys():
        raise CheckpointError(f"its headers differ in {min(unlike)!r}")
    at, begin = 0, LENGTH.size + length
    arrays = {}
    for name, form in forms.items():
        if form.dtype.str not in DTYPES or form.order != "C" or outer[name] != entry(form, at):
            raise CheckpointError(f"its headers differ in {name!r}")
        arrays[name] = Stored(file, name, form, begin + at)
        at += form.nbytes
    if begin + at != size:
        raise CheckpointError("its size is not that of its arrays")
    return Content(".safetensors", header, arrays)


def entry(form: Form, at: int) -> dict[str, Any]:
    """Say where an array is, as the form has it."""
    return {
        "dtype": DTYPES[form.dtype.str],
        "shape": list(form.shape),
        "data_offsets": [at, at + form.nbytes],
    }


def checksum_of(array: np.ndarray[Any, Any]) -> str:
    """Take the checksum of an array's elements in C order."""
    checksum = Checksum()
    for piece in pieces(array, "C"):
        checksum.update(piece)
    return checksum.hexdigest()


def checksum_of_bytes(text: bytes) -> str:
    """Take the checksum of a text."""
    return checksum_of(np.frombuffer(text, np.uint8))
