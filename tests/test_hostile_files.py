"""Files that nobody should load: a CheckpointError says why, nothing is changed, little memory is taken."""

from __future__ import annotations

import copy
import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.archives import headers, npz, safetensors
from hostile import (
    Bomb,
    duplicate,
    end_in_64,
    many_members,
    members,
    other_tensors,
    overlapping,
    pickled,
    put,
    run,
    saved,
    spliced,
    swap,
    with_header,
    with_text,
    zipped,
)

W = ("tree", "optimizers", "", "parameters", "w")
FORM = ("arrays", "params/w")
GROUP = ("tree", "optimizers", "", "groups", 0)

#: What makes the file, and what the error says.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "it is neither a .npz nor a .safetensors file, or its end is missing"),
    "a text": (lambda: b"step,loss\n" * 99, "it is neither a .npz nor a .safetensors file"),
    "a pickle": (lambda: pickle.dumps(Bomb()), "it is neither a .npz nor a .safetensors file"),
    "of numpy": (
        lambda: zipped({"w.npy": b"x"}),
        "no member 'gradstep.json', so gradstep has not written it",
    ),
    "pickled objects": (pickled, "'params/w.npy' has not the size that the header says"),
    "dtype of objects": (lambda: with_header(put(*FORM, "dtype", "|O")), "no form of an array"),
    "zip bomb": (
        lambda: zipped(members() | {"params/w.npy": b"\0" * 10_000_000}, compress_type=zipfile.ZIP_DEFLATED),
        "is compressed",
    ),
    "overlapping members": (overlapping, "is not where or what gradstep writes"),
    "two of one name": (duplicate, "it has two members 'params/w.npy'"),
    "path tricks": (
        lambda: zipped(members() | {"../../root/.bashrc": b"x"}),
        "its header and its directory differ in '../../root/.bashrc'",
    ),
    "encrypted": (lambda: spliced(8, "<H", 1), "is not where or what gradstep writes"),
    "another size": (lambda: spliced(24, "<L", 1 << 31), "is compressed"),
    "another place": (lambda: spliced(42, "<L", 1), "is not where or what gradstep writes"),
    "something before": (lambda: b"PK" + saved(), "its end is missing"),
    "something behind": (lambda: saved() + b"\0", "its end is missing"),
    "a directory of terabytes": (lambda: end_in_64(1 << 42), "its directory has 4,398,046,"),
    "a directory elsewhere": (lambda: end_in_64(1), "its end is missing"),
    "too many members": (many_members, "bytes, more than the 4,2"),
    "huge header": (lambda: with_text(lambda text: text + " " * 6_000_000), "its header has 6,00"),
    "deep header": (lambda: zipped(members() | {"gradstep.json": b"[" * 900_000}), "nested too deeply"),
    "deep tree": (
        lambda: with_text(
            lambda text: text.replace('"extra":{', '"extra":{"x":' + "[" * 500 + "]" * 500 + ",")
        ),
        "its header is nested too deeply",
    ),
    "no JSON": (lambda: zipped(members() | {"gradstep.json": b"\xff"}), "its header is no JSON"),
    "long number": (
        lambda: with_text(lambda text: text.replace(":1,", f":{'1' * 9999},", 1)),
        "its header is no JSON",
    ),
    "another JSON": (lambda: zipped(members() | {"gradstep.json": b"[]"}), "it has no header of gradstep"),
    "NaN": (lambda: with_text(lambda text: text.replace(":1,", ":NaN,", 1)), "has NaN, which is no JSON"),
    "a name twice": (
        lambda: with_text(lambda text: '{"format":1,' + text[1:]),
        "its header has a name twice",
    ),
    "a later version": (
        lambda: with_header(lambda header: header.update(format=2, writer="gradstep 9.0")),
        "it has format 2, but this version of gradstep reads format 1; it was written by 'gradstep 9.0'",
    ),
    "a later state dict": (
        lambda: with_header(put("tree", "optimizers", "", "format", 2)),
        "format must be 1, got 2: made by another version of gradstep",
    ),
    "absurd shape": (
        lambda: with_header(put(*FORM, "shape", [10**18])),
        "has not the size that the header says",
    ),
    "shape beyond all": (lambda: with_header(put(*FORM, "shape", [2**70, 0])), "no form of an array"),
    "negative shape": (lambda: with_header(put(*FORM, "shape", [-1, -6])), "no form of an array"),
    "many axes": (lambda: with_header(put(*FORM, "shape", [1] * 33)), "no form of an array"),
    "no shape": (lambda: with_header(put(*FORM, "shape", [2, "3"])), "no form of an array"),
    "more fields": (lambda: with_header(put(*FORM, "x", 1)), "no form of an array"),
    "another shape": (lambda: with_header(put(*FORM, "shape", [3, 2])), "does not begin as the header says"),
    "another order": (lambda: with_header(put(*FORM, "order", "F")), "does not begin as the header says"),
    "another checksum": (
        lambda: with_header(put(*FORM, "xxh3", "0" * 16)),
        "params/w is damaged: its checksum",
    ),
    "no arrays": (lambda: with_header(put("arrays", ...)), "its header describes no arrays"),
    "an array less": (lambda: with_header(put(*FORM[:1], "params/w", ...)), "differ in 'params/w.npy'"),
    "no tree": (lambda: with_header(put("tree", None)), "that belongs nowhere"),
    "an array for nothing": (
        lambda: with_header(put("tree", "extra", {})),
        "it has an array 'extra/best' that belongs nowhere",
    ),
    "an array for two": (
        lambda: with_header(put("tree", "extra", "x", {"$array": "params/w"})),
        "its header has $array 'params/w', which is nothing or nowhere",
    ),
    "an unknown float": (
        lambda: with_header(put("tree", "extra", "x", {"$float": "1e9"})),
        "nothing or nowhere",
    ),
    "no optimizers": (lambda: with_header(put("tree", "optimizers", {})), "that belongs nowhere"),
    "no parameter": (
        lambda: with_header(put(*W, "array", {"$array": "extra/best"})),
        "which is nothing or nowhere",
    ),
    "a number for a parameter": (
        lambda: with_header(lambda header: swap(header, W, "array")),
        "'w' has no array of dtype float64 and shape (2, 3)",
    ),
    "a text for a count": (lambda: with_header(put(*W, "count", "1")), "['count'] must be an int, got str"),
    "too many steps": (lambda: with_header(put(*W, "count", 2**80)), "must be in [0, 2**63)"),
    "a count too high": (lambda: with_header(put(*W, "count", 2)), "counts must be at most step_count = 1"),
    "a feedback state": (
        lambda: with_header(put("tree", "optimizers", "", "feedback", 0, "scale", -1.0)),
        "scale",
    ),
    "a list for a text": (
        lambda: with_header(put(*GROUP, "hyperparameters", "lr", ["0.1"])),
        "groups[0]['hyperparameters']['lr'] must be a str or None, got list",
    ),
    "code for a text": (
        lambda: with_header(put(*GROUP, "hyperparameters", "beta1", "__import__('os').abort()")),
        "__import__('os').abort()",
    ),
    "tensors without header": (
        lambda: other_tensors(lambda header: header.pop("__metadata__")),
        "no header of gradstep",
    ),
    "tensors with a damaged header": (
        lambda: other_tensors(lambda header: header["__metadata__"].update(gradstep="{}")),
        "its header is damaged",
    ),
    "tensors that overlap": (
        lambda: other_tensors(lambda header: header["params/w"].update(data_offsets=[0, 48])),
        "its headers differ in",
    ),
    "tensors that are more": (lambda: saved(safetensors.write) + b"\0", "its size is not that of its arrays"),
    "a header of exabytes": (lambda: struct.pack("<Q", 1 << 62) + b"{}", "or its end is missing"),
    "tensors with a huge header": (
        lambda: struct.pack("<Q", 1 << 24) + b" " * (1 << 24),
        "its header has 16,777,216 bytes",
    ),
    "tensors with a deep header": (lambda: struct.pack("<Q", 900_000) + b"[" * 900_000, "nested too deeply"),
    "tensors with a name twice": (
        lambda: struct.pack("<Q", 20) + b'{"a":1,"a":2}       ',
        "its header has a name twice",
    ),
}


