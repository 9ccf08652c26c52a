"""The garbage collector sees through optimizers and schedules."""

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import Lambda, Schedule

WRAPPED: dict[str, Callable[[Schedule], Schedule]] = {
    "itself": lambda s: s,
    "composed": lambda s: (s * 2.0).warmup(3),
    "inside feedback": lambda s: gs.feedback.Plateau(s).clip(0.0, 1.0),
}


class Trainer:
    """Holds an optimizer whose rate is a method of the trainer: a cycle."""

    def __init__(self, wrap: Callable[[Schedule], Schedule], option: str) -> None:
        self.params = {"w": np.ones(10)}
        self.opt = gs.Adam(self.params, **{option: wrap(Lambda(self.rate))})  # type: ignore[arg-type]
        self.opt.step({"w": np.ones(10)})

    def rate(self, t: int) -> float:
        return 0.1 / (t + 1)


@pytest.mark.parametrize("option", ["lr", "beta1", "clip_norm"])
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_a_cycle_through_a_schedule_is_collected(wrap: Callable[[Schedule], Schedule], option: str) -> None:
    trainer = Trainer(wrap, option)
    gone = weakref.ref(trainer)
    del trainer
    gc.collect()
    assert gone() is None


def test_what_is_still_used_is_not_collected() -> None:
    opt = Trainer(WRAPPED["composed"], "lr").opt
    gc.collect()
    opt.step({"w": np.ones(10)})
    assert opt.lr > 0


def test_a_schedule_in_its_own_cycle() -> None:
    class Holder:
        def __init__(self) -> None:
            self.schedule = Lambda(self.value).warmup(2)

        def value(self, t: int) -> float:
            return 1.0 / (t + 1)

    holder = Holder()
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


def test_a_cycle_through_a_key_is_collected() -> None:
    class Key:
        opt: gs.Optimizer

    key = Key()
    key.opt = gs.SGD({"layer": {key: np.ones(2)}})
    key.opt.step({"layer": {key: np.ones(2)}})
    gone = weakref.ref(key)
    del key
    gc.collect()
    assert gone() is None


class Params(dict[str, Any]):
    opt: gs.Optimizer


class Array(np.ndarray[Any, Any]):
    opt: gs.Optimizer


@pytest.mark.parametrize("make", [lambda: Params(w=np.ones(2)), lambda: np.ones(2).view(Array)])
def test_a_cycle_through_the_params_is_collected(make: Callable[[], Any]) -> None:
    holder = make()
    holder.opt = gs.SGD(holder)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
