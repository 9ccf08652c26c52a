"""Takes memory away from rank 1 in the middle of steps: both ranks make each step, or none does.

It is taken when rank 0 has rank 1's message, and given back when the next is sent, so that MPI has enough:
the address space has a limit, and what is free inside of it is filled.
"""

from __future__ import annotations

import gc
import resource
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from bits import digest
from gradstep import mpi
from gradstep.mpi import replicas
from gradstep.mpi.exchanges import Meeting

COMM = MPI.COMM_WORLD
NO_LIMIT = resource.getrlimit(resource.RLIMIT_AS)
#: Enough arrays that what a step takes for each of them is no small change.
COUNT = 4_000


class Short:
    """How much rank 1 has left, in bytes; None for all that there is."""

    margin: int | None = None


def address_space() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limit(margin: int | None) -> None:
    FILLED.clear()
    most = NO_LIMIT[0] if margin is None else address_space() + margin
    resource.setrlimit(resource.RLIMIT_AS, (most, NO_LIMIT[1]))
    if margin is None:
        return
    room, size = [bytearray(margin)], 1 << 24
    while size >= SMALLEST:
        try:
            FILLED.append(bytearray(size))
        except MemoryError:
            size //= 2
    room.clear()


FILLED: list[bytearray] = []
#: What is smaller, as Python's own objects, there is always some of.
SMALLEST = 1 << 12


def meet(self: Meeting, *arguments: Any, **options: Any) -> None:
    """Send a message with all the memory there is, and go on with little."""
    limit(None)
    MEET(self, *arguments, **options)
    if COMM.rank == 1:
        limit(Short.margin)


MEET = Meeting.meet


def tried(opt: Any, params: Any, grads: Any, margin: int | None) -> bool:
    """Make a step. Tell whether it was made: on both ranks, or else everything is as it was."""
    before, count = digest(params.values()), opt.step_count
    Short.margin = margin
    gc.disable()  # which may run anywhere
    try:
        opt.step(grads)
        came = "made"
    except (MemoryError, mpi.RankError) as error:
        came = type(error).__name__
    finally:
        limit(None)
        gc.enable()
        Short.margin = None
    both = COMM.allgather((came, opt.step_count - count, digest(params.values()) == before))
    assert both in ([("made", 1, False)] * 2, [("RankError", 0, True), ("MemoryError", 0, True)]), both
    return came == "made"


def main() -> None:
    Meeting.meet = meet  # type: ignore[method-assign]
    grads = {str(i): np.ones(2) for i in range(COUNT)}
    failures = 0
    limited: dict[str, Any] = {"clip_norm": 1.0, "measure": True, "nonfinite": "skip"}
    for kind, options, large in ((gs.Adam, limited, False), (gs.LAMB, {}, False), (gs.LAMB, limited, True)):
        replicas.LARGEST = 0 if large else 2 << 20
        margin, made = 0, 0
        while made < 2:
            params = {str(i): np.ones(2) for i in range(COUNT)}
            opt: Any = mpi.Sharded(kind, params, lr=0.1, **options)
            if tried(opt, params, grads, margin):
                made += 1
            else:
                made, failures = 0, failures + 1
            margin = 4 * margin + (1 << 14)
        if large:
            continue
        for _ in range(3):
            assert tried(opt, params, grads, 0)
        if "clip_norm" in options:
            grads["7"][0] = np.nan
            Short.margin = 0
            assert not opt.step(grads)
            limit(None)
            grads["7"][0] = 1.0
            assert COMM.allgather(opt.skipped) == [1, 1]
        opt.clip_value = 0.5
        opt.clip_norm = None
        assert tried(opt, params, grads, None)
        assert tried(opt, params, grads, 0)
    if COMM.rank == 0:
        print("failures:", failures)


if __name__ == "__main__":
    main()
