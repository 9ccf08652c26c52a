"""What saving and loading take from memory beside the arrays: less than one of them."""

from __future__ import annotations

import sys

import pytest

from processes import printed

MEASURE = """
import resource, sys, tempfile, tracemalloc
from pathlib import Path
import numpy as np
import gradstep as gs

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

params = {{
    "c": np.ones((4, 1024, 1024)),
    "axes": np.ones((2, 1024, 1024)).transpose(1, 0, 2),
    "f": np.ones((1024, 99), order="F"),
}}
largest = max(array.nbytes for array in params.values())
opt = gs.Adam(params)
opt.step(params)  # its memory is there only once it is written to
small = gs.Adam(np.ones(3))
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "run{suffix}")
    gs.save(path, small)  # what is imported or kept by then
    gs.load(path, small)
    for action in (gs.save, gs.load):
        before = peak()
        action(path, opt)
        grown = peak() - before
        tracemalloc.start()
        action(path, opt)
        traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(round(grown / largest, 3), round(traced / largest, 3))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX for the memory in use")
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_no_array_is_copied(suffix: str) -> None:
    shares = [float(share) for share in printed(MEASURE.format(suffix=suffix)).split()]
    assert len(shares) == 4
    assert max(shares) < 0.5
