"""What is saved beside an optimizer: plain values and arrays, which come back as they were."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses
from training import trained
from trees import normal

EXTRA: dict[str, Any] = {
    "plain": {"epoch": 3, "loss": 0.1, "name": "größe \ud800", "done": False, "none": None, "big": 10**30},
    "floats": [float("inf"), -float("inf"), -0.0, 5e-324],
    "tags": [{"$array": "x"}, {"$float": "inf"}, {"$dict": {"$dict": 1}}, {"$array": 1, "b": 2}, {"$": 1}],
    "empty": [{}, [], ""],
    "": {"": {"": 1}},
    "arrays": [
        np.arange(3),
        {"deep": [np.array([[True]])]},
        np.zeros((0, 3), np.int8),
        np.float16(2) * np.ones(2),
    ],
    "a/b \ud800": np.ones(1, ">f4"),
    "a": {"b": np.array("text"), "/b": np.array(b"bytes")},
}


def test_extras_come_back(tmp_path: Path) -> None:
    gs.save(tmp_path / "x.npz", gs.SGD(np.ones(1)), **EXTRA)
    found = gs.load(tmp_path / "x.npz", gs.SGD(np.ones(1)))
    np.testing.assert_equal(found, EXTRA)
    assert repr(found) == repr(EXTRA)


def test_what_json_has_not_comes_back_as_what_it_has(tmp_path: Path) -> None:
    gs.save(
        tmp_path / "x.npz",
        gs.SGD(np.ones(1)),
        pair=(1, 2),
        nan=float("nan"),
        numbers=[np.float32(0.1), np.int8(3), np.bool_(True), np.float64("inf")],
    )
    found = gs.load(tmp_path / "x.npz", gs.SGD(np.ones(1)))
    assert found["pair"] == [1, 2]
    assert math.isnan(found["nan"])
    assert repr(found["numbers"]) == repr([float(np.float32(0.1)), 3, True, float("inf")])


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_another_optimizers_state_dict_is_an_extra(suffix: str, tmp_path: Path) -> None:
    opt, other = trained({"w": normal(0, 3)}), trained({"v": normal(1, 5)}, accumulate=2)
    gs.save(tmp_path / f"x{suffix}", opt, other=other.state_dict())
    found = gs.load(tmp_path / f"x{suffix}", opt)
    fresh = gs.Adam({"v": np.zeros(5)}, lr=0.125, amsgrad=True, accumulate=2)
    assert fresh.load_state_dict(found["other"]) == {}
    np.testing.assert_equal(fresh.state_dict(), other.state_dict())


BAD_EXTRAS: dict[str, tuple[Any, type[Exception], str]] = {
    "an object": (object(), TypeError, "extra['x'] must be a JSON value or an ndarray, got object"),
    "a set": ([{1}], TypeError, "extra['x'][0] must be a JSON value or an ndarray, got set"),
    "a key": ({1: 2}, TypeError, "a key of extra['x'] must be a str, got int"),
    "bytes": (b"x", TypeError, "extra['x'] must be a JSON value or an ndarray, got bytes"),
    "complex": (1j, TypeError, "extra['x'] must be a JSON value or an ndarray, got complex"),
    "objects": (np.array([None]), TypeError, "extra['x'] has dtype object, which no file can say"),
    "fields": (
        np.zeros(1, "f4,f4"),
        TypeError,
        "has dtype [('f0', '<f4'), ('f1', '<f4')], which no file can say",
    ),
    "masked": (np.ma.masked_array([1]), TypeError, "must be a JSON value or an ndarray, got MaskedArray"),
    "large": (
        "x" * 2**22,
        ValueError,
        "extra must have at most 4,194,304 bytes besides its arrays, got 4,194,",
    ),
}


@pytest.mark.parametrize("case", BAD_EXTRAS)
def test_what_no_file_can_say_is_refused(case: str, tmp_path: Path) -> None:
    value, error, message = BAD_EXTRAS[case]
    path = tmp_path / "x.npz"
    path.write_bytes(b"old")
    with pytest.raises(error) as caught:
        gs.save(path, gs.SGD(np.ones(1)), x=value)
    assert message in str(caught.value)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_has_no_end_is_refused(tmp_path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with refuses(ValueError, "extra['x'][0] is nested more than 100 deep"):
        gs.save(tmp_path / "x.npz", gs.SGD(np.ones(1)), x=endless)
