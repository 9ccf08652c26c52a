"""Small models: every rank updates all parameters, and one message takes the gradients of all to all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from gradstep import _core
from gradstep.mpi.exchanges import HEAD, Meeting
from gradstep.mpi.layouts import UNIT
from gradstep.mpi.orders import additions, blocks, parts_of
from gradstep.mpi.reductions import Sum
from gradstep.mpi.sayings import Saying
from gradstep.mpi.teams import Team

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.intakes import Intake, Intakes
    from gradstep.mpi.teams import Bytes, Given
    from gradstep.optimizers import Optimizer

LARGEST = 2 << 20
"""Bytes of gradients from all ranks, up to which a model is small."""
WORD = (1 << 64) - 1
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
        own = [blocks(parts_of(rank, comm.size, parts)) for rank in range(comm.size)]
        self.additions = additions([block for of_one in own for block in of_one], parts)
        self.runs = self.layout.runs(0, self.layout.nbytes)
        self.inner = make()
        self.accumulates = self.inner._hyperparameters[0]["accumulate"] > 1
        #: Whether the ranks ask each other once more before they write.
        self.asks = True
        #: The number of threads with which the next step is certain to succeed, if it is.
        self.certain_with: int | None = None
        self.slices = [slice(0, array.size) for array in intakes.arrays]
        self.sums: dict[int, Sum] = {}
        if comm.size > 1:
            nbytes, ahead = self.layout.nbytes, intakes.ahead - HEAD.size
            self.beginning = Meeting(comm, ahead + max(map(len, own)) * nbytes)
            self.votes = Meeting(comm, 0)
            self.rows = [
                body[ahead + j * nbytes : ahead + (j + 1) * nbytes]
                for body, of_one in zip(self.beginning.bodies, own, strict=True)
                for j in range(len(of_one))
            ]
            self.inner._share(self, None)

    def make(self, given: Given) -> bool:
        """Send what this rank has, add up what all have, and update everything."""
        intakes = self.intakes
        out = intakes.stack[0][1] if intakes.stack else intakes.one()
        try:
            if self.comm.size == 1:
                return self.make_alone(out, given)
            return self.make_together(out, given)
        finally:
            if not intakes.stack:
                intakes.release(out)

    def make_alone(self, out: Intake, given: Given) -> bool:
        """The same where there is nobody else."""
        absent, _ = self.hear([self.say(given, False)])
        Sum([one.flat for _, one in self.intakes.stack], self.additions, out.flat, self.runs).run()
        return self.update(out, given, absent)

    def make_together(self, out: Intake, given: Given) -> bool:
        """Send one message, and a second one if it is not certain that all can do what is left.

        After the first the others go on, whatever becomes of us. So it is certain only where the step runs no
        Python code of others, and where the one before it was of the same kind: it has taken all memory that
        there is to take.
        """
        if id(out) not in self.sums:
            self.sums[id(out)] = Sum(self.rows, self.additions, out.flat, self.runs)
        (outlook, pure), threads = self.inner._outlook, _core.get_num_threads()
        digest = outlook ^ (int.from_bytes(struct.pack("<d", given.scale), "little") * MIXED & WORD)
        certain = pure and threads == self.certain_with
        self.beginning.meet("begin", digest, self.message(given, not certain))
        self.due = self.refuse_update
        absent, uncertain = self.hear(self.beginning.views)
        self.asks = any(uncertain) or bool(absent)
        if not self.asks:
            self.due = None
        self.sums[id(out)].run()
        updated = self.update(out, given, absent)
        if absent or self.accumulates:
            self.certain_with = None  # others have memory of their own, at each step
        elif updated:
            self.certain_with = threads
        return updated

    def update(self, out: Intake, given: Given, absent: Sequence[int]) -> bool:
        """Make the step with the gradients of all."""
        grads = out.whole
        if absent:
            views: list[Any] = list(out.views)
            for i in absent:
                views[i] = None
            grads = out._structured(views)
        return self.inner.step(grads, loss=self.loss, scale=given.scale / self.parts)

    def changed(self) -> None:
        """Note that the next step may want other memory than the one before."""
        self.certain_with = None

    def refresh_copies(self) -> None:
        """Write the copies of the parameters anew, if there are any."""
        self.inner.refresh_copies()

    def averages(self) -> list[NDArray[Any]]:
        """Copy the averages, which are whole."""
        return self.inner._averages()

    def message(self, given: Given, uncertain: bool) -> Bytes:
        """Make the message of this rank: in the memory of its sum if that is as long."""
        stack, said = self.intakes.stack, self.say(given, uncertain)
        memory = self.beginning.memory
        if len(stack) == 1 and len(stack[0][1].memory) == len(memory):
            memory = stack[0][1].memory
        else:
            at = self.intakes.ahead
            for _, intake in stack:
                memory[at : at + self.layout.nbytes] = intake.flat
                at += self.layout.nbytes
        memory.data[HEAD.size : HEAD.size + len(said)] = said
        return memory

    def refuse(self) -> None:
        """Say that this rank cannot begin."""
        if self.comm.size > 1:
            self.beginning.meet("begin", stopped=True)

    def refuse_update(self) -> None:
        """The same where only the update is left."""
        self.votes.meet("update", stopped=True)

    def agree(self, topic: str, digest: int) -> None:
        """Hear whether all are about to do the same, if that was not said at the beginning."""
        if self.asks:
            self.votes.meet(topic, digest)
            self.due = None


def front(ranks: int, parts: int, leaves: int) -> int:
    """Tell how many bytes are in front of a rank's gradients."""
    return -(-(HEAD.size + Saying(len(parts_of(0, ranks, parts)), leaves).size) // UNIT) * UNIT
