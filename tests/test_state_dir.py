"""`state_dir=`: the state in files, gone on with after `flush`, and never taken for what it is not."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state
from drawings import OPTIMIZERS
from gradstep.directories import maps
from processes import HERE, printed
from refusals import refuses
from resuming import BREAK, CASES, END, make, run, small
from trees import copied

posix = pytest.mark.skipif(os.name != "posix", reason="limits and locks as POSIX has them")
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc as Linux has it")

MIXED = (
    "its arrays are of an optimizer that made a step after its last flush(), and may be a mix of two steps; "
    "remove them, or take another directory"
)


def in_files(case: str, params: Any, folder: Path) -> gs.Optimizer:
    """What `make` makes, with its state in files."""
    name, options, _ = CASES[case]
    optimizer: gs.Optimizer = OPTIMIZERS[name](params, state_dir=folder, **options())
    return optimizer


#: Every rule with a window, an average and steps that are skipped; every option with one rule.
SOME = [
    case for case in CASES if (case.startswith("Adam-") and case != "Adam-large") or case.endswith("-window")
]


def mapping(file: Path, mode: Any, array: Any) -> Any:
    """A map of a file that is like an array."""
    order: Any = "C" if array.flags.c_contiguous else "F"
    return np.memmap(file, array.dtype, mode, shape=array.shape, order=order)


def mapped(params: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same numbers in maps of files, in the same memory order."""
    folder.mkdir()
    made = {}
    for name, array in params.items():
        made[name] = mapping(folder / name, "w+", array)
        made[name][...] = array
    return made


def assert_same(opt: Any, want: Any, params: Any, wanted: Any) -> None:
    for name, array in wanted.items():
        assert_same_bits(np.asarray(params[name]), array, name)
    assert_same_state(opt.state, want.state)
    for what in ("step_count", "counts", "frozen", "skipped", "micro_step", "scalars", "feedback_state"):
        assert getattr(opt, what) == getattr(want, what), what


@pytest.mark.parametrize("case", SOME)
def test_the_bits_of_memory_and_a_run_gone_on_with(case: str, tmp_path: Path) -> None:
    """Parameters, gradients and state in files, and a second optimizer that finds them there."""
    whole = small()
    params = mapped(whole, tmp_path / "params")
    want, opt = make(case, whole), in_files(case, params, tmp_path / "state")
    run(want, whole, 0, BREAK)
    run(opt, params, 0, BREAK)
    assert_same(opt, want, params, whole)
    opt.flush()
    del opt
    again = {name: mapping(tmp_path / "params" / name, "r+", array) for name, array in whole.items()}
    opt = in_files(case, again, tmp_path / "state")
    assert_same(opt, want, again, whole)
    run(want, whole, BREAK, END)
    run(opt, again, BREAK, END)
    assert_same(opt, want, again, whole)


GO_ON = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from resuming import BREAK, END, run
from test_state_dir import in_files
import numpy as np
params = {{name: np.load(f"{folder}/{{name}}.npy") for name in "wbzcs"}}
opt = in_files({case!r}, params, Path({folder!r}, "state"))
run(opt, params, BREAK, END)
opt.flush()
for name in params:
    np.save(f"{folder}/{{name}}.npy", params[name])
