"""Loads a file on ranks, and prints what memory that took at most, in bytes above what there was before.

Arguments: the path of the file, and the number of float32 elements.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from gradstep import mpi

COMM = MPI.COMM_WORLD


def peak() -> int:
    """Bytes; Linux counts in 1,024 of them."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    path, elements = sys.argv[1], int(sys.argv[2])
    small: Any = mpi.Sharded(gs.Adam, {"w": np.zeros(10)})
    small.step({"w": np.zeros(10)})
    before = peak()
    params: Any = mpi.flatten({"w": np.zeros(elements, np.float32)})
    opt: Any = mpi.Sharded(gs.Adam, params)
    opt.load(path)
    assert (opt.state["w"]["exp_avg"] == 0.5).all()
    everything = COMM.gather(peak() - before)
    if COMM.rank == 0:
        print(json.dumps(everything))


if __name__ == "__main__":
    main()
