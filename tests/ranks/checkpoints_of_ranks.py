"""Trains some steps on ranks, with checkpoints.

Arguments: ``large`` or ``small``; what to do; the path of the file. ``save``: three steps, a file, and three
more; ``load``: the file, and these three; ``convert``: the same with state of
other formats; ``misfit``: what is said to numbers that these have not;
``damaged``: what is said to it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from gradstep import mpi
from gradstep.mpi import checkpoints, replicas
from ranks.cases import CONVERTED, PARTS, SAVED, gathered, outcome

COMM = MPI.COMM_WORLD


def train(opt: Any, steps: range) -> None:
    for t in steps:
        for part in opt.parts:
            opt.add(SAVED.grads(t, part))
        opt.step()


def said(make: Any) -> str:
    try:
        return repr(make())
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace(sys.argv[3], "run")


def no_room(*_: Any) -> Any:
    raise MemoryError


def main() -> None:
    replicas.LARGEST = 0 if sys.argv[1] == "large" else 1 << 40
    path, params = sys.argv[3], SAVED.params()
    options = SAVED.options | (CONVERTED if sys.argv[2] in ("convert", "misfit") else {})
    opt: Any = mpi.Sharded(gs.Adam, params, parts=PARTS, **options)
    extra: Any = None
    if sys.argv[2] == "save":
        train(opt, range(3))
        opt.save(path, epoch=3, best=np.arange(3.0))
    elif sys.argv[2] in ("load", "convert"):
        for array in params.values():
            array[...] = -1.0
        if sys.argv[2] == "convert":
            assert "convert=True" in said(lambda: opt.load(path))
        extra = opt.load(path, convert=sys.argv[2] == "convert")
        assert (extra["epoch"], extra["best"].tolist()) == (3, [0.0, 1.0, 2.0])
    elif sys.argv[2] == "misfit":
        before = json.dumps(outcome(opt, params, gathered(opt, COMM, sys.argv[1] == "small"), None))
        messages = COMM.allgather(said(lambda: opt.load(path, convert=True)))
        after = json.dumps(outcome(opt, params, gathered(opt, COMM, sys.argv[1] == "small"), None))
        assert after == before, (before, after)
        train(opt, range(2))
        assert opt.step_count == 1
        if COMM.rank == 0:
            print(json.dumps(messages))
        return
    else:
        messages = [COMM.allgather(said(lambda: opt.load(path)))]
        other = mpi.Sharded(gs.AdamW, SAVED.params(), lr=0.1)
        messages.append(COMM.allgather(said(lambda: other.load(sys.argv[4]))))
        messages.append(COMM.allgather(said(lambda: opt.save("/nowhere/run.npz"))))
        messages.append(COMM.allgather(said(lambda: opt.save(path, bad=object()))))
        messages.append(COMM.allgather(said(lambda: opt.load("/nowhere/run.npz"))))
        checkpoints.room = no_room  # type: ignore[assignment]
        messages.append(COMM.allgather(said(lambda: opt.save(path))))
        assert opt.step_count == 0
        if COMM.rank == 0:
            print(json.dumps(messages))
        return
    train(opt, range(3, 6))
    came = outcome(opt, params, gathered(opt, COMM, sys.argv[1] == "small"), None)
    averaged = opt.averaged
    came["averaged"] = repr([float(np.sum(array)) for array in averaged.values()])
    with opt.swap_averaged():
        assert all((params[name] == array).all() for name, array in averaged.items())
    assert all(one == came for one in COMM.allgather(came))
    if COMM.rank == 0:
        print(json.dumps(came))


if __name__ == "__main__":
    main()
