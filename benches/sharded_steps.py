"""A step over ranks beside what MPI alone takes for the same bytes.

``mpiexec -n 2 python -m mpi4py benches/sharded_steps.py [elements] [rounds] [arrays]``, with
GRADSTEP_NUM_THREADS=1. What is compared is run in turns, in one process for each rank; a ratio is the median
of those of each turn.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

import gradstep as gs
from gradstep import mpi

COMM = MPI.COMM_WORLD
OPTIONS: dict[str, Any] = {"lr": 1e-3, "clip_norm": 1.0}


def arrays(elements: int) -> dict[str, Any]:
    """A large array and small ones, or the digits network; or so many arrays."""
    if len(sys.argv) > 3:
        count = int(sys.argv[3])
        return {f"w{i}": np.zeros(elements // count - i, np.float32) for i in range(count)}
    if elements > 1_000_000:
        return {"w": np.zeros((elements - 4096) // 4096 * 4096, np.float32), "b": np.zeros(4096, np.float32)}
    hidden = (elements - 10) // 75
    shapes = {"w1": (64, hidden), "b1": (hidden,), "w2": (hidden, 10), "b2": (10,)}
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def contenders(elements: int) -> dict[str, Callable[[], None]]:
    """What is timed, by name."""
    random = np.random.default_rng(COMM.rank)
    size = sum(array.size for array in arrays(elements).values())
    flat = random.normal(size=size).astype(np.float32)
    summed, counts = np.empty_like(flat), [size // COMM.size] * COMM.size
    counts[-1] += size - sum(counts)
    part, params = np.empty(counts[COMM.rank], np.float32), np.empty(size, np.float32)
    starts = np.cumsum([0, *counts[:-1]]).tolist()

    def bare() -> None:
        COMM.Reduce_scatter(flat, part, counts)
        COMM.Allgatherv(part, [params, counts, starts, MPI.FLOAT])

    whole: Any = gs.Adam(whole_params := arrays(elements), **OPTIONS)
    views, at = {}, 0
    for name, array in whole_params.items():
        views[name] = summed[at : at + array.size].reshape(array.shape)
        at += array.size

    def allreduce() -> None:
        COMM.Allreduce(flat, summed)
        whole.step(views, scale=1 / COMM.size)

    lent_opt = mpi.Sharded(gs.Adam, mpi.flatten(arrays(elements)), **OPTIONS)
    grads = {name: view.copy() for name, view in views.items()}
    for view in grads.values():
        view[...] = random.normal(size=view.shape)
    given: Any = lent_opt.gradients()
    for name, view in grads.items():
        given[name][...] = view

    def lent() -> None:
        given: Any = lent_opt.gradients()
        if size < 1_000_000:  # the sum is left in it
            for name, view in grads.items():
                given[name][...] = view
        lent_opt.step(given)

    copied_opt = mpi.Sharded(gs.Adam, arrays(elements), **OPTIONS)

    def copied() -> None:
        copied_opt.step(grads)

    plain_params = arrays(elements)
    plain: Any = gs.Adam(plain_params, **OPTIONS)

    def alone() -> None:
        plain.step(grads)
        assert plain_params is not whole_params

    found = {"plain": alone, "sharded, lent": lent, "sharded, copied": copied}
    if COMM.size > 1:
        found = {"bare": bare, "allreduce": allreduce, **found}
    return found


def main() -> None:
    elements = int(float(sys.argv[1])) if len(sys.argv) > 1 else 25_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    several = 1 if elements > 1_000_000 else 200
    steps = contenders(elements)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for i in range(rounds + 2):
        for name, step in steps.items():
            COMM.Barrier()
            start = time.perf_counter()
            for _ in range(several):
                step()
            COMM.Barrier()
            if i >= 2:
                times[name].append((time.perf_counter() - start) / several)
    if COMM.rank == 0:
        unit, factor = ("ms", 1e3) if several == 1 else ("us", 1e6)
        for name, taken in times.items():
            print(
                f"{name:18} {statistics.median(taken) * factor:9.2f} {unit}, least {min(taken) * factor:9.2f}"
            )
        for name in ("sharded, lent", "sharded, copied"):
            for other in times:
                if not other.startswith("sharded"):
                    ratio = statistics.median(a / b for a, b in zip(times[name], times[other], strict=True))
                    print(f"{name} / {other}: {ratio:.2f}")


if __name__ == "__main__":
    main()
