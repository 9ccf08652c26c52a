"""Directories that no optimizer can have its state in: each is an error that changes and leaves nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from processes import printed
from refusals import refuses

posix = pytest.mark.skipif(os.name != "posix", reason="limits and locks as POSIX has them")

IN_USE = "another optimizer has its state there: delete that one, or take another directory"


@posix
def test_two_at_once_are_refused(tmp_path: Path) -> None:
    w = np.ones(2)
    opt = gs.Adam(w, state_dir=tmp_path)
    opt.flush()
    with refuses(BlockingIOError, f"[Errno 11] {IN_USE}: '{tmp_path}'"):
        gs.Adam(w, state_dir=tmp_path)
    state = opt.state
    del opt
    # Views alone do not keep it.
    assert gs.Adam(w, state_dir=tmp_path).step_count == 0
    assert state["0"]["exp_avg"].tolist() == [0.0, 0.0]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    params = {"w": np.ones((2, 3)), "b": np.ones(3)}
    opt: Any = gs.Adam(params, lr=0.5, state_dir=tmp_path)
    opt.step(params)
    opt.flush()
    del opt
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    where = f"the state in {tmp_path} does not fit this optimizer:\n  "
    bad: list[tuple[Any, str]] = [
        (lambda: gs.AdamW(params, state_dir=tmp_path), "class is 'Adam', but the optimizer's is 'AdamW'"),
        (lambda: gs.Adam({"w": params["w"]}, state_dir=tmp_path), "it has 'b', but params has not"),
        (
            lambda: gs.Adam({**params, "b": np.ones(4)}, state_dir=tmp_path),
            "'b' has shape [3], but params['b'] has [4]",
        ),
        (
            lambda: gs.Adam(params, state_dir=tmp_path, amsgrad=True),
            "amsgrad is False, but the optimizer's is True\n  "
            "'w' has no slot 'max_exp_avg_sq', but the optimizer's has\n  "
            "'b' has no slot 'max_exp_avg_sq', but the optimizer's has",
        ),
    ]
    for make_it, message in bad:
        with refuses(ValueError, where + message):
            make_it()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.warns(gs.CheckpointWarning, match=r"lr = 0.5: the optimizer's own stays, 0.25"):
        opt = gs.Adam(params, lr=0.25, state_dir=tmp_path)
    assert (opt.step_count, opt.lr) == (1, 0.25)


def damaged_seal(folder: Path, change: Any) -> None:
    seal = folder / "state.json"
    saved = json.loads(seal.read_text())
    change(saved)
    seal.write_text(json.dumps(saved))


DAMAGE: dict[str, tuple[Any, str]] = {
    "no json": (lambda folder: (folder / "state.json").write_text("{"), "is not the seal of a state: "),
    "a list": (lambda folder: (folder / "state.json").write_text("[]"), "must be a dict, got list"),
    "another version": (lambda f: damaged_seal(f, lambda s: s.update(format=9)), "format must be 1, got 9"),
    "elsewhere": (
        lambda f: damaged_seal(f, lambda s: s["parameters"]["0"]["slots"].update(exp_avg="../x.npy")),
        "names no files",
    ),
    "shorter": (
        lambda folder: os.truncate(folder / "0-0-exp_avg.npy", 130),
        "has 130 bytes, but was made with 144",
    ),
    "no header": (lambda f: os.truncate(f / "0-0-exp_avg.npy", 50), "0-0-exp_avg.npy is not the .npy file"),
    "another": (lambda f: np.save(f / "0-0-exp_avg.npy", np.ones(3)), "but was made with"),
    "gone": (lambda folder: (folder / "0-0-exp_avg.npy").unlink(), "No such file"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files(damage: str, tmp_path: Path) -> None:
    opt = gs.Adam(np.ones(2), state_dir=tmp_path)
    opt.flush()
    del opt
    do, message = DAMAGE[damage]
    do(tmp_path)
    with pytest.raises(FileNotFoundError if damage == "gone" else ValueError, match=re.escape(message)):
        gs.Adam(np.ones(2), state_dir=tmp_path)
    assert (tmp_path / "state.json").exists()


LIMITED = """
import resource, os, sys
import numpy as np
import gradstep as gs
w = np.ones(100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
if {zeros}:
    del os.posix_fallocate
    os.posix_fallocate = lambda *_: (_ for _ in ()).throw(OSError(95, "not here"))
try:
    gs.Adam({{"b": np.ones(3), "w": w}}, state_dir={folder!r})
except OSError as error:
    print(error.errno, os.path.exists({made!r}), w.sum())
"""


@posix
@pytest.mark.parametrize("zeros", [False, True])
def test_no_room_is_an_error_before_the_first_write(zeros: bool, tmp_path: Path) -> None:
    """And nothing is left behind."""
    folder, made = str(tmp_path / "a" / "b"), str(tmp_path / "a")
    assert printed(LIMITED.format(zeros=zeros, folder=folder, made=made)) == "27 False 100000.0"


def test_no_directory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below"):
        with pytest.raises(OSError, match="file"):
            gs.Adam(np.ones(2), state_dir=folder)
    with refuses(ValueError, "state_dir needs params, got None"):
        gs.Adam(state_dir=tmp_path / "x")
    with pytest.raises(TypeError):
        gs.Adam(np.ones(2), state_dir=3)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_the_optimizer_leaves_nothing(tmp_path: Path) -> None:
    for options in ({"lr": -1.0}, {"no_such": 1}):
        with pytest.raises((TypeError, ValueError)):
            gs.Adam(np.ones(2), state_dir=tmp_path / "x", **options)
    shared = np.ones(4)
    with pytest.raises(ValueError, match="share memory"):
        gs.Adam([shared, shared[1:]], state_dir=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_cannot_write(tmp_path: Path) -> None:
    opt = gs.Adam(np.ones(2), state_dir=tmp_path / "x")
    shutil.rmtree(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        opt.flush()
    opt.step(np.ones(2))
