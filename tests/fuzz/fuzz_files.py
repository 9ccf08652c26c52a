"""Saved optimizers of all kinds, whose files have other bytes anywhere."""

from __future__ import annotations

import json
import struct
import warnings
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from atheris import FuzzedDataProvider
from fuzz_state_dicts import mutate, remembered
from optimizers import FORMATS, drawn

import gradstep as gs
from gradstep.archives import npz, safetensors

warnings.simplefilter("ignore", gs.CheckpointWarning)


def seeds() -> Iterator[bytes]:
    """Bytes that make many different ones."""
    for i in range(20):
        yield Random(i).randbytes(200)


def with_header(data: FuzzedDataProvider, file: bytes, form: str) -> bytes:
    """The file with something else in its header, whose checksums are right."""

    def changed(text: bytes) -> bytes:
        header = json.loads(text)
        mutate(data, header)
        return json.dumps(header, default=str, check_circular=False).encode()

    try:
        if form == ".npz":
            with zipfile.ZipFile(BytesIO(file)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            members[npz.HEADER] = changed(members[npz.HEADER])
            made = BytesIO()
            with zipfile.ZipFile(made, "w") as archive:
                for name, content in members.items():
                    archive.writestr(zipfile.ZipInfo(name), content)
            return made.getvalue()
        length: int = struct.unpack("<Q", file[:8])[0]
        outer = json.loads(file[8 : 8 + length])
        if data.ConsumeBool():
            mutate(data, outer)
        metadata = outer[safetensors.METADATA]
        own = changed(metadata[safetensors.KEY])
        metadata[safetensors.KEY] = own.decode()
        metadata[safetensors.SUM] = safetensors.checksum_of_bytes(own)
        text = json.dumps(outer, default=str, check_circular=False).encode()
        return struct.pack("<Q", len(text)) + text + file[8 + length :]
    except (KeyError, TypeError, ValueError, RecursionError):
        return file  # what was put there has no place in JSON


def damaged(data: FuzzedDataProvider, file: bytes) -> bytes:
    """The file with other bytes at a place, or more of them, or fewer."""
    at: int = data.ConsumeIntInRange(0, len(file))
    if data.ConsumeBool():  # near the end, where a zip has its directory
        at = max(0, len(file) - data.ConsumeIntInRange(0, 200))
    other: bytes = data.ConsumeBytes(data.ConsumeIntInRange(0, 8))
    gone: int = data.ConsumeIntInRange(0, 8)
    return file[:at] + other + file[at + gone :]


def check(given: bytes) -> str:
    """A CheckpointError and nothing changed, or it is loaded."""
    data = FuzzedDataProvider(given)
    make = drawn(data)
    other = {"state_dtype": data.PickValueInList([None, *FORMATS])} if data.ConsumeBool() else {}
    try:
        saved, opt = make(), make(**other)
    except (TypeError, ValueError):
        return "without an optimizer"
    with TemporaryDirectory() as folder:
        form = data.PickValueInList([".npz", ".safetensors"])
        path = Path(folder, "run" + form)
        try:
            gs.save(path, saved, note=[1, "two", {"three": None}])
        except ValueError:
            return "not saved"
        file = path.read_bytes()
    file = with_header(data, file, form) if data.ConsumeBool() else damaged(data, file)
    before = remembered(opt)
    try:
        options = {option: data.ConsumeBool() for option in ("strict", "hyperparameters", "convert")}
        gs.load(BytesIO(file), opt, **options)
    except gs.CheckpointError:
        assert remembered(opt) == before
        return "refused"
    return "loaded"
