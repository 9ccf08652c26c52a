"""One step that all ranks make together, or none does."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from gradstep.mpi import exchanges
from gradstep.mpi.errors import RankError
from gradstep.mpi.exchanges import StoppedError
from gradstep.mpi.orders import additions, parts_of
from gradstep.mpi.sayings import Saying

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.intakes import Intakes
    from gradstep.mpi.layouts import Layout
    from gradstep.optimizers import Optimizer
    from gradstep.types import Params

    Bytes = NDArray[np.uint8]


@dataclass
class Given:
    """What a rank has for a step besides the gradients.

    Attributes:
        losses: of its parts, as far as they were given.
        taken: how many parts were added.
        scale: as of `gradstep.Optimizer.step`.
        failure: why it cannot take part.
    """

    losses: list[float] = field(default_factory=list)
    taken: int = 0
    scale: float = 1.0
    failure: BaseException | None = None

    def check(self, parts: int, loss_alone: bool) -> None:
        """Refuse what is not all that a rank with so many parts has to have."""
        if loss_alone:
            raise ValueError("loss goes with gradients: add(grads, loss=...)")
        if self.taken < parts:
            raise ValueError(f"{self.taken} of this rank's {parts} parts were added")
        if self.losses and len(self.losses) < parts:
            raise ValueError(f"loss was given for {len(self.losses)} of this rank's {parts} parts")
        if not math.isfinite(self.scale):
            raise ValueError(f"scale must be finite, got {self.scale}")


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
        pending: what there is for the next step.
    """

    #: Whether gradients that are given to a step are read where they are.
    borrows = False

    inner: Optimizer
    slices: list[slice]

    def __init__(self, comm: MPI.Intracomm, intakes: Intakes, parts: int) -> None:
        self.comm, self.intakes, self.parts = comm, intakes, parts
        self.loss: float | None = None
        self.mine = parts_of(comm.rank, comm.size, parts)
        self.saying = Saying(len(parts_of(0, comm.size, parts)), len(intakes.layout.leaves))
        self.pending = Given()
        self.order = additions([(part, part + 1) for part in range(parts)], parts)
        #: What others wait for, if this rank fails.
        self.due: Callable[[], None] | None = None

    @property
    def layout(self) -> Layout:
        """Where the gradients are."""
        return self.intakes.layout

    def say(self, given: Given, mark: bool) -> bytes:
        """Write down what this rank has."""
        return self.saying.write(given.losses, self.intakes.absent, mark)

    def hear(self, said: Sequence[memoryview | bytes]) -> tuple[list[int], list[bool]]:
        """Take the mean of all losses; give the arrays that nobody has a gradient of, and the marks."""
        losses, absent, marks = self.saying.read(said)
        if losses and len(losses) != self.parts:
            raise ValueError(f"loss was given for {len(losses)} of {self.parts} parts")
        for i, j in self.order if losses else ():
            losses[i] += losses[j]
        self.loss = losses[0] / self.parts if losses else None
        return absent, marks

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
    def changed(self) -> None:
        """Note that the next step may want other memory than the one before."""

    @abstractmethod
    def refresh_copies(self) -> None:
        """Write the copies of the parameters anew, if there are any."""

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
