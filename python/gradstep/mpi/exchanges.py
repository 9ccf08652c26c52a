"""All that ranks tell each other. The only file that imports mpi4py, when it is first needed.

What is not told one rank but all goes by messages of one form, whose sizes do not depend on what is said: a
rank that cannot go on says so in the place of whatever is due, and nobody waits for it.
"""

from __future__ import annotations

import os
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gradstep.mpi.errors import RankError
from gradstep.mpi.layouts import UNIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.layouts import Layout
    from gradstep.mpi.memories import Apart, Flat

    Bytes = NDArray[np.uint8]

T = TypeVar("T")

HEAD = struct.Struct("<3Q")
"""The start of a message: whether its rank cannot go on, what it is about, and a digest."""
TOPICS = {
    topic: number
    for number, topic in enumerate(
        ("begin", "squares", "nonfinite", "sums", "update", "wait", "skip", "changes")
    )
}
"""What messages are about."""
ROUND = 1 << 30
"""Bytes of one rank's parameters that are sent at once, at most; MPI's own limit is twice as many."""
AT_ONCE = 32
"""Ranks that one speaks with at the same time."""


@cache
def library() -> ModuleType:
    """Give mpi4py's MPI, which starts it.

    Raises:
        ImportError: it is not there.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            f"gradstep.mpi needs mpi4py and an MPI ({error}): pip install 'gradstep[mpi]' mpich; without "
            "mpich where there is an MPI, as on a cluster"
        ) from error
    return MPI


class StoppedError(Exception):
    """A message came that says that no step is made; all ranks have it."""


class Meeting:
    """Messages of all to all, of which each rank sends one with a body of fixed size.

    Args:
        comm: the communicator.
        size: the bytes of a body, at most.

    Attributes:
        bodies: what the ranks said last, bytes that the next message replaces.
        views: the same, for what reads small things.
        memory, mine: memory for a message of ours, with its head and without.
    """

    def __init__(self, comm: MPI.Intracomm, size: int) -> None:
        self.comm, self.byte = comm, library().BYTE
        width = -(-(HEAD.size + size) // UNIT) * UNIT
        everything = np.zeros(width * comm.size, np.uint8)
        self.bodies = [everything[at + HEAD.size : at + width] for at in range(0, len(everything), width)]
        self.views = [body.data for body in self.bodies]
        self._heads = [everything.data[at : at + HEAD.size] for at in range(0, len(everything), width)]
        self._received = [everything, width, self.byte]
        self.memory = np.zeros(width, np.uint8)
        self.mine = self.memory[HEAD.size :]

    def meet(
        self, topic: str, digest: int = 0, message: Bytes | None = None, *, stopped: bool = False
    ) -> None:
        """Send a message and receive those of all.

        Args:
            topic: what it is about.
            digest: a number that has to be the same on all ranks.
            message: as long as ``memory``, with room for a head and then our body; or ``memory``.
            stopped: whether this rank cannot go on.

        Raises:
            StoppedError: one of the ranks cannot go on, or they are not about the same.
        """
        message = self.memory if message is None else message
        head = HEAD.pack(stopped, TOPICS[topic], digest)
        message.data[: HEAD.size] = head
        self.comm.Allgather([message, self.byte], self._received)
        if stopped or any(other != head for other in self._heads):
            raise StoppedError


def attempted(comm: MPI.Intracomm, make: Callable[[], T]) -> T:
    """Do something on all ranks that may fail on some.

    Raises:
        RankError: it failed on another rank. On this one it raises what it raises.
    """
    failure: BaseException | None = None
    try:
        made = make()
    except Exception as error:
        failure = error
    told(comm, failure)
    return made


def told(comm: MPI.Intracomm, failure: BaseException | None) -> None:
    """Tell all ranks what failed here, if anything. Raises it here, and a RankError on the others."""
    texts = comm.allgather(None if failure is None else f"{type(failure).__name__}: {failure}")
    if failure is not None:
        raise failure
    if any(text is not None for text in texts):
        raise RankError({rank: text for rank, text in enumerate(texts) if text is not None})


def same(comm: MPI.Intracomm, described: dict[str, Any]) -> None:
    """Compare descriptions, and raise a RankError that names the first thing in which they differ."""
    first = comm.bcast(described)
    if not any(comm.allgather(repr(first) != repr(described))):
        return
    everything = comm.allgather(described)
    names = dict.fromkeys(name for one in everything for name in one)
    for name in names:
        values = [repr(one.get(name)) for one in everything]
        if len(set(values)) > 1:
            who = {value: [rank for rank, own in enumerate(values) if own == value] for value in values}
            parts = [f"{_ranks(ranks)} {name} {value}" for value, ranks in who.items()]
            raise RankError({rank: f"{name} {value}" for rank, value in enumerate(values)}, "; ".join(parts))
    raise RankError({}, f"ranks differ in {', '.join(names)}")


def _ranks(ranks: list[int]) -> str:
    """Write ``ranks 0-2, 5 have``."""
    shown = [str(rank) for rank in ranks]
    if len(ranks) > 2 and ranks == list(range(ranks[0], ranks[-1] + 1)):
        shown = [f"{ranks[0]}-{ranks[-1]}"]
    return f"rank {shown[0]} has" if len(ranks) == 1 else f"ranks {', '.join(shown)} have"


def trade(comm: MPI.Intracomm, sent: Sequence[Sequence[Bytes]], received: Sequence[Sequence[Bytes]]) -> None:
    """Send messages to all other ranks, and receive theirs: of each rank as many as it sends, in their order.

    Args:
        comm: the communicator.
        sent: the messages to each rank. Those without any bytes are not sent.
        received: the places of those from each.
    """
    rank, size, byte = comm.rank, comm.size, library().BYTE
    for first in range(1, size, AT_ONCE):
        requests = []
        for distance in range(first, min(first + AT_ONCE, size)):
            source, target = (rank - distance) % size, (rank + distance) % size
            requests += [comm.Irecv([place, byte], source) for place in received[source] if len(place)]
            requests += [comm.Isend([one, byte], target) for one in sent[target] if len(one)]
        library().Request.Waitall(requests)


def spread(comm: MPI.Intracomm, layout: Layout, memory: Flat | Apart) -> None:
    """Bring each rank's stretch of some memory to all ranks."""
    lengths, cuts = np.diff(layout.cuts), layout.cuts
    for at in range(0, int(lengths.max(initial=0)), ROUND):
        starts = (cuts[:-1] + np.minimum(at, lengths)).tolist()
        ends = (starts + np.clip(lengths - at, 0, ROUND)).tolist()
        of_each = [
            [memory.view(*part) for part in memory.messages(*bounds)]
            for bounds in zip(starts, ends, strict=True)
        ]
        trade(comm, [of_each[comm.rank]] * comm.size, of_each)


