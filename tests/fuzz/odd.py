"""Arrays that are odd: in memory, in dtype or shape, or by what they do when they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import acting
import numpy as np

if TYPE_CHECKING:
    from worlds import World

OTHER_DTYPES = [
    "float16",
    "longdouble",
    ">f4",
    ">f8",
    "int32",
    "bool",
    "complex128",
    "S4",
    "O",
    "f4,f4",
    "M8[s]",
]


def misaligned(_: World, a: Any) -> Any:
    """The same one byte further on."""
    return np.zeros(a.nbytes + 1, np.int8)[1:].view(a.dtype).reshape(a.shape)


def read_only(_: World, a: Any) -> Any:
    """The same, not to be written to."""
    a.flags.writeable = False
    return a


def overlapping(world: World, a: Any) -> Any:
    """A part of another one."""
    others = [b for b in world.arrays if b.dtype == a.dtype and b.size >= a.size > 0]
    if not others:
        return a
    world.viewed.append(others[0])
    return others[0].reshape(-1)[: a.size].reshape(a.shape)


ODD: list[Callable[[World, Any], Any]] = [
    misaligned, read_only, overlapping,
    lambda _, a: np.asfortranarray(a),
    lambda _, a: np.ones((*a.shape, 2), a.dtype)[..., 0],
    lambda _, a: np.flip(a),
    lambda _, a: np.broadcast_to(a.dtype.type(1), a.shape),
    lambda _, a: np.broadcast_to(a.dtype.type(1), (2**58,)),
    lambda _, a: np.lib.stride_tricks.as_strided(a, (2**30, 2**29), (0, 0)),
    lambda _, a: np.ones(a.size + 3, a.dtype)[3:].reshape(a.shape),
    lambda world, a: np.zeros(a.shape, world.data.PickValueInList(OTHER_DTYPES)),
    lambda _, a: np.ma.masked_array(a),
    lambda _, a: np.ones((*a.shape, 1), a.dtype),
    lambda _, a: a.T,
    lambda _, a: a.ravel()[:0],
    lambda _, a: a[()],
    lambda _, a: a.tolist(),
    lambda *_: None,
    lambda *_: 1.0,
    lambda world, a: acting.array(world.act, a),
    lambda world, a: acting.array(world.act, a.astype("float16")),
    lambda world, a: acting.array(world.act, np.flip(a)),
    lambda world, _: acting.not_an_array(world.act),
    lambda world, _: acting.number(world.act, 1.0),
    lambda world, _: world.opt,
    lambda world, _: world.params,
]  # fmt: skip


def number(world: World) -> Any:
    """A loss or a scale."""
    data = world.data
    match data.ConsumeIntInRange(0, 5):
        case 0:
            return None
        case 1:
            return data.ConsumeFloat()
        case 2:
            return acting.number(world.act, data.ConsumeFloat())
        case 3:
            return acting.array(world.act, np.ones(()))
        case _:
            return 1.0
