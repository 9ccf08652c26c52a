"""State in fewer bits, gradients of some rows, copies of parameters; odd arrays, code in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import acting
import ml_dtypes
import numpy as np
from atheris import FuzzedDataProvider
from odd import number
from worlds import DOCUMENTED, Does, World, acts

import gradstep as gs
from oracles import narrow

SHAPES = [(), (0,), (1,), (3,), (17,), (4099,), (5, 3), (3, 5), (0, 2), (9, 2, 3), (70, 61), (4, 1100)]
FORMS = [None, "bfloat16", "8bit"]
FLOATS = ["float32", "float64", "float16", "complex64", ml_dtypes.bfloat16]
INTEGERS = ["int64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", ">i4"]


def seeds() -> Iterator[bytes]:
    """Bytes that make many different runs."""
    for i in range(40):
        yield Random(i).randbytes(400)


def check(given: bytes) -> str:
    """No run does anything but what is documented, whatever it is given."""
    return Narrow(FuzzedDataProvider(given)).run()


class Narrow(World):
    """An optimizer whose state has fewer bits, or whose gradients have some rows."""

    #: What the copies are of is known: no arrays of somebody else were updated.
    own = True
    copies: tuple[Any, ...] = ()

    def shape(self) -> tuple[int, ...]:
        """Draw one, some of which have blocks."""
        drawn: tuple[int, ...] = self.data.PickValueInList(SHAPES)
        return drawn

    def dtype(self) -> str:
        """Draw one that most of this is for."""
        data = self.data
        return "float32" if data.ConsumeIntInRange(0, 7) else data.PickValueInList(FLOATS)

    def options(self, shapes: list[tuple[int, ...]]) -> dict[str, Any]:
        """Draw a format, a seed, and arrays for the copies."""
        data = self.data
        drawn: dict[str, Any] = {
            "state_dtype": data.PickValueInList(FORMS),
            "seed": data.ConsumeIntInRange(-1, 9),
        }
        if data.ConsumeIntInRange(0, 2) == 0:
            dtype = data.PickValueInList(["uint16", ml_dtypes.bfloat16, "float16"])
            self.copies = tuple(self.changed(np.ones(shape, dtype), odd=12) for shape in shapes)
            drawn["copy_to"] = self.structure(list(self.copies))
        if data.ConsumeIntInRange(0, 5) == 0:
            drawn["groups"] = {"p0": {"state_dtype": data.PickValueInList(FORMS)}}
        return drawn

    def gradient(self, shape: tuple[int, ...]) -> Any:
        """Make one for all rows or for some."""
        return self.rows(shape) if shape and self.data.ConsumeBool() else self.array(shape, odd=4)

    def rows(self, shape: tuple[int, ...]) -> Any:
        """Make some, nearly all of which there are."""
        data = self.data
        length, count = shape[0], data.ConsumeIntInRange(0, 9)
        low, high = (-length, length) if data.ConsumeBool() else (0, length)
        if data.ConsumeIntInRange(0, 15) == 0:
            high += 1
        drawn = [data.ConsumeIntInRange(low, max(low, high - 1)) for _ in range(count if length else 0)]
        dtype: Any = data.PickValueInList(INTEGERS)
        with np.errstate(all="ignore"):
            indices = self.changed(np.array(drawn, "int64").astype(dtype), odd=12)
        values = self.array((len(drawn), *shape[1:]), odd=8)
        if data.ConsumeIntInRange(0, 9) == 0 and isinstance(indices, np.ndarray):
            # In two axes: the rows have views of these.
            self.viewed += [indices, values]
            indices, values = indices[None], values[None]
        self.arrays += [a for a in (indices, values) if type(a) is np.ndarray]
        return gs.Rows(indices, values)

    def parts(self) -> dict[str, Any]:
        """Make what a slot may be of."""
        n = self.data.PickValueInList([0, 1, 128, 129, 300])
        bits, codes = np.ones(n, "uint16"), np.full(n, 0x77, self.data.PickValueInList(["int8", "uint8"]))
        made = (
            {"bits": bits}
            if self.data.ConsumeBool()
            else {"codes": codes, "exponents": np.ones(-(-n // 128), "uint8")}
        )
        self.arrays += made.values()
        return {part: self.changed(a, odd=5) for part, a in made.items()}

    def slot(self) -> Any:
        """Pick one, of the optimizer or of any arrays."""
        data = self.data
        own = [slot for of in self.opt.state.values() for slot in of.values() if isinstance(slot, gs.Packed)]
        if own and data.ConsumeBool():
            return data.PickValueInList(own)
        return gs.Packed(data.PickValueInList(FORMS[1:]), self.parts(), signed=data.ConsumeBool())

    def call(self, what: Does) -> bool:
        """Do it; besides, the copies are those of the parameters if nobody has meddled with them."""
        done = super().call(what)
        with suppress(*DOCUMENTED):
            self.check_copies()
        return done

    def check_copies(self) -> None:
        """Each copy has the numbers of its parameter, rounded."""
        if not self.copies or self.acted or not self.own:
            return
        for array, copied in zip(self.opt._arrays, self.opt._copies, strict=True):
            found = np.asarray(copied).view("uint16").ravel("K")
            assert np.array_equal(found, narrow.bfloat16_nearest(np.asarray(array).ravel("K")))


def key(world: World) -> Any:
    """A place in an array, there or not."""
    data = world.data
    return data.PickValueInList([
        ..., 0, -1, 5, 10**30, None, slice(None), slice(2, 1), slice(None, None, -1), (0, 0), "bits", [0, 2],
        [0.5], np.zeros(3, bool), acting.number(world.act, 1), number(world), world.grads,
    ])  # fmt: skip


def assigned(world: Any) -> None:
    """Numbers put into a slot: all of them, or nothing is written."""
    slot = world.slot()
    before, acted = [a.copy() for a in slot.parts.values()], world.acted
    try:
        slot[key(world)] = world.data.PickValueInList(
            [0, -1.0, 1e-30, 1e30, np.nan, np.inf, world.grads, "1", number(world)]
        )
    except DOCUMENTED:
        same = all(np.array_equal(a, b) for a, b in zip(slot.parts.values(), before, strict=True))
        assert same or world.acted > acted
        raise


def looked_at(world: Any) -> None:
    """A slot read in all ways."""
    slot = world.slot()
    slot.shape, slot.size, slot.ndim, slot.dtype, slot.nbytes, repr(slot), slot.copy(), np.asarray(slot)
    slot[key(world)], slot == world.data.PickValueInList([slot, 1.0, world.grads, None]), len(slot)


def function(world: Any) -> None:
    """The compiled function of a rule, with rows."""
    data = world.data
    shape = world.shape()
    name = data.PickValueInList(gs.functional.__all__)
    p = world.array(shape, odd=12)
    g = world.array((data.ConsumeIntInRange(0, 3), *shape[1:]), odd=6)
    rows = world.changed(np.arange(min(len(g), 5)), odd=6)
    slots = [world.array(shape, odd=12) for _ in range(data.ConsumeIntInRange(0, 3))]
    getattr(gs.functional, name)(p, g, *slots, step=data.ConsumeIntInRange(0, 3), lr=0.5, rows=rows)


def applied(world: Any) -> None:
    """New arrays, of which the copies are from here on."""
    world.own = False
    world.opt.apply_gradients(world.grads, world.params)


def bound(world: Any) -> None:
    """Other arrays in the place of the parameters."""
    world.own = False
    world.opt.bind(world.grads)


def loaded(world: Any) -> None:
    """State of another format."""
    form = world.data.PickValueInList(FORMS)
    params = {name: np.ones_like(p) for name, p in zip(world.opt.state, world.opt._arrays, strict=True)}
    other: Any = type(world.opt)(params, state_dtype=form, seed=3)
    other.step({name: np.ones_like(p) for name, p in params.items()})
    world.opt.load_state_dict(
        other.state_dict(), convert=world.data.ConsumeBool(), strict=world.data.ConsumeBool()
    )


def filed(world: Any) -> None:
    """Into a file and back."""
    with TemporaryDirectory() as folder:
        path = Path(folder, world.data.PickValueInList(["run.npz", "run.safetensors"]))
        gs.save(path, world.opt)
        gs.load(path, world.opt, convert=True)


def stepped(world: Any) -> None:
    """A step, after which rows that are not in the gradient are as they were."""
    before = [a.copy() for a in world.opt._arrays]
    world.opt.step(world.grads, loss=number(world))
    if world.acted or type(world.grads) is not dict:
        return
    for g, p, old in zip(world.grads.values(), world.opt._arrays, before, strict=True):
        if isinstance(g, gs.Rows):
            others = np.ones(len(p), bool)
            others[np.asarray(g.indices).astype(int)] = False
            assert p[others].tobytes() == old[others].tobytes()


def swapped(world: Any) -> None:
    """Averages in the parameters, and something done meanwhile."""
    with world.opt.swap_averaged():
        world.act()


CALLS: list[Does] = [
    stepped, stepped, stepped, assigned, assigned, looked_at, function, function, applied, bound,
    loaded, filed, swapped,
    lambda world: world.opt.updates(world.grads, world.data.PickValueInList([None, world.params])),
    lambda world: world.opt.refresh_copies(),
    lambda world: gs.Rows(world.array((3,), odd=1), world.array((3, 2), odd=1)),
]  # fmt: skip
Narrow.calls, Narrow.acts = CALLS, acts(CALLS)
