"""A run in two parts equals one in one, bit for bit, under every schedule."""

import pickle

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import Schedule
from schedule_cases import CASES

STEPS, HALF = 500, 250


def gradient(t: int) -> np.ndarray:
    return np.random.default_rng(t).normal(size=(3, 4))


def run(opt: gs.Optimizer, begin: int, end: int) -> None:
    for t in range(begin, end):
        opt.step({"w": gradient(t)})


@pytest.mark.parametrize("name", CASES)
def test_500_steps_are_250_and_250(name: str) -> None:
    rate: Schedule = CASES[name].schedule.clip(0.0, 1.0)
    whole, part = np.ones((3, 4)), np.ones((3, 4))
    run(gs.Adam({"w": whole}, lr=rate, amsgrad=True), 0, STEPS)

    first = gs.Adam({"w": part}, lr=rate, amsgrad=True)
    run(first, 0, HALF)
    saved = pickle.dumps((part, first.state, first.step_count, rate))

    w, state, step_count, rate = pickle.loads(saved)
    second = gs.Adam({"w": w}, lr=rate, amsgrad=True)
    second.step_count = step_count
    for slot, array in state["w"].items():
        second.state["w"][slot][...] = array
    run(second, HALF, STEPS)
    assert w.tobytes() == whole.tobytes()
    assert second.step_count == STEPS
