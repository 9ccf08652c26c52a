"""gradstep's threads under threadpoolctl."""

from __future__ import annotations

from typing import Any

import pytest
import threadpoolctl

import gradstep as gs
import gradstep.threadpools
from processes import printed


def found() -> list[dict[str, Any]]:
    return [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "gradstep"]


def test_is_seen() -> None:
    (own,) = found()
    assert own["num_threads"] == gs.get_num_threads()
    assert own["version"] == gs.__version__
    assert own["filepath"] == gs._core.__file__


def test_is_limited_with_all_others_and_afterwards_no_more() -> None:
    before = gs.get_num_threads()
    for options in ({}, {"user_api": "gradstep"}):
        with threadpoolctl.threadpool_limits(3, **options):
            assert gs.get_num_threads() == found()[0]["num_threads"] == 3
        assert gs.get_num_threads() == before
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        assert gs.get_num_threads() == before


def test_what_gradstep_sets_is_seen() -> None:
    with gs.num_threads(5):
        assert found()[0]["num_threads"] == 5


@pytest.mark.parametrize("bad", [0, -1, 1025])
def test_a_number_out_of_range_is_refused(bad: int) -> None:
    before = gs.get_num_threads()
    with pytest.raises(ValueError, match=f"^num_threads must be from 1 to 1024, got {bad}$"):
        threadpoolctl.threadpool_limits(bad, user_api="gradstep")
    assert gs.get_num_threads() == before


def test_an_import_of_gradstep_registers_nothing() -> None:
    code = "import sys, gradstep; print([name for name in sys.modules if name in ('threadpoolctl', 'torch')])"
    assert printed(code) == "[]"
