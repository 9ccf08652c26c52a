"""The form .npz: a zip of .npy files, which `numpy.load` reads, and the header as one more member."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

from gradstep._core import Checksum
from gradstep.archives import headers, zips
from gradstep.archives.contents import Content
from gradstep.archives.errors import CheckpointError
from gradstep.archives.later import present
from gradstep.archives.pieces import order_of, pieces
from gradstep.archives.stored import Form, Stored

if TYPE_CHECKING:
    from typing import BinaryIO

    from gradstep.archives.trees import Arrays, Tree

HEADER = "gradstep.json"
ALIGNED = 64
"""Bytes; NumPy's own .npy files begin with a multiple of it."""


def write(file: BinaryIO, tree: Tree, arrays: Arrays) -> None:
    """Write a file: the arrays one after the other, and the header, which has their checksums, at the end."""
    forms = {}
    with zipfile.ZipFile(file, "w") as archive:
        for name, promised in arrays.items():
            array = present(promised)
            form = Form(array.dtype, array.shape, order_of(array))
            begin = beginning(form)
            member = zipfile.ZipInfo(f"{name}.npy")
            member.file_size = len(begin) + array.nbytes
            checksum = Checksum()
            with archive.open(member, "w") as stream:
                stream.write(begin)
                for piece in pieces(array, form.order):
                    stream.write(piece.data)
                    checksum.update(piece)
            forms[name] = form._replace(checksum=checksum.hexdigest())
        with archive.open(zipfile.ZipInfo(HEADER), "w") as stream:
            stream.write(headers.write(tree, forms))


def read(file: BinaryIO, size: int, limit: int) -> Content:
    """Read the header, and find the arrays."""
    members = zips.members(file, size, limit)
    if HEADER not in members:
        raise CheckpointError(f"it has no member {HEADER!r}, so gradstep has not written it")
    member = members.pop(HEADER)
    headers.check_size(member.size, limit)
    header, forms = headers.read(zips.read_member(file, HEADER, member))
    if unlike := members.keys() ^ {f"{name}.npy" for name in forms}:
        raise CheckpointError(f"its header and its directory differ in {min(unlike)!r}")
    arrays = {name: found(file, name, form, members[f"{name}.npy"]) for name, form in forms.items()}
    return Content(".npz", header, arrays)


def found(file: BinaryIO, name: str, form: Form, member: zips.Member) -> Stored:
    """Find the bytes of an array in its member."""
    begin = beginning(form)
    if member.size != len(begin) + form.nbytes:
        raise CheckpointError(f"its member '{name}.npy' has not the size that the header says")
    file.seek(member.offset)
    if file.read(len(begin)) != begin:
        raise CheckpointError(f"its member '{name}.npy' does not begin as the header says")
    return Stored(file, name, form, member.offset + len(begin))


def beginning(form: Form) -> bytes:
    r"""Write what stands before the elements in a .npy file of version 1.0.

    Files are compared with it byte by byte, so that nothing in them needs to be understood.

    Example:
        >>> import numpy as np
        >>> from gradstep.archives.npz import beginning
        >>> from gradstep.archives.stored import Form
        >>> beginning(Form(np.dtype("<f4"), (3, 4), "C"))[:69].decode("latin-1")
        "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }"
    """
    described = {"descr": form.dtype.str, "fortran_order": form.order == "F", "shape": form.shape}
    text = f"{{{''.join(f'{key!r}: {value!r}, ' for key, value in described.items())}}}"
    head = len(b"\x93NUMPY\x01\x00") + 2
    width = -(-(head + len(text) + 1) // ALIGNED) * ALIGNED - head
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", width) + f"{text:<{width - 1}}\n".encode("ascii")
