"""Optimizers of all ranks, made together: what one cannot make, or makes otherwise, is an error on all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gradstep.checkpoints import texts
from gradstep.mpi import exchanges, folders, replicas
from gradstep.mpi.flattening import groups_of, with_options, without_options
from gradstep.mpi.intakes import Intakes
from gradstep.mpi.layouts import Layout, Leaf, axes, in_order
from gradstep.mpi.replicas import Replicas, front
from gradstep.mpi.stretches import Stretches, flat_memory
from gradstep.optimizers import SGD, Optimizer
from gradstep.scalars import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    from mpi4py import MPI
    from numpy.typing import NDArray

    from gradstep.mpi.teams import Team
    from gradstep.types import Params

STATE_DTYPE = "state_dtype"
INBOX = 32 << 20
"""Bytes. Few large rounds: many small ones wait for each other."""


def team_of(
    comm: MPI.Intracomm,
    optimizer: type[Optimizer],
    params: Params,
    parts: SupportsIndex | None,
    inbox: SupportsIndex,
    options: Mapping[str, Any],
) -> Team:
    """Make the optimizers of all ranks; see `Sharded`."""
    given = groups_of(params)
    bare = without_options(params, given)

    def prepared() -> tuple[SGD, int, int]:
        if not (isinstance(optimizer, type) and issubclass(optimizer, Optimizer)):
            raise TypeError(f"optimizer must be a class such as gradstep.Adam, got {optimizer!r}")
        count = comm.size if parts is None else counted("parts", parts, 1)
        return SGD(bare), count, counted("inbox", inbox, 1)

    probe, count, room = exchanges.attempted(comm, prepared)
    arrays = probe._arrays
    described = {
        f"params[{name!r}]": (tuple(shape), dtype, axes(array))
        for (name, shape, dtype, _), array in zip(probe._parameters, arrays, strict=True)
    }
    alike = {"optimizer": optimizer.__name__, "parts": count, "inbox": room}
    exchanges.same(comm, alike | described)
    for array in arrays:
        exchanges.copy_from_first(comm, in_order(array).view("u1"))
    layout = Layout.of([Leaf.of(array) for array in arrays], comm.size)
    small = comm.size == 1 or layout.nbytes * comm.size <= replicas.LARGEST
    threads = exchanges.cores(comm)
    flat = flat_memory(arrays, layout)
    if not all(comm.allgather(flat is not None)):
        flat = None

    made: list[Optimizer] = []

    def new(structure: Params, options: Mapping[str, Any]) -> Optimizer:
        made.append(optimizer(structure, **folders.placed(options, comm.rank, comm.size)))
        return made[-1]

    def team() -> Team:
        ahead = front(comm.size, count, len(arrays)) if small else 0
        intakes = Intakes(bare, layout, arrays, ahead)
        if small:
            return Replicas(comm, intakes, count, lambda: new(params, options))
        copies = SGD(bare, copy_to=options["copy_to"]) if options.get("copy_to") is not None else None

        def make(own: list[NDArray[Any]], places: list[tuple[int, int]]) -> Optimizer:
            more = {name: value for name, value in options.items() if name != "copy_to"}
            if told := says(STATE_DTYPE, options, given):
                more["_stretches"] = places
            one = new(with_options(probe._structured(own), given), more)
            if not told and any(group[STATE_DTYPE] for group in one._hyperparameters):
                raise ValueError(f"{optimizer.__name__} has a {STATE_DTYPE} of its own: give it to Sharded")
            return one

        return Stretches(comm, intakes, count, make, inbox=room, threads=threads, flat=flat, copies=copies)

    try:
        found = exchanges.attempted(comm, team)
        exchanges.same(comm, found.describe() | {"groups": found.inner._owners} | settings(found.inner))
    except BaseException:
        for one in made:
            folders.abandon(one)
        raise
    return found


def says(option: str, options: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether an option is among those of all parameters, or among those of a group."""
    groups = options.get("groups")
    named = groups.values() if isinstance(groups, Mapping) else []
    return any(isinstance(one, Mapping) and option in one for one in (options, *given, *named))


def settings(optimizer: Optimizer) -> dict[str, Any]:
    """Give the options of an optimizer as texts."""
    groups = optimizer._hyperparameters
    return {name: [texts.write(group[name]) or "a function" for group in groups] for name in groups[0]}
