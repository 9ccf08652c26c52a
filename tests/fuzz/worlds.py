"""Runs of an optimizer with odd arrays and structures, and code that changes them in the middle of a call."""

from __future__ import annotations

import copy
import gc
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import acting
import numpy as np
from atheris import FuzzedDataProvider
from odd import ODD
from optimizers import DTYPES, SHAPES

import gradstep as gs
from gradstep.checkpoints.narrow import spread
from reference import RULES
from settings import OPTIONS, known

warnings.simplefilter("ignore")

DOCUMENTED = (TypeError, ValueError, MemoryError, RuntimeError, LookupError, acting.Interrupted)
LARGE = 10**6
Does = Callable[["World"], Any]


class World:
    """An optimizer, what it is given, and what happens meanwhile.

    Attributes:
        calls: what is done with it.
        acts: what is done in the middle of that.
    """

    calls: ClassVar[list[Does]]
    acts: ClassVar[list[Does]]

    def __init__(self, data: FuzzedDataProvider) -> None:
        self.data: FuzzedDataProvider = data
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
        shapes = [self.shape() for _ in range(data.ConsumeIntInRange(1, 3))]
        options = known(name, dict(OPTIONS[data.PickValueInList(sorted(OPTIONS))]))
        if data.ConsumeIntInRange(0, 3) == 0:
            options["lr"] = gs.schedules.Lambda(lambda _: self.rate())
        try:
            self.params = self.structure([self.array(shape, odd=16) for shape in shapes])
            self.opt = getattr(gs, name)(self.params, **options, **self.options(shapes))
        except DOCUMENTED:
            return "without an optimizer"
        done = 0
        for _ in range(data.ConsumeIntInRange(1, 4)):
            with suppress(*DOCUMENTED):  # by a key of a dict, say
                self.grads = self.structure([self.gradient(shape) for shape in shapes])
            done += self.call(data.PickValueInList(self.calls))
        return "with a call that succeeded" if done else "with none"

    def shape(self) -> tuple[int, ...]:
        """Draw the shape of a parameter."""
        drawn: tuple[int, ...] = self.data.PickValueInList(SHAPES)
        return drawn

    def options(self, _: list[tuple[int, ...]]) -> dict[str, Any]:
        """Draw more options for parameters of these shapes."""
        return {}

    def gradient(self, shape: tuple[int, ...]) -> Any:
        """Make one."""
        return self.array(shape, odd=4)

    def dtype(self) -> str:
        """Draw the dtype of an array."""
        drawn: str = self.data.PickValueInList(DTYPES)
        return drawn

    def call(self, what: Does) -> bool:
        """Do something; if it fails, all is as it was, unless code of ours has changed it."""
        before, acted = self.remembered(), self.acted
        try:
            what(self)
        except (*DOCUMENTED, AttributeError) as error:
            # Rprop's rate is not to be assigned.
            assert not isinstance(error, AttributeError) or str(error).endswith("cannot be changed")
            now = self.remembered()
            assert now[1:] == before[1:] or self.acted > acted
            assert now[0][: len(before[0])] == before[0] or self.acted > acted
            return False
        return True

    def remembered(self) -> tuple[Any, ...]:
        """Give the bits of the parameters, and those of what the optimizer remembers."""
        state = {}
        with suppress(ValueError):  # it may have no parameters, of its own making
            state = {
                key: {slot: a.tobytes() for slot, a in spread(of)} for key, of in self.opt._state.items()
            }
        return (
            [a.tobytes() for a in self.arrays if a.size < LARGE],
            state,
            self.opt.step_count,
            self.opt.skipped,
        )

    def array(self, shape: tuple[int, ...], odd: int) -> Any:
        """Make an array, one in so many of them odd."""
        return self.changed(np.ones(shape, self.dtype()), odd)

    def changed(self, a: Any, odd: int) -> Any:
        """Give an array; one in so many times another one that is odd."""
        if self.data.ConsumeIntInRange(0, odd):
            return a
        return self.data.PickValueInList(ODD)(self, a)

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
        data.PickValueInList(self.acts)(self)


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
    if isinstance(place, dict) and dict.__len__(place):  # which it may deny
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


def do(what: Does) -> Does:
    """Do it, refused or not."""

    def done(world: World) -> None:
        try:
            what(world)
        except (*DOCUMENTED, AttributeError):
            pass  # there may be no optimizer as yet

    return done


def acts(calls: list[Does]) -> list[Does]:
    """What may be done in the middle of a call: all that can be called, and what only strange code does."""
    return [*map(do, [resize, resize, resize, reshape, lock, rearrange, rearrange, again, *calls]), *OTHERS]


OTHERS: list[Does] = [
    do(lambda world: gs.set_num_threads(world.data.ConsumeIntInRange(1, 3))),
    do(lambda world: copy.deepcopy(world.opt)),
    do(lambda world: world.opt.freeze("*")),
    do(lambda world: world.opt.state),
    lambda _: gc.collect(),
    interrupt,
]