"""


@pytest.mark.parametrize(
    "case", ["AdamW-window", "Adan-groups", "Prodigy-none", "ScheduleFreeAdamW-feedback"]
)
def test_a_run_is_gone_on_with_in_another_process(case: str, tmp_path: Path) -> None:
    whole = small()
    want, params = make(case, whole), copied(whole)
    run(want, whole, 0, END)
    opt = in_files(case, params, tmp_path / "state")
    run(opt, params, 0, BREAK)
    opt.flush()
    del opt
    for name, array in params.items():
        np.save(tmp_path / f"{name}.npy", array)
    printed(GO_ON.format(here=str(HERE), folder=str(tmp_path), case=case))
    for name, array in whole.items():
        assert_same_bits(np.load(tmp_path / f"{name}.npy"), array, name)
    for file in json.loads((tmp_path / "state" / "state.json").read_text())["parameters"].items():
        for slot, name in file[1]["slots"].items():
            assert_same_bits(np.load(tmp_path / "state" / name), want.state[file[0]][slot], name)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_memory_orders(axes: tuple[int, ...], tmp_path: Path) -> None:
    """Of an array in neither C nor F order, the file has the axes as they lie in memory."""
    base = np.random.default_rng(0).normal(size=(2, 3, 4))
    w, v = (base.copy().transpose(axes) for _ in range(2))
    opt, want = gs.Adam({"w": w}, lr=0.1, state_dir=tmp_path), gs.Adam({"w": v}, lr=0.1)
    for o in (opt, want):
        o.step({"w": np.full(w.shape, 0.5)})
    assert_same_bits(w, v, "w")
    assert_same_state(opt.state, want.state)
    opt.flush()
    loaded = np.load(tmp_path / "0-w-exp_avg.npy", mmap_mode="r")
    assert np.array_equal(
        loaded if loaded.shape == w.shape else loaded.transpose(axes), opt.state["w"]["exp_avg"]
    )
    del opt
    other = np.ascontiguousarray(w)
    if axes != (0, 1, 2):
        with pytest.raises(ValueError, match=r"^params\['w'\] has its axes in the order \[0, 1, 2\]"):
            gs.Adam({"w": other}, state_dir=tmp_path)
    assert gs.Adam({"w": w}, lr=0.1, state_dir=tmp_path).step_count == 1


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    params = {name: np.ones(2) for name in ("w", "W", "..", "a/b", "a_b", "x\0y", "é" * 400, "CON", " ")}
    opt = gs.SGD(params, lr=0.5, momentum=0.5, state_dir=tmp_path)
    opt.step({name: np.full(2, float(i)) for i, name in enumerate(params)})
    opt.flush()
    names = [path.name for path in tmp_path.iterdir()]
    assert len({name.lower() for name in names}) == len(params) + 1
    assert all(
        re.fullmatch(r"\d-[A-Za-z0-9._-]{0,100}-momentum_buffer\.npy|state\.json", name) for name in names
    )
    del opt
    state = gs.SGD(params, lr=0.5, momentum=0.5, state_dir=tmp_path).state
    assert [state[name]["momentum_buffer"][0] for name in params] == list(range(len(params)))


def test_a_step_after_flush_leaves_no_seal(tmp_path: Path) -> None:
    """In whatever shape; but not what writes nothing."""
    shapes: dict[str, Any] = {
        "step": lambda opt, w: opt.step(w),
        "apply_gradients": lambda opt, w: opt.apply_gradients(w, w),
        "updates": lambda opt, w: opt.updates(w),
        "load_state_dict": lambda opt, _: opt.load_state_dict(opt.state_dict()),
        "swap_averaged": lambda opt, _: opt.swap_averaged().__enter__(),
    }
    for accumulate in (1, 2):
        for shape, call in shapes.items():
            w, folder = np.ones(2), tmp_path / f"{shape}{accumulate}"
            opt = gs.Adam(w, state_dir=folder, ema=0.5, accumulate=accumulate)
            opt.flush()
            with pytest.raises(ValueError, match="shape"):
                opt.step(np.ones(3))
            opt.lr, opt.step_count = 0.5, 7
            opt.freeze("0")
            opt.unfreeze("0")
            assert (folder / "state.json").exists()
            opt.flush()
            call(opt, w)
            assert not (folder / "state.json").exists(), shape
            opt.__init__(w)  # type: ignore[misc]
            with refuses(FileExistsError, f"[Errno 17] {MIXED}: '{folder}'"):
                gs.Adam(w, state_dir=folder, ema=0.5, accumulate=accumulate)


def test_a_skipped_step_keeps_the_seal(tmp_path: Path) -> None:
    opt = gs.Adam(np.ones(2), state_dir=tmp_path, nonfinite="skip")
    opt.flush()
    assert not opt.step(np.full(2, np.nan))
    assert (tmp_path / "state.json").exists()


def test_room_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hole is left that a write might find no room for; by zeros where the system does not do it."""
    for way in ("system", "zeros"):
        if way == "zeros":
            monkeypatch.setattr(maps, "set_aside", lambda *_: False)
        opt = gs.SGD(np.ones(300_000), momentum=0.5, state_dir=tmp_path / way)
        file = tmp_path / way / "0-0-momentum_buffer.npy"
        if hasattr(file.stat(), "st_blocks"):
            assert file.stat().st_blocks * 512 >= 300_000 * 8
        assert not opt.state["0"]["momentum_buffer"].any()


