"""State in files, over ranks: each has a directory of its own, and all of them go on together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gradstep as gs
from processes import needs_ranks, ranks
from ranks.cases import SAVED, outcome, state_of, trained

pytestmark = [needs_ranks, pytest.mark.not_sanitized]


def run(count: int, way: str, path: Path, first: int, last: int, act: str) -> Any:
    return json.loads(ranks(count, "files_of_ranks", way, str(path), str(first), str(last), act))


@pytest.fixture(scope="module")
def want() -> Any:
    """What a plain optimizer comes to that is not interrupted."""
    params = SAVED.params()
    opt = gs.Adam(params, **SAVED.options)
    trained(opt, range(6))
    return json.loads(json.dumps(outcome(opt, params, state_of(opt), None)))


def test_as_many_ranks_go_on_with_their_files(want: Any, tmp_path: Path) -> None:
    path = tmp_path / "below" / "state"
    run(3, "large", path, 0, 4, "flush")
    folders = [f"rank-{rank}-of-3" for rank in range(3)]
    assert sorted(one.name for one in path.iterdir() if one.is_dir()) == folders
    for count, there in ((2, "are 2 ranks"), (1, "is 1 rank")):
        said = run(count, "large", path, 4, 6, "none")
        told = f"FileExistsError: [Errno 17] it has the state of 3 ranks, but there {there}: go on with as"
        assert len(said) == count
        assert all(one.startswith(told) for one in said)
    assert run(3, "large", path, 4, 6, "none") == want
    mixed = "FileExistsError: [Errno 17] its arrays are of an optimizer that made a step after its last flush"
    assert all(said.startswith(mixed) for said in run(3, "large", path, 4, 6, "none"))


def test_small_models_too_and_a_plain_state_is_none_of_ranks(want: Any, tmp_path: Path) -> None:
    run(2, "small", tmp_path, 0, 4, "flush")
    assert run(2, "small", tmp_path, 4, 6, "none") == want
    gs.Adam(SAVED.params(), state_dir=tmp_path / "plain").flush()
    said = run(2, "small", tmp_path / "plain", 0, 2, "none")
    assert all("it has the state of 1 rank, but there are 2 ranks" in one for one in said)


def test_what_fails_on_one_rank_is_an_error_on_all_and_leaves_no_files(tmp_path: Path) -> None:
    said = run(2, "large", tmp_path / "new", 0, 2, "fail")
    assert said[1].startswith("TypeError: Adam() got an unexpected keyword argument 'momentum'")
    assert said[0] == f"RankError: rank 1: {said[1]}"
    assert not list((tmp_path / "new").iterdir())
    run(2, "large", tmp_path / "old", 0, 4, "lose")
    before = sorted((tmp_path / "old").rglob("*"))
    said = run(2, "large", tmp_path / "old", 4, 6, "none")
    assert said[1].startswith("FileExistsError: [Errno 17] its arrays are of an optimizer that made a step")
    assert said[0] == f"RankError: rank 1: {said[1]}"
    assert sorted((tmp_path / "old").rglob("*")) == before
