"""Checkpoints of all ranks together: the file that `gradstep.save` writes, which knows nothing of ranks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradstep import archives
from gradstep.archives import CheckpointError, Later, Stored
from gradstep.archives.pieces import fill, order_of
from gradstep.checkpoints import records, restoring, saving
from gradstep.checkpoints.loading import Loading, named, warn
from gradstep.mpi import exchanges
from gradstep.mpi.errors import RankError
from gradstep.mpi.layouts import in_order, like
from gradstep.mpi.states import elements, parts, shape
from gradstep.mpi.stretches import Stretches
from gradstep.orders import order_of as axes_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from typing import SupportsIndex

    from numpy.typing import NDArray

    from gradstep._core import Packed
    from gradstep.mpi.teams import Team

    Path_ = str | os.PathLike[str]

DONE = -1
"""What rank 0 asks for when it wants no more arrays."""


def save(team: Team, path: Path_, keep: SupportsIndex, extra: Mapping[str, Any]) -> None:
    """Write one file: rank 0 does, and asks the others for their stretches of one array after the other."""
    comm = team.comm
    slots = [(leaf, part) for leaf, own in enumerate(team.inner._state.values()) for part in parts(own)]
    if comm.rank != 0:
        while (asked := comm.bcast(None)) != DONE:
            bring(team, *slots[asked])
        failure: str | None = comm.bcast(None)
        if failure is not None:
            raise RankError({0: failure})
        return
    problem = None
    try:
        target = Path(path)
        archives.writer(target)
        saving.check_keep(keep)
        whole = put_down(team, "saved")
        saving.write(target, {"": whole}, extra, keep, lambda: None)
    except BaseException as error:
        problem = error
    comm.bcast(DONE)
    comm.bcast(None if problem is None else f"{type(problem).__name__}: {problem}")
    if problem is not None:
        raise problem


def put_down(team: Team, done: str) -> dict[str, Any]:
    """Put down where the optimizer of all ranks is, with promises of the arrays that no rank has whole."""
    inner = team.inner
    if not isinstance(team, Stretches):
        return saving.put_down(inner, True, done)
    inner._check_own(f"no optimizer is {done}")
    record = records.record(inner, inner.rule, live=True)
    number = 0
    for leaf, (of_one, array) in enumerate(
        zip(record["parameters"].values(), team.intakes.arrays, strict=True)
    ):
        of_one["shape"], of_one["array"] = list(array.shape), np.asarray(array)
        if "order" in of_one:
            of_one["order"] = axes_of(array.shape, array.strides)
        for part, own in of_one["slots"].items():
            of_one["slots"][part] = Later(own.dtype, shape(part, array), asked(team, number, leaf, part))
            number += 1
    return record


def asked(team: Team, number: int, leaf: int, part: str) -> Any:
    """Give what rank 0 calls to have an array whole."""

    def ask() -> NDArray[Any]:
        whole = room(team, leaf, part)  # while nobody waits for us
        team.comm.bcast(number)
        bring(team, leaf, part, whole)
        array = team.intakes.arrays[leaf]
        of_part = parts(list(team.inner._state.values())[leaf])[part].dtype
        return like(whole, array, of_part) if shape(part, array) == array.shape else whole

    return ask


def room(team: Team, leaf: int, part: str) -> NDArray[np.uint8]:
    """Make room for one array of the state that is whole."""
    own = parts(list(team.inner._state.values())[leaf])[part]
    return np.empty(math.prod(shape(part, team.intakes.arrays[leaf])) * own.itemsize, np.uint8)


def bring(team: Team, leaf: int, part: str, whole: NDArray[np.uint8] | None = None) -> None:
    """Bring one array of the state to rank 0, which has room for it."""
    own = parts(list(team.inner._state.values())[leaf])[part]
    stretches = [elements(part, team.layout.stretch(rank, leaf)) for rank in range(team.comm.size)]
    lengths = [(one.stop - one.start) * own.itemsize for one in stretches]
    exchanges.collect(team.comm, in_order(own).view(np.uint8), whole, lengths)


def load(
    team: Team,
    path: Path_,
    *,
    strict: bool,
    rename: Mapping[str, str] | None,
    hyperparameters: bool,
    convert: bool,
) -> dict[str, Any]:
    """Read a file: every rank verifies some of its arrays, and then reads its own stretches of all."""
    comm, inner = team.comm, team.inner
    with exchanges.attempted(comm, lambda: open(path, "rb")) as file:

        def compared() -> tuple[Loading, list[tuple[NDArray[Any], Stored]], dict[str, Any]]:
            own = put_down(team, "loaded")
            with restoring.named_in_errors(file):
                limit = saving.ROOM + 4 * saving.header_size({"optimizers": {"": own}})
                content = archives.read(file, limit)
                saved, stored_extra = restoring.taken_apart(content, {"": inner})
                loading = Loading(inner, inner.rule, saved[""], rename, hyperparameters, convert, own)
                if strict and loading.found:
                    raise CheckpointError("\n  ".join(["it does not fit this optimizer:", *loading.found]))
                arrays = dict(zip(own["parameters"], team.intakes.arrays, strict=True))
                targets = list(restoring.parameters(loading, arrays))
                for i, stored in enumerate(content.arrays.values()):
                    if i % comm.size == comm.rank:
                        stored.verify()
                try_conversions(team, loading)
                extra: dict[str, Any] = restoring.in_memory(stored_extra)
            return loading, targets, extra

        loading, targets, extra = exchanges.attempted(comm, compared)

        def taken() -> None:
            with restoring.named_in_errors(file):
                loading.advance()
                try:
                    copy(team, loading, targets)
                except (OSError, CheckpointError) as error:
                    raise CheckpointError(
                        f"it was whole when it was checked, but could not be read a second time ({error}); "
                        "parameters and state are partly those of the file: load another one before the next "
                        "step"
                    ) from error

        exchanges.attempted(comm, taken)
    if isinstance(team, Stretches) and targets:
        team.spread()
    warn(loading.notes, stacklevel=4)
    return extra


def copy(team: Team, loading: Loading, targets: list[tuple[NDArray[Any], Stored]]) -> None:
    """Read what is this rank's."""
    if not isinstance(team, Stretches):
        restoring.read_again([loading], targets)
        return
    places = {id(array): leaf for leaf, array in enumerate(team.intakes.arrays)}
    for array, stored in targets:
        leaf = places[id(array)]
        read_stretch(stored, array, team.slices[leaf], team.own[leaf])
    for leaf, (name, slots) in enumerate(team.inner._state.items()):
        own = parts(slots)
        for part, (_, stored) in loading.fits.slots.get(name, {}).items():
            read_stretch(stored, team.intakes.arrays[leaf], elements(part, team.slices[leaf]), own[part])
    for _, slot, numbers in conversions(team, loading):
        slot[...] = numbers