def test_copies_and_pickles_have_memory_of_their_own(tmp_path: Path) -> None:
    opt = gs.Adam({"w": np.ones(2)}, lr=0.5, state_dir=tmp_path)
    opt.step({"w": np.ones(2)})
    want = {slot: array.copy() for slot, array in opt.state["w"].items()}
    for other in (copy.copy(opt), copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
        assert other.state_dir is None
        other.step({"w": np.ones(2)})
        assert_same_state(opt.state, {"w": want})
    saved = opt.state_dir, opt.state_dict()
    assert saved[0] == str(tmp_path)
    fresh = gs.Adam({"w": np.ones(2)}, lr=0.5)
    assert fresh.state_dir is None
    assert fresh.load_state_dict(saved[1]) == {}
    fresh.step({"w": np.ones(2)})
    opt.load_state_dict(fresh.state_dict())
    opt.flush()
    assert_same_bits(np.load(tmp_path / "0-w-exp_avg.npy"), fresh.state["w"]["exp_avg"], "exp_avg")


def test_bind(tmp_path: Path) -> None:
    opt = gs.Adam({"w": np.ones((2, 3))}, state_dir=tmp_path)
    opt.step({"w": np.ones((2, 3))})
    new = np.zeros((2, 3))
    opt.bind({"w": new})
    opt.step({"w": np.ones((2, 3))})
    assert opt.step_count == 2
    assert new.all()
    with refuses(ValueError, "params lie in another memory order than the state, which is in files"):
        opt.bind({"w": np.zeros((3, 2)).T})
    opt.step({"w": np.ones((2, 3))})


def test_flush_of_maps_and_of_nothing(tmp_path: Path) -> None:
    opt: gs.Optimizer
    for opt in (gs.Adam(), gs.Adam(np.ones(2))):
        opt.flush()
    np.save(tmp_path / "w.npy", np.ones(4))
    whole = np.load(tmp_path / "w.npy", mmap_mode="r+")
    opt = gs.SGD([whole[:2], np.asarray(whole)[2:]], lr=0.5)
    opt.step([np.ones(2), np.ones(2)])
    opt.flush()
    assert np.load(tmp_path / "w.npy").tolist() == [0.5] * 4
    private = np.load(tmp_path / "w.npy", mmap_mode="c")
    opt = gs.SGD(private, lr=0.5)
    opt.step(np.ones(4))
    opt.flush()
    assert private.tolist() == [0.0] * 4
    assert np.load(tmp_path / "w.npy").tolist() == [0.5] * 4
    with refuses(ValueError, "params is read-only, so it cannot be updated in place"):
        gs.SGD(np.load(tmp_path / "w.npy", mmap_mode="r"))
    averaged = gs.SGD(np.ones(2), ema=0.5, state_dir=tmp_path / "x")
    with (
        averaged.swap_averaged(),
        refuses(RuntimeError, "nothing is flushed inside swap_averaged: the parameters are averages"),
    ):
        averaged.flush()


SIZES = """
import numpy as np
import gradstep as gs
def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
n = 8_000_000
w = np.memmap({folder!r} + "/w", np.float32, "w+", shape=n)
g = np.memmap({folder!r} + "/g", np.float32, "w+", shape=n)
gs.Adam(np.ones(200_000)).step(np.ones(200_000))
before = anonymous()
opt = gs.Adam(w, state_dir={folder!r} + "/state", ema=0.5)
for _ in range(2):
    opt.step(g)
opt.flush()
print(anonymous() - before)
"""


@linux
def test_memory_of_the_process_does_not_grow_with_the_state(tmp_path: Path) -> None:
    """96 MB of state, and kilobytes that are not of files."""
    assert int(printed(SIZES.format(folder=str(tmp_path)))) < 2048
