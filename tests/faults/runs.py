"""Runs that are known by a number, which is in every element of all arrays."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import numpy as np

import gradstep as gs

NONE = -1
"""Of a run that nothing was loaded into."""


def run_at(number: int, rows: int = 64) -> gs.Adam:
    """A run with a number."""
    params = {"w": np.empty((rows, 33), np.float32, "F"), "b": np.empty(7), "fc": [np.empty(())]}
    opt = gs.Adam(params, lr=0.5, amsgrad=True)
    opt.step_count = max(0, number)
    for array in arrays(opt):
        array[...] = number
    return opt


def arrays(opt: gs.Adam) -> list[Any]:
    """All arrays of a run."""
    return [*opt._arrays, *(a for slots in opt.state.values() for a in slots.values())]


def save(path: str | os.PathLike[str], number: int, rows: int = 64, keep: int = 1) -> None:
    """Save the run with a number."""
    gs.save(path, run_at(number, rows), keep=keep, number=number, best={"w": np.full(99, number)})


def loaded(path: str | os.PathLike[str] | BinaryIO, rows: int = 64) -> int:
    """The number of the run that is in a file, whole; a CheckpointError has changed nothing."""
    opt = run_at(NONE, rows)
    try:
        extra = gs.load(path, opt)
    except gs.CheckpointError:
        assert number_of(opt) == NONE
        raise
    number = number_of(opt)
    assert (extra["number"], opt.step_count) == (number, number)
    assert (extra["best"]["w"] == number).all()
    return number


def number_of(opt: gs.Adam) -> int:
    """The number of a run, which all its arrays have."""
    numbers = {float(value) for array in arrays(opt) for value in (array.min(), array.max())}
    assert len(numbers) == 1, numbers
    return int(numbers.pop())
