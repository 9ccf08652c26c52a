"""Odd arrays, structures and numbers, and code that changes them in the middle of a call."""

from __future__ import annotations

import copy
import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

import acting
import numpy as np
from atheris import FuzzedDataProvider
from optimizers import DTYPES, SHAPES

import gradstep as gs
from reference import RULES
from settings import OPTIONS, known

warnings.simplefilter("ignore")

DOCUMENTED = (TypeError, ValueError, MemoryError, RuntimeError, LookupError, acting.Interrupted)
LARGE = 10**6
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


def seeds() -> Iterator[bytes]:
    """Bytes that make many different runs."""
    for i in range(20):
        yield Random(i).randbytes(400)


def check(given: bytes) -> str:
    """No run does anything but what is documented, whatever it is given."""
    return World(FuzzedDataProvider(given)).run()


class World:
    """An optimizer, what it is given, and what happens meanwhile."""

    def __init__(self, data: FuzzedDataProvider) -> None:
        self.data = data
        self.opt: Any = None
        self.params: Any = None
        self.grads: Any = None
        self.arrays: list[Any] = []
        #: Those that others are views of: NumPy lets their memory go all the same, and nobody can see it.
        self.viewed: list[Any] = []
        self.acted = 0

    def run(self) -> str:
        """Make an optimizer, and call it a few times."""
        data = self.data
        name = data.PickValueInList(sorted(RULES))
        shapes = [data.PickValueInList(SHAPES) for _ in range(data.ConsumeIntInRange(1, 3))]
        options = known(name, dict(OPTIONS[data.PickValueInList(sorted(OPTIONS))]))
        if data.ConsumeIntInRange(0, 3) == 0:
            options["lr"] = gs.schedules.Lambda(lambda _: self.rate())
        try:
            self.params = self.structure([self.array(shape, odd=16) for shape in shapes])
            self.opt = getattr(gs, name)(self.params, **options)
        except DOCUMENTED:
            return "without an optimizer"
        done = 0
        for _ in range(data.ConsumeIntInRange(1, 4)):
            with suppress(acting.Interrupted):  # by a key of a dict
                self.grads = self.structure([self.array(shape, odd=4) for shape in shapes])
            done += self.call(data.PickValueInList(CALLS))
        return "with a call that succeeded" if done else "with none"

    def call(self, what: Callable[[World], Any]) -> bool:
        """Do something; if it fails, all is as it was, unless code of ours has changed it."""
        before, acted = self.remembered(), self.acted
        try:
            what(self)
        except (*DOCUMENTED, AttributeError) as error:
            # Rprop's rate is not to be assigned.
            assert not isinstance(error, AttributeError) or str(error).endswith("cannot be changed")
            now = self.remembered()
            assert now[1:] == before[1:] or self.acted > acted
            assert now[0] == before[0] or self.acted > acted
            return False
        return True

    def remembered(self) -> tuple[Any, ...]:
        """Give the bits of the parameters, and those of what the optimizer remembers."""
        state = {}
        with suppress(ValueError):  # it may have no parameters, of its own making
            state = {
                key: {slot: a.tobytes() for slot, a in of.items()} for key, of in self.opt._state.items()
            }
        return (
            [a.tobytes() for a in self.arrays if a.size < LARGE],
            state,
            self.opt.step_count,
            self.opt.skipped,
        )

    def array(self, shape: tuple[int, ...], odd: int) -> Any:
        """Make an array, one in so many of them odd."""
        data = self.data
        a = np.ones(shape, data.PickValueInList(DTYPES))
        if data.ConsumeIntInRange(0, odd):
            return a
        return data.PickValueInList(ODD)(self, a)

    def structure(self, arrays: list[Any]) -> Any:
        """Put arrays into a structure."""
        data = self.data
        self.arrays += [a for a in arrays if type(a) is np.ndarray]
        if len(arrays) == 1 and data.ConsumeBool():
            return arrays[0]
        act = self.act
        match data.ConsumeIntInRange(0, 9):
            case 0:
                return acting.container(act, list, arrays)
            case 1:
                return acting.container(act, dict, {f"p{i}": a for i, a in enumerate(arrays)})
            case 2:
                return {acting.key(act, f"p{i}"): a for i, a in enumerate(arrays)}
            case 3:
                return [tuple(arrays)]
            case 4:
                return arrays
            case _:
                return {f"p{i}": a for i, a in enumerate(arrays)}

    def rate(self) -> float:
        """Give a rate, after something else."""
        self.act()
        return 0.5

    def act(self) -> None:
        """Do something in the middle of something else."""
        data = self.data
        if self.acted > 20 or not data.remaining_bytes() or data.ConsumeIntInRange(0, 2):
            return
        self.acted += 1
        data.PickValueInList(ACTS)(self)


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


