"""Large models: every rank adds up, updates and remembers a stretch of the parameters, for all."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import _core
from gradstep.mpi import exchanges
from gradstep.mpi.exchanges import Meeting
from gradstep.mpi.layouts import in_order
from gradstep.mpi.memories import Apart, Flat
from gradstep.mpi.reductions import Reduction
from gradstep.mpi.teams import Team
from gradstep.threads import num_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.intakes import Intake, Intakes
    from gradstep.mpi.layouts import Layout
    from gradstep.mpi.teams import Bytes, Given
    from gradstep.optimizers import Optimizer

SUMS = {"squares": 1, "nonfinite": 1, "sums": 2, "changes": 2}
"""How many sums there are of each chunk."""


class Stretches(Team):
    """A team in which everybody has a stretch.

    Args:
        comm, intakes, parts: as of `Team`.
        make: makes the optimizer of arrays that are our stretches of the parameters, which is told where each
            begins and how many elements the whole array has.
        inbox: bytes for gradients from others.
        threads: how many of this machine's cores are for this rank.
        flat: the memory of the parameters, if they lie as in the layout, on all ranks.
        copies: what keeps copies of the whole parameters, if there are any.
    """

    borrows = True

    def __init__(
        self,
        comm: MPI.Intracomm,
        intakes: Intakes,
        parts: int,
        make: Callable[[list[NDArray[Any]], list[tuple[int, int]]], Optimizer],
        *,
        inbox: int,
        threads: int,
        flat: Bytes | None,
        copies: Optimizer | None,
    ) -> None:
        super().__init__(comm, intakes, parts)
        layout, rank = self.layout, comm.rank
        self.threads, self.shadows = threads, copies
        self.whole = [in_order(array) for array in intakes.arrays]
        self.slices = [layout.stretch(rank, leaf) for leaf in range(len(layout.leaves))]
        self.own = [array[part] for array, part in zip(self.whole, self.slices, strict=True)]
        self.memory = Apart(layout, intakes.arrays) if flat is None else Flat(flat)
        self.reduction = Reduction(comm, layout, parts, inbox)
        self.beginning = Meeting(comm, self.saying.size)
        self.votes = Meeting(comm, 16 * int(layout.chunks_of_ranks(None).max(initial=0)))
        self.inner = make(
            self.own,
            [(part.start, array.size) for part, array in zip(self.slices, self.whole, strict=True)],
        )
        self.inner._share(self, [leaf.reals for leaf in layout.leaves])
        self.gradients: dict[int, list[NDArray[Any]]] = {}

    def make(self, given: Given) -> bool:
        """Add up the gradients of our stretch, update it, and bring it to all."""
        intakes = self.intakes
        out = intakes.stack[0][1] if intakes.stack else intakes.one()
        try:
            updated = self.make_in(out, given)
        finally:
            if not intakes.stack:
                intakes.release(out)
        if updated:
            self.spread()
        return updated

    def make_in(self, out: Intake, given: Given) -> bool:
        """Add up the gradients of our stretch in some memory, and update it."""
        borrowed = self.intakes.borrowed
        sums: list[Flat | Apart] = [Flat(intake.flat) for _, intake in self.intakes.stack]
        sums += [] if borrowed is None else [borrowed]
        rounds = self.reduction.rounds(sums, out.flat)
        grads: list[Any] = list(self.gradients_of(out))
        said = self.say(given, borrowed is not None)
        self.beginning.mine.data[: len(said)] = said
        self.beginning.meet("begin", int(np.float64(given.scale).view(np.uint64)))
        self.due = self.refuse_update
        absent, apart = self.hear(self.beginning.views)
        with self.limits():
            self.due = None  # in the middle of messages between pairs, nothing can be said to all
            self.reduction.run(rounds, sums, apart)
            self.due = self.refuse_update
            for i in absent:
                grads[i] = None
            structure = self.inner._structured(grads)
            return self.inner.step(structure, loss=self.loss, scale=given.scale / self.parts)

    def limits(self) -> AbstractContextManager[None]:
        """Leave other ranks of the machine their cores, unless somebody has set the number of threads."""
        usual = "GRADSTEP_NUM_THREADS" not in os.environ
        usual = usual and _core.get_num_threads() == _core.default_num_threads()
        return num_threads(self.threads) if usual else nullcontext()

    def gradients_of(self, intake: Intake) -> list[NDArray[Any]]:
        """View our stretch of each gradient."""
        key = id(intake)
        if key not in self.gradients:
            views = zip(intake.views, self.slices, strict=True)
            self.gradients[key] = [in_order(view)[part] for view, part in views]
        return self.gradients[key]

    def spread(self) -> None:
        """Bring what each rank has of the parameters to all."""
        if isinstance(self.memory, Apart):
            self.memory.pack()
        exchanges.spread(self.comm, self.layout, self.memory)
        if isinstance(self.memory, Apart):
            self.memory.unpack()
        self.refresh_copies()

    def refresh_copies(self) -> None:
        """Write the copies of the parameters anew, those of others' stretches among them."""
        if self.shadows is not None:
            self.shadows.refresh_copies()

    def pack(self, own: Sequence[NDArray[Any]], memory: Bytes) -> None:
        """Put our stretches of arrays like the parameters where they are sent from."""
        for start, array, part in zip(self.layout.starts[:-1].tolist(), own, self.slices, strict=True):
            at = start + part.start * array.itemsize
            memory[at : at + array.nbytes] = array.view(np.uint8)

    def averages(self) -> list[NDArray[Any]]:
        """Bring the averages to all."""
        memory = np.zeros(self.layout.nbytes, np.uint8)
        self.pack(self.inner._averages(), memory)
        exchanges.spread(self.comm, self.layout, Flat(memory))
        return self.layout.views(memory, self.intakes.arrays)

    def changed(self) -> None:
        """All ask each other at every step."""

    def refuse(self) -> None:
        """Say that this rank cannot begin."""
        self.beginning.meet("begin", stopped=True)

    def refuse_update(self) -> None:
        """The same once the step has begun."""
        self.votes.meet("update", stopped=True)

    def agree(self, topic: str, digest: int) -> None:
        """Hear whether all are about to do the same."""
        self.votes.meet(topic, digest)
        self.due = None

    def gather(
        self, topic: str, sums: NDArray[np.float64], items: Sequence[int] | None
    ) -> NDArray[np.float64]:
        """Give the sums of all chunks, in their order; called by the optimizer with those of our own."""
        self.votes.mine[: sums.nbytes] = sums.view(np.uint8)
        self.votes.meet(topic)
        counts = self.layout.chunks_of_ranks(items) * (8 * SUMS[topic])
        bodies = zip(self.votes.bodies, counts.tolist(), strict=True)
        return np.concatenate([body[:count] for body, count in bodies]).view(np.float64)


def flat_memory(arrays: Sequence[NDArray[Any]], layout: Layout) -> Bytes | None:
    """Give the memory of all arrays, if it is one stretch in which they lie as in the layout."""
    filled = [i for i, array in enumerate(arrays) if array.size]
    if not filled:
        return None
    address = [array.__array_interface__["data"][0] for array in arrays]
    begin = address[filled[0]]
    if any(address[i] - begin != layout.starts[i] for i in filled):
        return None
    root = arrays[filled[0]]
    while isinstance(root.base, np.ndarray):
        root = root.base
    at = begin - root.__array_interface__["data"][0]
    if not root.flags.c_contiguous or not root.flags.writeable or at + layout.nbytes > root.nbytes:
        return None
    return np.asarray(root).reshape(-1).view(np.uint8)[at : at + layout.nbytes]