MOST_MEMORY = 100 << 20
"""Bytes; of Python and NumPy, for an optimizer of nine elements."""


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_refused(case: str) -> None:
    make, message = FILES[case]
    content, opt = make(), run()
    before = opt.state_dict(), copy.deepcopy(opt.params)
    tracemalloc.start()
    try:
        with pytest.raises(gs.CheckpointError) as caught:
            gs.load(io.BytesIO(content), opt, hyperparameters=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("the file: ")
    assert message in str(caught.value)
    assert peak < MOST_MEMORY
    np.testing.assert_equal((opt.state_dict(), opt.params), before)


def test_a_good_file_is_not() -> None:
    for write in (npz.write, safetensors.write):
        opt = run()
        assert gs.load(io.BytesIO(saved(write)), opt)["best"].tolist() == [1.0] * 4
    assert gs.load(io.BytesIO(zipped(members())), run())["best"].tolist() == [1.0] * 4
    assert gs.load(io.BytesIO(end_in_64(0)), run())["best"].tolist() == [1.0] * 4


def test_the_most_that_a_header_can_ask_for() -> None:
    """Lists in lists are what takes most memory a byte; the header's are limited."""
    text = "[]," * 100_000
    content = with_text(lambda header: header.replace('"extra":{', f'"extra":{{"x":[{text}0],'))
    tracemalloc.start()
    gs.load(io.BytesIO(content), run())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * len(text)


class Failing(io.BytesIO):
    """A file that cannot be read any more after some time, or has changed by then."""

    def __init__(self, content: bytes, times: int, changed: bytes | None = None) -> None:
        super().__init__(content)
        self.times, self.changed = times, changed

    def readinto(self, buffer: Any) -> int:
        self.times -= 1
        if self.times == 0:
            if self.changed is None:
                raise OSError(5, "Input/output error")
            place = self.tell()
            self.seek(0)
            self.write(self.changed)
            self.seek(place)
        return super().readinto(buffer)


@pytest.mark.parametrize("changed", [None, b"\xff" * 4000])
def test_a_disk_that_fails_between_the_readings(changed: bytes | None) -> None:
    arrays = len(headers.read(members()["gradstep.json"])[1])
    with pytest.raises(gs.CheckpointError, match="could not be read a second time") as caught:
        gs.load(Failing(saved(), 2 * arrays, changed), run())
    assert "parameters and state are partly those of the file" in str(caught.value)
    assert (changed is None) == isinstance(caught.value.__cause__, OSError)


def test_a_disk_that_fails_at_the_first_reading() -> None:
    opt = run()
    before = opt.state_dict()
    with pytest.raises(OSError, match="Input/output error"):
        gs.load(Failing(saved(), 1), opt)
    np.testing.assert_equal(opt.state_dict(), before)