def function(world: World) -> None:
    """The compiled function of a rule, with any arrays."""
    data = world.data
    name = data.PickValueInList(gs.functional.__all__)
    shape = data.PickValueInList(SHAPES)
    arrays = [world.array(shape, odd=9) for _ in range(data.ConsumeIntInRange(2, 5))]
    out = world.array(shape, odd=3) if data.ConsumeBool() else None
    getattr(gs.functional, name)(*arrays, step=data.ConsumeIntInRange(0, 3), lr=number(world), out=out)


def schedule(world: World) -> None:
    """A schedule of odd arrays, at odd steps."""
    data = world.data
    values, steps = (world.array(data.PickValueInList(SHAPES), odd=1) for _ in range(2))
    made = data.PickValueInList([
        lambda: gs.schedules.Table(values),
        lambda: gs.schedules.MultiStep(1.0, values, 0.5),
        lambda: gs.schedules.Piecewise(values, steps),
        lambda: gs.schedules.Constant(number(world)).warmup(number(world)),
        lambda: gs.schedules.Lambda(lambda _: world.rate()),
    ])()  # fmt: skip
    made(steps.astype(np.int64) if data.ConsumeBool() and isinstance(steps, np.ndarray) else steps)


def swapped(world: World) -> None:
    """Averages in the parameters, and something done meanwhile."""
    with world.opt.swap_averaged():
        world.act()


CALLS: list[Callable[[World], Any]] = [
    lambda world: world.opt.step(world.grads, loss=number(world), scale=number(world)),
    lambda world: world.opt.step(world.grads),
    lambda world: world.opt.apply_gradients(world.grads, world.params, scale=number(world)),
    lambda world: world.opt.updates(world.grads, world.data.PickValueInList([None, world.params])),
    lambda world: world.opt.bind(world.grads),
    lambda world: setattr(world.opt, "lr", number(world)),
    lambda world: setattr(world.opt, "bounds", (number(world), number(world))),
    lambda world: setattr(world.opt, "counts", world.grads),
    lambda world: setattr(world.opt, "scalars", [{}]),
    lambda world: world.opt.load_state_dict(world.opt.state_dict()),
    lambda world: world.opt.observe(number(world)),
    lambda world: world.opt._structured(world.arrays),
    function, schedule, swapped,
]  # fmt: skip


def resize(world: World) -> None:
    """Take away the memory of an array."""
    array = world.data.PickValueInList(world.arrays)
    if not any(array is other for other in world.viewed):
        array.resize(world.data.PickValueInList([0, 1, 5, 5000]), refcheck=False)


def reshape(world: World) -> None:
    """Say something else of the same memory."""
    array = world.data.PickValueInList(world.arrays)
    if world.data.ConsumeBool():
        array.shape = (*array.shape, 1)
    else:
        array.dtype = world.data.PickValueInList(["float32", "float64", "int8"])


def lock(world: World) -> None:
    """Make an array read-only."""
    world.data.PickValueInList(world.arrays).flags.writeable = False


def rearrange(world: World) -> None:
    """Change a container."""
    place = world.data.PickValueInList([world.params, world.grads])
    if isinstance(place, dict) and place:
        first = next(iter(dict.keys(place)))
        match world.data.ConsumeIntInRange(0, 3):
            case 0:
                dict.clear(place)
            case 1:
                dict.__setitem__(place, "more", np.ones(2))
            case 2:
                dict.__setitem__(place, first, np.ones(5000))
            case 3:
                for i in range(50):
                    dict.__setitem__(place, f"more{i}", np.ones(2))
    elif isinstance(place, list):
        place[:] = [np.ones(5000)] * world.data.ConsumeIntInRange(0, 3)


def interrupt(_: World) -> None:
    """Fail."""
    raise acting.Interrupted


def again(world: World) -> None:
    """Make it anew, in the middle of what it does."""
    world.opt.__init__([np.ones(3)])


def do(what: Callable[[World], Any]) -> Callable[[World], None]:
    """Do it, refused or not."""

    def done(world: World) -> None:
        try:
            what(world)
        except (*DOCUMENTED, AttributeError):
            pass  # there may be no optimizer as yet

    return done


ACTS: list[Callable[[World], Any]] = [
    *map(do, [resize, resize, resize, reshape, lock, rearrange, rearrange, again, *CALLS]),
    do(lambda world: gs.set_num_threads(world.data.ConsumeIntInRange(1, 3))),
    do(lambda world: copy.deepcopy(world.opt)),
    do(lambda world: world.opt.freeze("*")),
    do(lambda world: world.opt.state),
    lambda _: gc.collect(),
    interrupt,
]
