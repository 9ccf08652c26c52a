"""Small models: every rank updates all parameters, and one message takes the gradients of all to all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep.mpi.exchanges import HEAD, Meeting
from gradstep.mpi.layouts import UNIT
from gradstep.mpi.orders import additions, blocks, parts_of
from gradstep.mpi.reductions import fold
from gradstep.mpi.teams import Team, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.intakes import Intakes
    from gradstep.mpi.teams import Bytes, Given
    from gradstep.optimizers import Optimizer

LARGEST = 1 << 20
"""Bytes of the parameters of the largest model that is small."""
MIXED = 0x9E3779B97F4A7C15
"""An odd number that mixes the bits of others."""


class Replicas(Team):
    """A team in which everybody does the same.

    With one rank there is nobody to send anything to.
    """

    def __init__(
        self, comm: MPI.Intracomm, intakes: Intakes, parts: int, make: Callable[[], Optimizer]
    ) -> None:
        super().__init__(comm, intakes, parts)
        self.blocks = [blocks(parts_of(rank, comm.size, parts)) for rank in range(comm.size)]
        every = [block for of_one in self.blocks for block in of_one]
        self.additions = additions(every, parts)
        self.runs = self.layout.runs(0, self.layout.nbytes)
        self.pure = False
        self.inner = make()
        self.slices = [slice(0, array.size) for array in intakes.arrays]
        nbytes = self.layout.nbytes
        leaves = len(self.layout.leaves)
        self.fronts = [front(rank, comm.size, parts, leaves) for rank in range(comm.size)]
        if comm.size > 1:
            sizes = [
                of_one - HEAD + len(own) * nbytes
                for of_one, own in zip(self.fronts, self.blocks, strict=True)
            ]
            self.beginning = Meeting(comm, sizes)
            self.votes = Meeting(comm, [0] * comm.size)
            self.inner._share(self, None)

    def make(self, given: Given) -> bool:
        """Send what this rank has, add up what all have, and update everything."""
        intakes = self.intakes
        out = intakes.stack[0][1] if intakes.stack else intakes.one()
        rows: list[Bytes] = []
        if self.comm.size == 1:
            self.loss, absent = self.heard([self.said(given)])
            rows = [intake.flat for _, intake in intakes.stack]
        else:
            outlook, self.pure = self.inner._outlook
            bits = int.from_bytes(struct.pack("<d", given.scale), "little")
            digest = outlook ^ (bits * MIXED & (1 << 64) - 1)
            self.beginning.meet("begin", digest, self.message(given))
            self.due = None if self.pure else self.refuse_update
            self.loss, absent = self.heard(
                [body[: front - HEAD] for body, front in zip(self.beginning.bodies, self.fronts, strict=True)]
            )
            for body, ahead, own in zip(self.beginning.bodies, self.fronts, self.blocks, strict=True):
                at = ahead - HEAD
                rows += (
                    [
                        body[start : start + self.layout.nbytes]
                        for start in range(at, at + len(own) * self.layout.nbytes, self.layout.nbytes)
                    ]
                    if self.layout.nbytes
                    else [body[at:at]] * len(own)
                )
        fold(rows, self.additions, out.flat, self.runs)
        grads = out.whole
        if absent:
            views = list(out.views)
            for i in absent:
                views[i] = None  # type: ignore[call-overload]
            grads = out._structured(views)
        try:
            return self.inner.step(grads, loss=self.loss, scale=given.scale / self.parts)
        finally:
            if not intakes.stack:
                intakes.release(out)

    def averages(self) -> list[NDArray[Any]]:
        """Copy the averages, which are whole."""
        return self.inner._averages()

    def said(self, given: Given) -> Bytes:
        """Write down what the only rank has."""
        body = np.zeros(8 * self.words(0), np.uint8)
        self.say(body, given)
        return body

    def message(self, given: Given) -> Bytes:
        """Make the message of this rank: in the memory of its sum if it has but one."""
        stack, ahead = self.intakes.stack, self.fronts[self.comm.rank]
        if len(stack) == 1 and self.intakes.ahead == ahead:
            memory = stack[0][1].memory
            self.say(memory[HEAD : HEAD + 8 * self.words(self.comm.rank)], given)
            return memory
        mine = self.beginning.mine
        self.say(mine[: 8 * self.words(self.comm.rank)], given)
        for j, (_, intake) in enumerate(stack):
            at = ahead - HEAD + j * self.layout.nbytes
            mine[at : at + self.layout.nbytes] = intake.flat
        return self.beginning.memory

    def refuse(self) -> None:
        """Say that this rank cannot begin."""
        if self.comm.size > 1:
            self.beginning.meet("begin", stopped=True)

    def refuse_update(self) -> None:
        """The same where only the update is left."""
        self.votes.meet("update", stopped=True)

    def agree(self, topic: str, digest: int) -> None:
        """Hear whether all are about to do the same, if that was not said at the beginning."""
        if not self.pure:
            self.votes.meet(topic, digest)
            self.due = None


def front(rank: int, ranks: int, parts: int, leaves: int) -> int:
    """Tell how many bytes are in front of a rank's gradients."""
    return -(-(HEAD + 8 * words(len(parts_of(rank, ranks, parts)), leaves)) // UNIT) * UNIT
