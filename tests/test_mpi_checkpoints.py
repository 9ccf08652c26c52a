"""Checkpoints of ranks: files that know nothing of them, what is damaged, and memory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from processes import needs_ranks, ranks
from ranks.cases import CONVERTED, SAVED, outcome, state_of, trained


def went_on(opt: Any, params: Any) -> dict[str, Any]:
    return outcome(opt, params, state_of(opt), None)


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize("way", ["large", "small"])
def test_numbers_that_a_format_has_not_change_nothing_on_any_rank(way: str, tmp_path: Path) -> None:
    opt = gs.Adam(SAVED.params(), **SAVED.options)
    trained(opt, range(2))
    slot: Any = opt.state["f"]["exp_avg_sq"]
    slot.parts["bits"].flat[-1] = 0xBF80  # −1
    gs.save(tmp_path / "run.npz", opt)
    messages = json.loads(ranks(2, "checkpoints_of_ranks", way, "misfit", str(tmp_path / "run.npz")))
    told = "'f' has a slot 'exp_avg_sq' that does not fit: this slot is never below 0, but -1 is to be"
    assert len(messages) == 2
    assert all(told in message for message in messages), messages


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_file_knows_nothing_of_ranks(suffix: str, tmp_path: Path) -> None:
    params = SAVED.params()
    opt = gs.Adam(params, **SAVED.options)
    trained(opt, range(3))
    gs.save(tmp_path / f"plain{suffix}", opt, epoch=3, best=np.arange(3.0))
    trained(opt, range(3, 6))
    want = json.loads(json.dumps(went_on(opt, params)))

    def of_ranks(count: int, way: str, act: str, path: Path) -> Any:
        came = json.loads(ranks(count, "checkpoints_of_ranks", way, act, str(path)))
        assert came.pop("averaged")
        return came

    path = tmp_path / f"ranks{suffix}"
    assert of_ranks(4 if suffix == ".npz" else 2, "large", "save", path) == want
    others = [(1, "small"), (2, "small"), (3, "large"), (6, "large")]
    for count, way in others if suffix == ".npz" else others[:1]:
        assert of_ranks(count, way, "load", path) == want
    assert of_ranks(3 if suffix == ".npz" else 2, "large", "load", tmp_path / f"plain{suffix}") == want
    if suffix == ".npz":
        params = SAVED.params()
        opt = gs.Adam(params, **SAVED.options | CONVERTED)
        gs.load(path, opt, convert=True)
        trained(opt, range(3, 6))
        of_plain = json.loads(json.dumps(went_on(opt, params)))
        assert of_ranks(3, "large", "convert", path) == of_ranks(2, "small", "convert", path) == of_plain
    params = SAVED.params()
    opt = gs.Adam(params, **SAVED.options)
    extra = gs.load(path, opt)
    assert extra["epoch"] == 3
    trained(opt, range(3, 6))
    assert json.loads(json.dumps(went_on(opt, params))) == want
    if suffix == ".npz":
        both = [np.load(one) for one in (tmp_path / "plain.npz", path)]
        assert both[0].files == both[1].files
        assert all(
            (both[0][name] == both[1][name]).all() for name in both[0].files if name != "gradstep.json"
        )


@needs_ranks
@pytest.mark.not_sanitized
def test_a_file_that_cannot_be_loaded_or_written(tmp_path: Path) -> None:
    params = SAVED.params()
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    opt = gs.Adam(params, **SAVED.options)
    trained(opt, range(3))
    gs.save(good, opt)
    content = bytearray(good.read_bytes())
    content[5000] ^= 1
    bad.write_bytes(content)
    said = json.loads(ranks(3, "checkpoints_of_ranks", "large", "damaged", str(bad), str(good)))
    damaged, unlike, nowhere, unwritable, absent, short = said
    assert re.fullmatch(r"CheckpointError: run: \S+ is damaged: .*", damaged[0])
    assert damaged[1] == damaged[2] == f"RankError: rank 0: {damaged[0]}"
    assert all("class is 'Adam', but the optimizer's is 'AdamW'" in one for one in unlike)
    assert nowhere[0].startswith("FileNotFoundError")
    assert nowhere[1].startswith("RankError: rank 0: FileNotFoundError")
    assert unwritable[0] == "TypeError: extra['bad'] must be a JSON value or an ndarray, got object"
    assert unwritable[2] == f"RankError: rank 0: {unwritable[0]}"
    assert all(one.startswith("FileNotFoundError") for one in absent)
    assert short == ["MemoryError: ", "RankError: rank 0: MemoryError: ", "RankError: rank 0: MemoryError: "]
    assert good.exists()
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["bad.npz", "good.npz"]


@needs_ranks
@pytest.mark.not_sanitized
@pytest.mark.parametrize("count", [2, 4])
def test_loading_takes_no_more_than_parameters_and_a_share_of_the_state(count: int, tmp_path: Path) -> None:
    elements, path = 10_000_000, str(tmp_path / "run.npz")
    opt = gs.Adam(params := {"w": np.zeros(elements, np.float32)})
    opt.state["w"]["exp_avg"][...] = 0.5
    gs.save(path, opt)
    del opt, params
    peaks = json.loads(ranks(count, "memory_of_loading", path, str(elements)))
    assert len(peaks) == count
    assert max(peaks) < 1.2 * (4 * elements + 8 * elements / count)
