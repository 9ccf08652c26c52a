"""A run that was left and gone on with has the bits of one in one go: every rule, every option, every way."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state
from processes import HERE, printed
from resuming import BREAK, CASES, END, WAYS, make, parameters, run
from trees import copied


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
    whole, part = parameters(), parameters()
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
import pickle, sys
sys.path.insert(0, {here!r})
from resuming import BREAK, END, make, run
with open({file!r}, "rb") as file:
    saved = pickle.load(file)
ended = {{}}
for case, (params, state_dict, alone) in saved.items():
    opt = make(case, params)
    opt.load_state_dict(state_dict)
    run(opt, params, BREAK, END)
    alone = pickle.loads(alone)
    run(alone, alone.params, BREAK, END)
    ended[case] = (params, opt.state_dict(), alone.params, alone.state_dict())
with open({file!r}, "wb") as file:
    pickle.dump(ended, file)
"""


@pytest.mark.parametrize(
    "variables",
    [{}, {"GRADSTEP_NUM_THREADS": "1", "GRADSTEP_SIMD": gs._core.simd_tiers()[0]}],
    ids=["alike", "another tier"],
)
def test_in_another_process(variables: dict[str, str], tmp_path: Path) -> None:
    wanted, saved = {}, {}
    for case in CASES:
        params = parameters()
        opt = make(case, params)
        run(opt, params, 0, BREAK)
        saved[case] = (copied(params), opt.state_dict(), pickle.dumps(opt))
        run(opt, params, BREAK, END)
        wanted[case] = (params, opt.state_dict())
    file = tmp_path / "saved"
    file.write_bytes(pickle.dumps(saved))
    printed(GO_ON.format(here=str(HERE), file=str(file)), **variables)
    for case, (params, state, own, of_own) in pickle.loads(file.read_bytes()).items():
        for name, array in wanted[case][0].items():
            assert_same_bits(params[name], array, f"{case}: {name}")
            assert_same_bits(own[name], array, f"{case}: {name}, alone")
        np.testing.assert_equal(state, wanted[case][1])
        np.testing.assert_equal(of_own, wanted[case][1])
