"""One step that all ranks make together, or none does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gradstep.mpi import exchanges
from gradstep.mpi.errors import RankError
from gradstep.mpi.exchanges import StoppedError
from gradstep.mpi.orders import additions, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.intakes import Intakes
    from gradstep.mpi.layouts import Layout
    from gradstep.optimizers import Optimizer
    from gradstep.types import Params

    Bytes = NDArray[np.uint8]

BITS = 64
"""Of a word, one for each array."""


@dataclass
class Given:
    """What a rank has for a step besides the gradients.

    Attributes:
        losses: of its parts, as far as they were given.
        scale: as of `gradstep.Optimizer.step`.
        failure: why it cannot take part.
    """

    losses: list[float]
    scale: float = 1.0
    failure: BaseException | None = None


def words(parts: int, leaves: int) -> int:
    """Tell how many words it takes to say what there is of so many parts and arrays."""
    return 1 + parts + -(-leaves // BITS)


class Team(ABC):
    """The ranks, and this rank's optimizer.

    Args:
        comm: the communicator.
        intakes: where the gradients of the parts are.
        parts: how many there are on all ranks.

    Attributes:
        inner: this rank's optimizer.
        slices: which elements of each parameter it updates, in the order of memory.
        mine: the parts that this rank computes.
        loss: the mean of the last step's losses, if there were any.
    """

    inner: Optimizer
    slices: list[slice]

    def __init__(self, comm: MPI.Intracomm, intakes: Intakes, parts: int) -> None:
        self.comm, self.intakes, self.parts = comm, intakes, parts
        self.loss: float | None = None
        self.mine = parts_of(comm.rank, comm.size, parts)
        self.counts = [len(parts_of(rank, comm.size, parts)) for rank in range(comm.size)]
        self.order = additions([(part, part + 1) for part in range(parts)], parts)
        #: What others wait for, if this rank fails.
        self.due: Callable[[], None] | None = None

    @property
    def layout(self) -> Layout:
        """Where the gradients are."""
        return self.intakes.layout

    def words(self, rank: int) -> int:
        """Tell how many words a rank needs to say what it has for a step."""
        return words(self.counts[rank], len(self.layout.leaves))

    def say(self, body: Bytes, given: Given) -> None:
        """Write down the number of this rank's losses, these, and which arrays have no gradient."""
        numbers = body.view(np.float64)
        count = self.counts[self.comm.rank]
        numbers[0] = len(given.losses)
        numbers[1 : 1 + count] = 0.0
        numbers[1 : 1 + len(given.losses)] = given.losses
        bits = body[8 * (1 + count) : 8 * self.words(self.comm.rank)].view(np.uint64)
        absent = self.intakes.absent
        bits[:] = 0 if absent is not None else ~np.uint64(0)
        for i in absent or ():
            bits[i // BITS] |= np.uint64(1 << i % BITS)

    def heard(self, bodies: Sequence[Bytes]) -> tuple[float | None, list[int]]:
        """Read what all have: the mean of the losses, and the arrays of which nobody has a gradient."""
        losses: list[float] = []
        masks = []
        for body, count in zip(bodies, self.counts, strict=True):
            numbers = body[: 8 * (1 + count)].view(np.float64)
            losses += numbers[1 : 1 + int(numbers[0])].tolist()
            masks.append(body[8 * (1 + count) : 8 * words(count, len(self.layout.leaves))].view(np.uint64))
        absent: list[int] = []
        if masks[0].any():
            common = np.bitwise_and.reduce(masks)
            absent = [i for i in range(len(self.layout.leaves)) if int(common[i // BITS]) >> i % BITS & 1]
        if not losses:
            return None, absent
        if len(losses) != self.parts:
            raise ValueError(f"loss was given for {len(losses)} of {self.parts} parts")
        for i, j in self.order:
            losses[i] += losses[j]
        return losses[0] / self.parts, absent

    def step(self, given: Given) -> bool:
        """Make a step, on all ranks or on none. Collective."""
        failure = given.failure
        self.due = self.refuse
        try:
            if failure is not None:
                raise failure
            updated = self.make(given)
        except StoppedError:
            self.explain(None, given)
        except BaseException as error:
            if self.due is None:
                raise
            try:
                self.due()
            except StoppedError:
                self.explain(error, given)
            raise
        self.due = None
        return updated

    def explain(self, failure: BaseException | None, given: Given) -> NoReturn:
        """Raise what all have to know: what failed, or in what ranks differ."""
        exchanges.told(self.comm, failure)
        exchanges.same(self.comm, {"scale": given.scale} | self.describe())
        raise RankError(
            {}, "the ranks were about to make different steps: their schedules have to give all the same"
        )

    def describe(self) -> dict[str, Any]:
        """Tell by name what has to be alike on all ranks."""
        inner = self.inner
        described: dict[str, Any] = {"step_count": inner.step_count}
        for name in inner._hyperparameters[0]:
            try:
                described[name] = inner._hyper(name)
            except Exception as error:  # what it says will be the difference
                described[name] = error
        described["skipped"], described["micro_step"] = inner.skipped, inner.micro_step
        described["counts"], described["frozen"] = inner.counts, inner.frozen
        described["scalars"], described["feedback_state"] = inner.scalars, inner.feedback_state
        return described

    @property
    def params(self) -> Params:
        """The parameters, in a new structure."""
        return self.structured(self.intakes.arrays)

    def structured(self, arrays: Sequence[NDArray[Any]]) -> Params:
        """Put arrays into the structure of the parameters."""
        return self.intakes.any._structured(list(arrays))

    @abstractmethod
    def averages(self) -> list[NDArray[Any]]:
        """Give copies of the averages of all parameters. Collective."""

    @abstractmethod
    def refuse(self) -> None:
        """Say to the others, who are to make a step, that this rank cannot."""

    @abstractmethod
    def make(self, given: Given) -> bool:
        """Make a step, or raise before anything is written."""

    @abstractmethod
    def agree(self, topic: str, digest: int) -> None:
        """Hear whether all are about to do the same; called by the optimizer before it writes."""
