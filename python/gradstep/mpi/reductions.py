"""Sums over all parts of a batch, in the order of the tree: each rank adds up its own stretch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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

    def rounds(self, sums: Sequence[Flat | Apart], out: Bytes) -> list[Round]:
        """Get ready to put the sum over all parts of our stretch into its place in ``out``.

        Args:
            sums: those of our blocks. Nothing is left of what is flat; what is apart is only read.
            out: one of them, or other memory of the layout.
        """
        lengths, rank = np.diff(self.layout.cuts), self.comm.rank
        if self.inbox is None:
            foreign = len(self.rows) - len(self.blocks[rank])
            self.inbox = np.empty(min(self.width, int(lengths[rank])) * foreign, np.uint8)
        return [
            self._round(sums, out, at, self.inbox)
            for at in range(0, int(lengths.max(initial=0)), max(self.width, 1))
        ]

    def _round(self, sums: Sequence[Flat | Apart], out: Bytes, at: int, inbox: Bytes) -> Round:
        lengths, rank = np.diff(self.layout.cuts), self.comm.rank
        starts = self.layout.cuts[:-1] + np.minimum(at, lengths)
        ends = starts + np.clip(lengths - at, 0, self.width)
        begin, end = int(starts[rank]), int(ends[rank])
        rows: list[Bytes | Window] = []
        read_only = None
        for q, j in self.rows:
            if q != rank:
                rows.append(inbox[: end - begin])
                inbox = inbox[end - begin :]
                continue
            own = sums[j]
            if isinstance(own, Apart):
                read_only = len(rows)
                rows.append(Window(own, begin))
            else:
                rows.append(own.view(begin, end))
        runs = self.layout.runs(begin, end, apart=read_only is not None)
        here = [Run(run.start - begin, run.stop - begin, run.dtype) for run in runs]
        added = Sum(rows, self.additions, out[begin:end], here, read_only)
        return Round(starts.tolist(), ends.tolist(), rows, added)

    def run(self, rounds: Sequence[Round], sums: Sequence[Flat | Apart], apart: Sequence[bool]) -> None:
        """Do what `rounds` has made ready, with ranks some of which have arrays that are ``apart``."""
        rank, size = self.comm.rank, self.comm.size
        for one in rounds:
            starts, ends = one.starts, one.ends
            received: list[list[Bytes]] = [[] for _ in range(size)]
            for (q, _), row in zip(self.rows, one.rows, strict=True):
                if q != rank:
                    parts = self._messages(starts[rank], ends[rank], apart[q])
                    received[q] += [row[slice(a - starts[rank], b - starts[rank])] for a, b in parts]
            to_each = [self._messages(*bounds, apart[rank]) for bounds in zip(starts, ends, strict=True)]
            sent = [[own.view(*part) for own in sums for part in parts] for parts in to_each]
            exchanges.trade(self.comm, sent, received)
            one.added.run()

    def _messages(self, start: int, end: int, apart: bool) -> list[tuple[int, int]]:
        return self.layout.messages(start, end) if apart else [(start, end)]


class Round(NamedTuple):
    """What is sent and added up at once.

    Attributes:
        starts, ends: the bytes of each rank's stretch.
        rows: where those of ours are, of each block; what comes from others is put there.
        added: the sum of them.
    """

    starts: list[int]
    ends: list[int]
    rows: list[Bytes | Window]
    added: Sum


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
