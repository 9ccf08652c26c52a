"""A run that was left and gone on with has the bits of one in one go: every rule, every option, every way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state
from processes import HERE, printed
from resuming import BREAK, CASES, END, WAYS, load, make, run


def assert_same(got: gs.Optimizer, want: gs.Optimizer, params: Any, wanted: Any) -> None:
    """All that anybody can see of two optimizers."""
    for name, array in wanted.items():
        assert_same_bits(params[name], array, name)
    assert_same_state(got.state, want.state)
    for what in (
        "step_count",
        "counts",
        "frozen",
        "skipped",
        "micro_step",
        "scalars",
        "feedback_state",
        "lr",
    ):
        assert getattr(got, what) == getattr(want, what), what


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_in_one_process(case: str, way: str) -> None:
    whole, part = CASES[case].parameters(), CASES[case].parameters()
    want, first = make(case, whole), make(case, part)
    run(want, whole, 0, BREAK)
    run(first, part, 0, BREAK)
    second, again = WAYS[way](case, first, part)
    assert_same(second, first, again, part)
    # What goes on with the one leaves the other alone.
    run(second, again, BREAK, END)
    assert_same(first, want, part, whole)
    run(want, whole, BREAK, END)
    assert_same(second, want, again, whole)


GO_ON = """
import sys
from pathlib import Path
import gradstep as gs
sys.path.insert(0, {here!r})
from resuming import BREAK, CASES, END, load, run
for i, case in enumerate(CASES):
    opt, params = load(Path({folder!r}, f"{{i}}.saved.npz"), case)
    run(opt, params, BREAK, END)
    gs.save(Path({folder!r}, f"{{i}}.{name}.npz"), opt)
"""

#: How a run is gone on with.
PROCESSES = {
    "resumed": {},
    "otherwise": {"GRADSTEP_NUM_THREADS": "1", "GRADSTEP_SIMD": gs._core.simd_tiers()[0]},
}


def test_uninterrupted_and_resumed_and_resumed_on_one_thread_and_another_tier(tmp_path: Path) -> None:
    wanted = {}
    with gs.num_threads(2):
        for i, case in enumerate(CASES):
            params = CASES[case].parameters()
            opt = make(case, params)
            run(opt, params, 0, BREAK)
            gs.save(tmp_path / f"{i}.saved.npz", opt)
            run(opt, params, BREAK, END)
            wanted[case] = (opt, params)
    for name, variables in PROCESSES.items():
        printed(GO_ON.format(here=str(HERE), folder=str(tmp_path), name=name), **variables)
        for i, (case, (want, params)) in enumerate(wanted.items()):
            got, again = load(tmp_path / f"{i}.{name}.npz", case)
            assert_same(got, want, again, params)
            np.testing.assert_equal(got.state_dict(), want.state_dict(), case)
