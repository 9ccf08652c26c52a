"""An optimizer whose state is spread over the ranks of a communicator."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any

from gradstep import _core
from gradstep.checkpoints import texts
from gradstep.mpi import exchanges
from gradstep.mpi.flattening import groups_of, with_options, without_options
from gradstep.mpi.intakes import Intakes
from gradstep.mpi.layouts import Layout, Leaf, axes, in_order
from gradstep.mpi.orders import parts_of
from gradstep.mpi.replicas import LARGEST, Replicas, front
from gradstep.mpi.stretches import Stretches
from gradstep.mpi.teams import Given, Team
from gradstep.optimizers import SGD, Optimizer
from gradstep.optimizers.assignments import RESTORED
from gradstep.scalars import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import SupportsFloat, SupportsIndex

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.types import Grads, Params

INBOX = 32 << 20


def told(optimizer: Optimizer) -> dict[str, Any]:
    """Give the options of an optimizer as texts."""
    groups = optimizer._hyperparameters
    return {
        name: [texts.write(group[name]) or "of a function" for group in groups]  # type: ignore[arg-type]
        for name in groups[0]
    }


class Sharded:
    """An optimizer whose state is spread over the ranks of an MPI communicator (ZeRO stage 1)."""

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
        own = exchanges.duplicated(exchanges.world() if comm is None else comm)
        made: dict[str, Any] = {}

        def prepare() -> dict[str, Any]:
            if not (isinstance(optimizer, type) and issubclass(optimizer, Optimizer)):
                raise TypeError(f"optimizer must be a class such as gradstep.Adam, got {optimizer!r}")
            if "state_dir" in options:
                raise ValueError("state_dir is not for ranks: each would need a directory of its own")
            count = own.size if parts is None else counted("parts", parts, 1)
            made.update(parts=count, inbox=counted("inbox", inbox, 1))
            given = groups_of(params)
            probe = SGD(without_options(params, given))
            arrays = [in_order_of_memory for in_order_of_memory in probe._arrays]
            made.update(given=given, probe=probe, arrays=arrays)
            described = {
                f"params[{name!r}]": (shape, dtype, axes(array))
                for (name, shape, dtype, _), array in zip(probe._parameters, arrays, strict=True)
            }
            return {"optimizer": optimizer.__name__, "parts": count, "inbox": made["inbox"], **described}

        exchanges.compared(own, prepare)
        probe, given, arrays = made["probe"], made["given"], made["arrays"]
        self._comm, self._options = own, options
        self._names = [name for name, *_ in probe._parameters]
        for array in arrays:
            exchanges.copy_from_first(own, in_order(array).view("u1"))
        layout = Layout.of([Leaf.of(array) for array in arrays], own.size)
        small = own.size == 1 or layout.nbytes <= LARGEST
        ahead = front(own.rank, own.size, made["parts"], len(arrays)) if small else 0
        self._intakes = Intakes(without_options(params, given), layout, arrays, ahead)
        self._parts = parts_of(own.rank, own.size, made["parts"])
        threads = exchanges.cores(own)
        if "GRADSTEP_NUM_THREADS" in os.environ or _core.get_num_threads() < threads:
            threads = 0

        def make() -> dict[str, Any]:
            if small:
                team: Team = Replicas(
                    own, self._intakes, made["parts"], params, lambda params: optimizer(params, **options)
                )
            else:
                team = Stretches(
                    own,
                    self._intakes,
                    made["parts"],
                    lambda arrays: optimizer(
                        with_options(probe._structured(arrays), given), **options
                    ),
                    inbox=made["inbox"],
                    threads=threads or None,
                )
            made["team"] = team
            return team.describe() | {"groups": team.inner._owners} | told(team.inner)

        exchanges.compared(own, make)
        self._team: Team = made["team"]
        self._losses: list[float] = []
        self._taken = 0
        self._failure: BaseException | None = None

    @property
    def parts(self) -> range:
        return self._parts

    def add(self, grads: Grads, *, loss: SupportsFloat | None = None) -> None:
        if self._failure is not None:
            return
        try:
            if self._taken == len(self._parts):
                raise ValueError(f"this rank has {len(self._parts)} parts, and all of them were added")
            value = None if loss is None else _core.real("loss", loss)
            self._intakes.take(grads, self._parts[self._taken])
            self._taken += 1
            if value is not None:
                self._losses.append(value)
        except Exception as error:
            self._failure = error

    def gradients(self) -> Params:
        return self._intakes.lend()

    def step(
        self,
        grads: Grads | None = None,
        *,
        loss: SupportsFloat | None = None,
        scale: SupportsFloat = 1.0,
    ) -> bool:
        alone = self._comm.size == 1 and len(self._parts) == 1 and not self._taken
        if alone and grads is not None and self._failure is None:
            return self._alone(grads, loss, scale)
        if grads is not None:
            self.add(grads, loss=loss)
        given = Given(self._losses, 1.0, self._failure)
        try:
            if given.failure is None:
                self._check(grads, loss)
                given.scale = _core.real("scale", scale)
                if not math.isfinite(given.scale):
                    raise ValueError(f"scale must be finite, got {given.scale}")
        except Exception as error:
            given.failure = error
        try:
            return self._team.step(given)
        finally:
            self._intakes.clear()
            self._losses, self._taken, self._failure = [], 0, None

    def _check(self, grads: Grads | None, loss: SupportsFloat | None) -> None:
        if grads is None and loss is not None:
            raise ValueError("loss goes with gradients: add(grads, loss=...)")
        if self._taken < len(self._parts):
            raise ValueError(f"{self._taken} of this rank's {len(self._parts)} parts were added")
        if self._losses and len(self._losses) < self._taken:
            raise ValueError(f"loss was given for {len(self._losses)} of {self._taken} parts")

    def _alone(self, grads: Grads, loss: SupportsFloat | None, scale: SupportsFloat) -> bool:
        lent = self._intakes.lent
        if lent is not None and grads is lent.whole:
            grads = lent.whole
        updated = self._team.inner.step(grads, loss=loss, scale=scale)
        self._team.loss = None if loss is None else _core.real("loss", loss)
        return updated

    @property
    def loss(self) -> float | None:
        return self._team.loss

    @property
    def step_count(self) -> int:
        return self._team.inner.step_count

    @property
    def grad_norm(self) -> float | None:
        return self._team.inner.grad_norm

    @property
    def state(self) -> dict[str, dict[str, NDArray[Any]]]:
        return {
            name: {slot: in_order(array) for slot, array in slots.items()}
            for name, slots in self._team.inner._state.items()
        }
