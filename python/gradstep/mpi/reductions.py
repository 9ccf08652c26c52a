"""Sums over all parts of a batch, in the order of the tree: each rank adds up its own stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.mpi import exchanges
from gradstep.mpi.layouts import UNIT, Run
from gradstep.mpi.orders import additions, blocks, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout

    Bytes = NDArray[np.uint8]

CACHED = 1 << 20
"""Bytes of all that is added up at once, so that sums of sums stay in a cache."""
LEAST = 1 << 14
"""Bytes of the smallest piece."""


class Reduction:
    """The exchange of gradients, and their sums.

    Args:
        comm: the communicator.
        layout: where the gradients are, and whose each stretch is.
        parts: how many parts a batch has.
        inbox: bytes for what comes from others.
    """

    def __init__(self, comm: MPI.Intracomm, layout: Layout, parts: int, inbox: int) -> None:
        self.comm, self.layout = comm, layout
        self.blocks = [blocks(parts_of(rank, comm.size, parts)) for rank in range(comm.size)]
        self.additions = additions([block for of_one in self.blocks for block in of_one], parts)
        self.rows = [(rank, j) for rank, of_one in enumerate(self.blocks) for j in range(len(of_one))]
        longest = int(np.diff(layout.cuts).max(initial=0))
        foreign = max(1, max(len(self.rows) - len(of_one) for of_one in self.blocks))
        self.width = min(longest, max(LEAST, inbox // foreign // LEAST * LEAST))
        self.inbox: Bytes | None = None

    def run(self, sums: Sequence[Bytes], out: Bytes) -> None:
        """Put the sum over all parts of our stretch into its place in ``out``.

        Args:
            sums: those of our blocks, of which nothing is left.
            out: one of them, or other memory of the layout.
        """
        comm, cuts, width = self.comm, self.layout.cuts, self.width
        lengths = np.diff(cuts)
        if self.inbox is None:
            own = int(lengths[comm.rank])
            self.inbox = np.empty(min(width, own) * (len(self.rows) - len(self.blocks[comm.rank])), np.uint8)
        for at in range(0, int(lengths.max(initial=0)), max(width, 1)):
            first = int(cuts[comm.rank] + min(at, lengths[comm.rank]))
            many = np.clip(lengths - at, 0, width)
            count = int(many[comm.rank])
            self._receive(sums, self.inbox, at, many)
            rows, next_foreign = [], 0
            for rank, j in self.rows:
                if rank == comm.rank:
                    rows.append(sums[j][first : first + count])
                else:
                    rows.append(self.inbox[next_foreign * count : (next_foreign + 1) * count])
                    next_foreign += 1
            runs = self.layout.runs(first, first + count)
            here = [Run(run.start - first, run.stop - first, run.dtype) for run in runs]
            Sum(rows, self.additions, out[first : first + count], here).run()

    def _receive(self, sums: Sequence[Bytes], inbox: Bytes, at: int, many: NDArray[np.int64]) -> None:
        comm, cuts = self.comm, self.layout.cuts
        rank, count = comm.rank, int(many[comm.rank])
        starts = cuts[:-1] + np.minimum(at, np.diff(cuts))
        nothing = np.zeros(comm.size, np.int64)
        foreign = [row for row in self.rows if row[0] != rank]
        for j in range(max(map(len, self.blocks))):
            to, sent = (nothing, nothing), inbox
            if j < len(self.blocks[rank]):
                counts = many.copy()
                counts[rank] = 0
                to, sent = (counts, starts), sums[j]
            places = {q: i for i, (q, k) in enumerate(foreign) if k == j}
            counts_in = np.array([count if q in places else 0 for q in range(comm.size)], np.int64)
            starts_in = np.array([places.get(q, 0) * count for q in range(comm.size)], np.int64)
            exchanges.swap(comm, sent, to, inbox, (counts_in, starts_in))


class Sum:
    """The sum of rows of bytes, in an order, which may be taken again and again. What the rows hold is lost.

    Args:
        rows: of the same length.
        order: pairs (i, j): row i becomes the sum of both. The last sum goes to ``out``.
        out: one of the rows, or other memory.
        runs: the dtypes of the bytes.
    """

    def __init__(
        self, rows: Sequence[Bytes], order: Sequence[tuple[int, int]], out: Bytes, runs: Sequence[Run]
    ) -> None:
        size = max(LEAST, CACHED // max(len(rows), 1) // LEAST * LEAST)
        self.steps: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        self.copies: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for run in runs:
            step = size if len(rows) > 2 else max(run.stop - run.start, UNIT)
            for at in range(run.start, run.stop, step):
                piece = slice(at, min(at + step, run.stop))
                parts, total = [row[piece].view(run.dtype) for row in rows], out[piece].view(run.dtype)
                self.steps += [(parts[i], parts[j], parts[i]) for i, j in order[:-1]]
                if order:
                    i, j = order[-1]
                    self.steps.append((parts[i], parts[j], total))
                elif parts[0].ctypes.data != total.ctypes.data:
                    self.copies.append((total, parts[0]))

    def run(self) -> None:
        """Take it."""
        with np.errstate(all="ignore"):
            for left, right, total in self.steps:
                np.add(left, right, total)
        for total, part in self.copies:
            total[...] = part
