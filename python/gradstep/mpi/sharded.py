"""An optimizer whose state is spread over the ranks of a communicator."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from gradstep import _core
from gradstep.mpi import exchanges
from gradstep.mpi.keeping import Kept
from gradstep.mpi.making import INBOX, team_of
from gradstep.mpi.teams import Given

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import SupportsFloat, SupportsIndex

    from mpi4py import MPI

    from gradstep.optimizers import Optimizer
    from gradstep.types import Grads, Params


class Sharded(Kept):
    """An optimizer whose state is spread over the ranks of an MPI communicator (ZeRO stage 1).

    Every rank holds all parameters and computes gradients of its own parts of each batch. A step adds these
    up, gives each rank the sum for the stretch of the parameters that it owns, updates that stretch there,
    and brings the new parameters to all. Optimizer state is held by the owner only: of N ranks, each has 1/N
    of it. Where the gradients of all ranks together have at most 2 MiB, every rank updates all parameters
    instead, and a step is one message.

    The numbers depend on ``parts``, and not on the number of ranks: a batch is split into that many parts,
    whose gradients are added up in one fixed order, and the result is the same bits on 1 rank or on as many
    as there are parts, with any MPI: those of ``optimizer`` alone, at a step with that sum and
    ``scale=1/parts``. What NumPy computes for a part is yours to keep reproducible.

    All methods but `add`, `gradients`, `refresh_copies` and `freeze` with `unfreeze` are collective: every
    rank calls them, in the same order. What is assigned has to be assigned on all; the next step says if it
    was not. A step is all or nothing over all ranks: what one of them cannot do is an error on all, before
    the first write.

    Args:
        optimizer: the class, such as `gradstep.Adam`.
        params: as ``optimizer`` takes them, groups included; alike on all ranks but for the values, of which
            those of rank 0 are copied to the others. What `flatten` gives needs no copying in a step.
        comm: an mpi4py communicator, by default ``MPI.COMM_WORLD``. It is duplicated: messages of yours do
            not mix with those of a step.
        parts: how many parts a batch has, at least 1; by default one for each rank. Best a power of two times
            the number of ranks: with others, a rank has to send its gradients more than once.
        inbox: bytes for gradients on their way to this rank. A matter of speed and memory, not of numbers.
        options: what ``optimizer`` takes: lr, clip_norm, … Limits are on the gradient of the whole batch, and
            ``copy_to`` is for the whole parameters, on each rank that wants it. Below ``state_dir`` each rank
            has a directory of its own, ``rank-0-of-4``.

    Attributes:
        parts: the numbers of the parts that this rank computes, a range; over all ranks ``range(parts)``.
        stretch: ``{name: slice}``, which elements of each parameter this rank updates, in memory order.
        state: ``{name: {slot: ndarray}}``, live views of the state of these elements, with one axis, or
            `gradstep.Packed` of such views.
        loss: the mean of the last step's losses, or None if there were none.
        step_count, counts, scalars, feedback_state, frozen, micro_step, skipped, params, hyperparameters,
            grad_norm, update_norm, param_norm, and each hyperparameter, as lr: as of `gradstep.Optimizer`.

    Raises:
        ImportError: there is no mpi4py: ``pip install 'gradstep[mpi]' mpich``.
        TypeError, ValueError: as by ``optimizer``.
        RankError: it raised that on another rank, or arguments differ.
        OSError: as by ``optimizer`` with ``state_dir``; a FileExistsError, too, where another number of ranks
            has left its state.

    Example: run it as ``mpiexec -n 4 python -m mpi4py train.py``, or without mpiexec on one rank.
        >>> import numpy as np
        >>> import gradstep as gs
        >>> from gradstep import mpi
        >>> params = mpi.flatten({"w": np.ones(4)})
        >>> opt = mpi.Sharded(gs.Adam, params, parts=8, lr=0.1, clip_norm=1.0)  # doctest: +SKIP
        >>> for part in opt.parts:  # doctest: +SKIP
        ...     opt.add({"w": params["w"] * part}, loss=1.0)
        >>> opt.step()  # doctest: +SKIP
        True
    """

    def __init__(
        self,
        optimizer: type[Optimizer],
        params: Params,
        comm: MPI.Intracomm | None = None,
        parts: SupportsIndex | None = None,
        *,
        inbox: SupportsIndex = INBOX,
        **options: Any,
    ) -> None:
        self._comm = exchanges.duplicated(exchanges.world() if comm is None else comm)
        self._team = team_of(self._comm, optimizer, params, parts, inbox, options)
        self._intakes = self._team.intakes
        self._ready = True

    def add(self, grads: Grads, *, loss: SupportsFloat | None = None) -> None:
        """Take in the gradients of this rank's next part.

        It raises nothing that would leave other ranks waiting: what is wrong with them is said by the `step`
        that follows, on all ranks.

        Args:
            grads: in the structure of the parameters, as of `gradstep.Optimizer.step`. They are copied,
                unless they are what `gradients` gave. None stands for one that there is not: it counts as
                zero if another part has one, and the parameter rests if none has.
            loss: of that part, for `loss` and for feedback schedules; for all parts or for none.
        """
        self._add(grads, loss, False)

    def _add(self, grads: Grads, loss: SupportsFloat | None, stay: bool) -> None:
        """Take in gradients; or leave them where they are if they ``stay`` the same until the step."""
        team, given = self._team, self._team.pending
        if given.failure is not None:
            return
        try:
            if given.taken == len(self.parts):
                raise ValueError(f"more than this rank's {len(self.parts)} parts were added")
            value = None if loss is None else _core.real("loss", loss)
            if not (stay and team.borrows and len(self.parts) == 1 and self._intakes.borrow(grads)):
                self._intakes.take(grads, self.parts[given.taken])
        except Exception as error:
            given.failure = error
            return
        given.taken += 1
        if value is not None:
            given.losses.append(value)

    def gradients(self) -> Params:
        """Give arrays in the structure of the parameters, to compute the next part's gradients into.

        They hold nothing of meaning. Once that structure was given to `add` or `step`, they are sent without
        a copy, and are not to be written to any more: ask for others.
        """
        return self._intakes.lend()

    def step(
        self, grads: Grads | None = None, *, loss: SupportsFloat | None = None, scale: SupportsFloat = 1.0
    ) -> bool:
        """Update the parameters on all ranks, with the mean of all parts' gradients.

        Args:
            grads: ``step(grads, loss=loss)`` is ``add(grads, loss=loss)``, and then ``step()``; large arrays
                that lie in memory as the parameters do are sent from where they are.
            loss: as of `add`.
            scale: what the mean is multiplied by.

        Returns:
            As `gradstep.Optimizer.step`.

        Raises:
            TypeError, ValueError: this rank's gradients are wrong, or parts are missing.
            NonFiniteError: a norm is limited that is not finite; on all ranks.
            RankError: on ranks where nothing is wrong, if something is on others, or if they are about to
                make different steps, as after an assignment on one of them. After any error all is as it was,
                on all ranks, gradients that were added are forgotten, and the next step may be tried.
        """
        team, given = self._team, self._team.pending
        alone = self._comm.size == team.parts == 1 and not given.taken and given.failure is None
        if alone and grads is not None:
            updated = team.inner.step(grads, loss=loss, scale=scale)
            team.loss = None if loss is None else _core.real("loss", loss)
            return updated
        if grads is not None:
            self._add(grads, loss, True)
        try:
            if given.failure is None:
                given.scale = _core.real("scale", scale)
                given.check(len(self.parts), grads is None and loss is not None)
        except Exception as error:
            given.failure = error
        team.pending = Given()
        try:
            return team.step(given)
        finally:
            self._intakes.clear()

    def observe(self, loss: SupportsFloat) -> None:
        """Tell all feedback schedules a loss or another metric: the mean over the ranks, in their order.

        Args:
            loss: this rank's.

        Raises:
            TypeError, ValueError: as by `gradstep.Optimizer.observe`, on the rank whose loss is wrong.
            RankError: on the others.
        """
        seen: list[float] = []
        exchanges.attempted(self._comm, lambda: seen.append(_core.real("loss", loss)))
        total = 0.0
        for one in self._comm.allgather(seen[0]):
            total += one
        self._team.inner.observe(total / self._comm.size)

    def refresh_copies(self) -> None:
        """Write this rank's copies of ``copy_to`` anew, after a change of the parameters that is no step."""
        self._team.refresh_copies()

    def freeze(self, pattern: str) -> None:
        """Leave parameters as they are; see `gradstep.Optimizer`. On all ranks alike."""
        self._team.changed()
        self._team.inner.freeze(pattern)

    def unfreeze(self, pattern: str) -> None:
        """Update them again."""
        self._team.changed()
        self._team.inner.unfreeze(pattern)

    @property
    def averaged(self) -> Params:
        """The averages of the parameters, copies in a new structure. Collective.

        Raises:
            ValueError: the optimizer keeps no averages.
        """
        return self._team.structured(self._team.averages())

    @contextmanager
    def swap_averaged(self) -> Iterator[None]:
        """Put the averages into the parameters for the length of a ``with`` block. Collective.

        Raises:
            ValueError: the optimizer keeps no averages.
            RuntimeError: they are in the parameters already.
        """
        inner, arrays = self._team.inner, self._intakes.arrays
        averages = self._team.averages()
        if inner._swap(True):
            raise RuntimeError("the averages are in the parameters already")
        kept = [array.copy(order="K") for array in arrays]
        try:
            for array, average in zip(arrays, averages, strict=True):
                array[...] = average
            yield
        finally:
            for array, own in zip(arrays, kept, strict=True):
                array[...] = own
            inner._swap(False)

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "an optimizer of many ranks is not copied or pickled: save it, and load it into another one"
        )

    def __repr__(self) -> str:
        size = self._comm.size
        return f"<Sharded over {size} rank{'s' if size > 1 else ''}: {self._team.inner!r}>"
