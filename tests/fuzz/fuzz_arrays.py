"""Odd arrays, structures and numbers, and code that changes them in the middle of a call."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
from atheris import FuzzedDataProvider
from odd import number
from optimizers import SHAPES
from worlds import Does, World, acts

import gradstep as gs


def seeds() -> Iterator[bytes]:
    """Bytes that make many different runs."""
    for i in range(20):
        yield Random(i).randbytes(400)


def check(given: bytes) -> str:
    """No run does anything but what is documented, whatever it is given."""
    return Arrays(FuzzedDataProvider(given)).run()


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


CALLS: list[Does] = [
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


class Arrays(World):
    """Everything that takes arrays."""

    calls = CALLS
    acts = acts(CALLS)
