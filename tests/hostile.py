"""Files that nobody should load, made of a good one."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

import gradstep as gs
from gradstep import archives
from gradstep.archives import npz, safetensors
from gradstep.checkpoints import saving
from gradstep.checkpoints.names import Names

Header = dict[str, Any]


def run() -> gs.Adam:
    opt = gs.Adam(
        {"w": np.ones((2, 3)), "b": np.ones(3, np.float32)},
        lr=gs.feedback.Plateau(gs.schedules.Constant(1.0)),
    )
    opt.step({"w": np.ones((2, 3)), "b": np.ones(3)})
    return opt


def saved(write: Any = npz.write) -> bytes:
    file = io.BytesIO()
    opt = run()
    tree = {"optimizers": {"": saving.put_down(opt, True, "saved")}, "extra": {"best": np.ones(4)}}
    write(file, *archives.flattened(tree, Names().name))
    return file.getvalue()


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(saved())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(contents: dict[str, bytes], **options: Any) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, **options)
    return file.getvalue()


def with_header(change: Callable[[Header], object]) -> bytes:
    contents = members()
    header = json.loads(contents["gradstep.json"])
    change(header)
    contents["gradstep.json"] = json.dumps(header).encode()
    return zipped(contents)


def with_text(change: Callable[[str], str]) -> bytes:
    contents = members()
    contents["gradstep.json"] = change(contents["gradstep.json"].decode()).encode()
    return zipped(contents)


def put(*path: Any) -> Callable[[Header], None]:
    """Something that puts the last of these at the place that the others lead to."""

    def spoil(header: Any) -> None:
        *place, key, value = path
        for step in place:
            header = header[step]
        if value is ...:
            del header[key]
        else:
            header[key] = value

    return spoil


class Bomb:
    """What is run when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('a pickle was loaded')",)


def pickled() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Bomb()]), allow_pickle=True)
    return zipped(members() | {"params/w.npy": file.getvalue()})


def spliced(at: int, form: str, value: int, signature: bytes = b"PK\x01\x02") -> bytes:
    """Another number in the first record with a signature."""
    content = bytearray(saved())
    struct.pack_into(form, content, content.index(signature) + at, value)
    return bytes(content)


def overlapping() -> bytes:
    """Two entries of the directory for the bytes of one member."""
    content = bytearray(saved())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    struct.pack_into("<L", content, second + 42, 0)
    return bytes(content)


def duplicate() -> bytes:
    """Names of one length, of which one becomes the other."""
    contents = members()
    content = zipped(contents | {"params/v.npy": contents["params/w.npy"]})
    return content.replace(b"params/v.npy", b"params/w.npy")


def many_members() -> bytes:
    return zipped({f"{i:0200}": b"" for i in range(20_000)})


def end_in_64(size: int) -> bytes:
    """A directory that is said to be as large, by the record with 64 bits."""
    content = saved()
    end = content[-22:]
    count, length, start = struct.unpack("<HLL", end[10:20])
    far = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length + size, start)
    return content[:-22] + far + struct.pack("<4sLQL", b"PK\x06\x07", 0, len(content) - 22, 1) + end


def other_tensors(change: Callable[[Header], object]) -> bytes:
    content = saved(safetensors.write)
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def swap(header: Header, place: tuple[Any, ...], key: str) -> None:
    """The arrays of the extra and of a parameter in each other's place."""
    of_one: Any = header
    for step in place:
        of_one = of_one[step]
    extra = header["tree"]["extra"]
    extra["best"], of_one[key] = of_one[key], extra["best"]
