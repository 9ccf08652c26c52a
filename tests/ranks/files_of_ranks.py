"""Trains some steps on ranks that keep their state in files, and prints what it came to, or what was said.

Arguments: ``large`` or ``small``; the directory; from which step to which; and what else is done: ``flush``
at the end, ``lose`` the seal of the last rank, or ``fail`` to make the optimizer on the last rank.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from mpi4py import MPI

import gradstep as gs
from gradstep import mpi
from gradstep.mpi import replicas
from ranks.cases import PARTS, SAVED, Arrays, gathered, outcome

COMM = MPI.COMM_WORLD


def main() -> None:
    way, path, first, last, act = sys.argv[1:]
    replicas.LARGEST = 0 if way == "large" else 1 << 40
    params: Any = SAVED.params()
    for array, before in zip(params.values(), load(path), strict=False):
        array[...] = before
    options: dict[str, Any] = dict(SAVED.options)
    if act == "fail" and COMM.rank == COMM.size - 1:
        options["momentum"] = 0.5
    opt: Any = mpi.Sharded(gs.Adam, params, parts=PARTS, state_dir=path, **options)
    assert opt.step_count == int(first) // 2
    for t in range(int(first), int(last)):
        for part in opt.parts:
            opt.add(SAVED.grads(t, part))
        opt.step()
    if act in ("flush", "lose"):
        opt.flush()
        if COMM.rank == 0:
            keep(path, params)
    came = outcome(opt, params, gathered(opt, COMM, way == "small"), None)
    if act == "lose" and COMM.rank == COMM.size - 1:
        os.unlink(Path(opt.state_dir, "state.json"))
    if COMM.rank == 0:
        print(json.dumps(came))


def keep(path: str, params: Arrays) -> None:
    """Put the parameters beside the state, as a program would."""
    for name, array in params.items():
        array.ravel(order="K").tofile(Path(path, name))


def load(path: str) -> list[Any]:
    """Read them again, if they are there."""
    import numpy as np

    made = []
    for name, array in SAVED.params().items():
        if not Path(path, name).exists():
            return []
        whole = np.fromfile(Path(path, name), array.dtype)
        like = np.empty_like(array)
        like.ravel(order="K")
        mpi.layouts.in_order(like)[...] = whole
        made.append(like)
    return made


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        said = COMM.gather(f"{type(error).__name__}: {error}".replace(sys.argv[2], "PATH"))
        if said is not None:
            print(json.dumps(said))