def copy_from_first(comm: MPI.Intracomm, memory: Bytes) -> None:
    """Give all ranks what rank 0 has in some memory."""
    for at in range(0, len(memory), ROUND):
        comm.Bcast([memory[at : at + ROUND], library().BYTE])


def collect(comm: MPI.Intracomm, sent: Bytes, received: Bytes | None, lengths: Sequence[int]) -> None:
    """Bring pieces of so many bytes to rank 0, one behind the other."""
    at, requests, byte = 0, [], library().BYTE
    for rank, length in enumerate(lengths):
        if comm.rank == 0 and received is not None:
            if rank == 0:
                received[:length] = sent
            else:
                requests += [
                    comm.Irecv([received[at + a : at + min(a + ROUND, length)], byte], rank)
                    for a in range(0, length, ROUND)
                ]
        elif rank == comm.rank:
            requests += [
                comm.Isend([sent[a : min(a + ROUND, length)], byte], 0) for a in range(0, length, ROUND)
            ]
        at += length
    library().Request.Waitall(requests)


def world() -> MPI.Intracomm:
    """Give the communicator of all ranks."""
    comm: MPI.Intracomm = library().COMM_WORLD
    return comm


def duplicated(comm: Any) -> MPI.Intracomm:
    """Give a communicator of our own for the same ranks; the same one at each call, as there are not many.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(comm, library().Intracomm):
        raise TypeError(f"comm must be an mpi4py communicator, got {type(comm).__name__}")
    own: MPI.Intracomm | None = comm.Get_attr(key())
    if own is None:
        own = comm.Dup()
        comm.Set_attr(key(), own)
    return own


@cache
def key() -> int:
    """Give the key under which a communicator has the one of our own."""
    made: int = library().Comm.Create_keyval()
    return made


def cores(comm: MPI.Intracomm) -> int:
    """Tell how many threads each rank may have, if those of a machine share its cores. Collective."""
    node = comm.Split_type(library().COMM_TYPE_SHARED)
    try:
        own = os.sched_getaffinity(0)
    except AttributeError:
        own = set(range(os.cpu_count() or 1))
    sharing = sum(1 for other in node.allgather(frozenset(own)) if other & own)
    node.Free()
    return max(1, len(own) // sharing)