def try_conversions(team: Team, loading: Loading) -> None:
    """Bring what is kept in another format into copies of the slots, as it may not fit there."""
    if not isinstance(team, Stretches):
        loading.try_conversions()
        return
    for name, slot, numbers in conversions(team, loading):
        with named(*name):
            slot.copy()[...] = numbers


def conversions(
    team: Stretches, loading: Loading
) -> Iterator[tuple[tuple[str, str], Packed | NDArray[Any], NDArray[Any]]]:
    """Give this rank's numbers for each slot that is kept in another format, and whose it is."""
    for leaf, (name, slots) in enumerate(team.inner._state.items()):
        for slot, (_, converted) in loading.fits.conversions.get(name, {}).items():
            whole = np.empty_like(team.intakes.arrays[leaf])
            whole[...] = converted.read()
            yield (name, slot), slots[slot], in_order(whole)[team.slices[leaf]]


def read_stretch(stored: Stored, array: NDArray[Any], part: slice, into: NDArray[Any]) -> None:
    """Read some elements, which follow each other in the memory of an array like ``array``."""
    if part.start == part.stop:
        return
    alike = stored.form.order == order_of(array) and (array.flags.c_contiguous or array.flags.f_contiguous)
    if alike or len(stored.shape) == 1:
        stored.file.seek(stored.offset + part.start * into.itemsize)
        fill(stored.file, into.view(np.uint8), stored.name)
        return
    whole = np.empty_like(array, stored.dtype)
    stored.read_into(whole)
    into[...] = in_order(whole)[part]
