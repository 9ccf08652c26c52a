"""Steps over MPI: programs on some ranks, which come to what a plain optimizer comes to.

``GRADSTEP_RANKS=all``, as `make test-mpi` has it, runs every training on 1 to 4 ranks in both ways.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from absent import Without
from gradstep import mpi
from gradstep.mpi import exchanges
from processes import needs_ranks, printed, ranks
from ranks.cases import CHUNK, cases, plain

#: Ranks, the way, and which trainings.
SOME = [
    (2, "large", "."),
    (3, "large", "LAMB (None|mixed|3 parts)|(Prodigy|DoG) float32|^Ad(am|EMAMix) (8bit|bfloat16)"),
    (2, "small", "Adam "),
    (1, "small", "parts"),
]
ALL = [(count, way, ".") for count in (1, 2, 3, 4) for way in ("large", "small")]
RUNS = ALL if os.environ.get("GRADSTEP_RANKS") == "all" else SOME


@pytest.fixture(scope="module")
def want() -> dict[str, Any]:
    """What plain optimizers come to, by the names of the trainings."""
    made = {name: plain(case) for name, case in cases()}
    read: dict[str, Any] = json.loads(json.dumps(made))
    return read


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize(("count", "way", "names"), RUNS)
def test_the_same_bits_on_any_number_of_ranks(count: int, way: str, names: str, want: dict[str, Any]) -> None:
    came = json.loads(ranks(count, "bits_of_ranks", way, names))
    wanted = {name: one for name, one in want.items() if re.search(names, name)}
    assert len(wanted) >= 3
    assert list(came) == list(wanted)
    for name, one in wanted.items():
        assert came[name] == one, name


@needs_ranks
@pytest.mark.not_sanitized
def test_the_number_of_threads_does_not_matter(want: dict[str, Any]) -> None:
    came = json.loads(ranks(2, "bits_of_ranks", "large", "clip$", GRADSTEP_NUM_THREADS="2"))
    assert came == {name: want[name] for name in came}


def test_the_trainings_differ(want: dict[str, Any]) -> None:
    """What is compared can fail: options make themselves heard."""
    assert len({one["params"] for one in want.values()}) > 0.9 * len(want)
    assert len({one["state"] for one in want.values()}) > 0.6 * len(want)


ELSEWHERE = "RankError: rank {rank}: {message}"

#: A mistake, the ranks that make it, and what these are told; the others hear that of the first one.
MISTAKES: dict[str, tuple[tuple[int, ...], str]] = {
    "shape": ((2,), "ValueError: grads['w'] has shape (3, 4), but params['w'] has shape (3, 32768)"),
    "name": ((1,), "ValueError: grads has no 'b', but params has it"),
    "dtype": ((0,), "TypeError: grads['b'] has dtype int64, not a float dtype"),
    "rows": ((0,), "ValueError: grads['w'] has some rows, but ranks add up whole arrays: give it whole"),
    "no parts": ((1,), "ValueError: 0 of this rank's 1 parts were added"),
    "too many": ((0,), "ValueError: more than this rank's 1 parts were added"),
    "loss": ((1,), "TypeError: loss must be a number, got str"),
    "no loss": ((0, 1, 2), "ValueError: loss was given for 2 of 3 parts"),
    "loss alone": ((0, 1, 2), "ValueError: loss goes with gradients: add(grads, loss=...)"),
    "scale": ((0,), "ValueError: scale must be finite, got inf"),
    "scales": ((0, 1, 2), "RankError: rank 0 has scale 0.5; ranks 1, 2 have scale 1.0"),
    "NaN": (
        (0, 1, 2),
        "NonFiniteError: clip_norm needs a finite gradient norm, but that of grads['b'] is nan",
    ),
    "NaN raises": (
        (0, 1, 2),
        "NonFiniteError: gradients are not finite: grads['w'] in 98304 of 98304 elements",
    ),
    "NaN in 8 bits": (
        (0, 1, 2),
        "NonFiniteError: gradients are not finite: grads['w'] in 98304 of 98304 elements",
    ),
    "schedule": ((1,), "ZeroDivisionError: of the schedule"),
    "schedule, clipped": ((1,), "ZeroDivisionError: of the schedule"),
    "interrupt": ((1,), "Interruption: of the schedule"),
    "rates": ((0, 1, 2), "RankError: ranks 0, 2 have lr 0.01; rank 1 has lr 0.02"),
    "lr": ((0, 1, 2), "RankError: ranks 0, 1 have lr 0.01; rank 2 has lr 0.25"),
    "clip_norm": ((0, 1, 2), "RankError: ranks 0, 2 have clip_norm None; rank 1 has clip_norm 0.5"),
    "step_count": ((0, 1, 2), "RankError: rank 0 has step_count 7; ranks 1, 2 have step_count 1"),
    "frozen": ((0, 1, 2), "RankError: rank 0 has frozen ('b',); ranks 1, 2 have frozen ()"),
    "observe": ((1,), "TypeError: loss must be a number, got None"),
    "making: shapes": (
        (0, 1, 2),
        "RankError: ranks 0, 2 have params['w'] ((3,), 'float64', (0,)); rank 1 has params['w'] ((4,), "
        "'float64', (0,))",
    ),
    "making: names": (
        (0, 1, 2),
        "RankError: ranks 0, 2 have params['w'] ((3,), 'float64', (0,)); rank 1 has params['w'] None",
    ),
    "making: orders": (
        (0, 1, 2),
        "RankError: ranks 0, 1 have params['w'] ((2, 3), 'float64', (0, 1)); rank 2 has params['w'] "
        "((2, 3), 'float64', (1, 0))",
    ),
    "making: dtypes": (
        (0, 1, 2),
        "RankError: rank 0 has params['w'] ((3,), 'float32', (0,)); ranks 1, 2 have params['w'] ((3,), "
        "'float64', (0,))",
    ),
    "making: options": ((0, 1, 2), "RankError: rank 0 has beta1 ['0.5']; ranks 1, 2 have beta1 ['0.9']"),
    "making: schedules": (
        (0, 1, 2),
        "RankError: rank 0 has lr ['Linear(start=1.0, end=0.5, steps=9)']; ranks 1, 2 have lr "
        "['Linear(start=1.0, end=0.9, steps=9)']",
    ),
    "making: parts": ((0, 1, 2), "RankError: rank 0 has parts 4; ranks 1, 2 have parts 8"),
    "making: no parts": ((0, 1, 2), "ValueError: parts must be at least 1, got 0"),
    "making: rules": (
        (0, 1, 2),
        "RankError: ranks 0, 1 have optimizer 'Adam'; rank 2 has optimizer 'AdamW'",
    ),
    "making: not a rule": (
        (2,),
        "TypeError: optimizer must be a class such as gradstep.Adam, got <class 'dict'>",
    ),
    "making: no comm": ((0, 1, 2), "TypeError: comm must be an mpi4py communicator, got int"),
    "making: state_dir": ((0, 1, 2), "TypeError: "),
    "making: state_dtype": (
        (0, 1, 2),
        "ValueError: state_dtype is for float32 parameters, but params['w'] has dtype float64",
    ),
    "making: copy_to": (
        (0, 1, 2),
        "ValueError: copy_to is for float32 parameters, but params['w'] has dtype float64",
    ),
    "making: copies": ((1,), "ValueError: copy_to['w'] has shape (3,), but params['w'] has shape (4,)"),
    "making: option": ((1,), "TypeError: Adam() got an unexpected keyword argument 'betas'; "),
}


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize("way", ["large", "small"])
def test_what_one_rank_cannot_do_is_an_error_on_all_and_the_next_step_works(way: str) -> None:
    said = json.loads(ranks(3, "errors_of_ranks", way))
    assert list(said) == list(MISTAKES)
    for name, (culprits, message) in MISTAKES.items():
        told = ELSEWHERE.format(rank=culprits[0], message=message)
        for rank, heard in enumerate(said[name]):
            assert heard.startswith(message if rank in culprits else told), (name, rank)


@needs_ranks
@pytest.mark.not_sanitized
def test_a_rank_that_fails_between_two_steps_ends_all() -> None:
    start = time.monotonic()
    with pytest.raises(AssertionError, match="ZeroDivisionError: of the user's own code"):
        ranks(3, "failing")
    assert time.monotonic() - start < 60.0


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize(("count", "way"), [(2, "large"), (3, "small"), (1, "small")])
def test_what_can_be_called_and_read(count: int, way: str) -> None:
    variables = {"GRADSTEP_NUM_THREADS": ""} if way == "large" else {}
    assert ranks(count, "calls", way, **variables).startswith("looked at")


@needs_ranks
@pytest.mark.not_sanitized
def test_the_examples_of_the_page_run(tmp_path: Path) -> None:
    printed_by_each = ranks(2, "page", str(tmp_path)).splitlines()
    assert len(printed_by_each) == 2
    assert printed_by_each[0] == printed_by_each[1]
    assert printed_by_each[0].startswith("16 ")


def test_without_mpi4py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mpi4py"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without("mpi4py"), *sys.meta_path])
    exchanges.library.cache_clear()
    with pytest.raises(ImportError, match=r"pip install 'gradstep\[mpi\]' mpich"):
        mpi.Sharded(gs.Adam, {"w": np.ones(3)})
    assert "mpi4py" not in sys.modules


def test_chunks_are_those_of_the_core() -> None:
    assert gs._core.CHUNK == CHUNK


def test_it_is_there_without_an_import_of_its_own() -> None:
    code = (
        "import sys, gradstep as gs; assert 'gradstep.mpi' not in sys.modules; print(gs.mpi.Sharded.__name__)"
    )
    assert printed(code) == "Sharded"
    with pytest.raises(AttributeError, match="module 'gradstep' has no attribute 'mpy'"):
        gs.mpy  # type: ignore[attr-defined]  # noqa: B018


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.skipif(sys.platform != "linux", reason="limits and size of the address space are Linux's")
def test_where_memory_is_short_on_one_rank_all_make_a_step_or_none() -> None:
    _, _, failures = ranks(2, "short_memory_of_ranks").partition(": ")
    assert int(failures) >= 4
