"""Sums over all parts of a batch, in the order of the tree: each rank adds up its own stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.mpi import exchanges
from gradstep.mpi.layouts import UNIT, Run
from gradstep.mpi.memories import Apart
from gradstep.mpi.orders import additions, blocks, parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout
    from gradstep.mpi.memories import Flat

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
        self.width = min(longest, exchanges.ROUND, max(LEAST, inbox // foreign // LEAST * LEAST))
        self.inbox: Bytes | None = None

    def prepare(self) -> None:
        """Take the memory that it takes."""
        if self.inbox is None:
            width = min(self.width, int(np.diff(self.layout.cuts)[self.comm.rank]))
            self.inbox = np.empty(width * (len(self.rows) - len(self.blocks[self.comm.rank])), np.uint8)

    def run(self, sums: Sequence[Flat] | Apart, out: Bytes, apart: Sequence[bool]) -> None:
        """Put the sum over all parts of our stretch into its place in ``out``.

        Args:
            sums: those of our blocks, of which nothing is left; or that of our only one, which is only read.
            out: one of them, or other memory of the layout.
            apart: which ranks have arrays that are apart.
        """
        comm, cuts, width = self.comm, self.layout.cuts, self.width
        lengths, own = np.diff(cuts), int(cuts[comm.rank])
        read_only = self.rows.index((comm.rank, 0)) if isinstance(sums, Apart) else None
        for at in range(0, int(lengths.max(initial=0)), max(width, 1)):
            first = own + min(at, int(lengths[comm.rank]))
            many = np.clip(lengths - at, 0, width)
            count = int(many[comm.rank])
            rows = self._receive([sums] if isinstance(sums, Apart) else sums, at, many, apart)
            runs = self.layout.runs(first, first + count, apart=read_only is not None)
            here = [Run(run.start - first, run.stop - first, run.dtype) for run in runs]
            Sum(rows, self.additions, out[first : first + count], here, read_only).run()

    def _receive(
        self, sums: Sequence[Flat | Apart], at: int, many: NDArray[np.int64], apart: Sequence[bool]
    ) -> list[Bytes | Window]:
        """Send some bytes of each rank's stretch to it; give those of ours of all blocks."""
        comm, cuts, inbox = self.comm, self.layout.cuts, self.inbox
        assert inbox is not None
        starts = (cuts[:-1] + np.minimum(at, np.diff(cuts))).tolist()
        ends = (starts + many).tolist()
        rank = comm.rank
        begin, end = starts[rank], ends[rank]

        def messages(of: int, to: int) -> list[tuple[int, int]]:
            return self.layout.messages(starts[to], ends[to]) if apart[of] else [(starts[to], ends[to])]

        rows: list[Bytes | Window] = []
        received: list[list[Bytes]] = [[] for _ in range(comm.size)]
        for q, j in self.rows:
            if q == rank:
                rows.append(Window(sums[j], begin) if apart[q] else sums[j].view(begin, end))
                continue
            foreign, inbox = inbox[: end - begin], inbox[end - begin :]
            rows.append(foreign)
            received[q] += [foreign[a - begin : b - begin] for a, b in messages(q, rank)]
        sent = [[one.view(a, b) for one in sums for a, b in messages(rank, q)] for q in range(comm.size)]
        exchanges.trade(comm, sent, received)
        return rows


class Window:
    """A row that lies in several stretches of memory, of which one is asked for at a time.

    Args:
        memory: where it is.
        start: the number of its first byte.
    """

    def __init__(self, memory: Flat | Apart, start: int) -> None:
        self.memory, self.start = memory, start

    def __getitem__(self, piece: slice) -> Bytes:
        return self.memory.view(self.start + piece.start, self.start + piece.stop)


class Sum:
    """The sum of rows of bytes, in an order, which may be taken again and again. What most rows hold is lost.

    Args:
        rows: of the same length.
        order: pairs (i, j): row i becomes the sum of both. The last sum goes to ``out``.
        out: one of the rows, or other memory.
        runs: the dtypes of the bytes.
        read_only: the number of a row that is not written to, if there is one.
    """

    def __init__(
        self,
        rows: Sequence[Bytes | Window],
        order: Sequence[tuple[int, int]],
        out: Bytes,
        runs: Sequence[Run],
        read_only: int | None = None,
    ) -> None:
        size = max(LEAST, CACHED // max(len(rows), 1) // LEAST * LEAST)
        self.steps: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
        self.copies: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for run in runs:
            step = size if len(rows) > 2 else max(run.stop - run.start, UNIT)
            for at in range(run.start, run.stop, step):
                piece = slice(at, min(at + step, run.stop))
                parts, total = [row[piece].view(run.dtype) for row in rows], out[piece].view(run.dtype)
                for i, j in order[:-1]:
                    sum_of_both = total if i == read_only else parts[i]
                    self.steps.append((parts[i], parts[j], sum_of_both))
                    parts[i] = sum_of_both
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
