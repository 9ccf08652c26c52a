"""Files of checkpoints: what is saved comes back, bit for bit, and NumPy and safetensors read it."""

from __future__ import annotations

import json
import threading
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors

import gradstep as gs
from bits import assert_same_bits, assert_same_state
from refusals import refuses
from training import trained
from trees import STRUCTURES, mapped, normal

FORMS = [".npz", ".safetensors"]
forms = pytest.mark.parametrize("suffix", FORMS)


@pytest.mark.parametrize(
    ("structure", "suffix"),
    [pair for pair in product(STRUCTURES, FORMS) if pair != ("complex", ".safetensors")],
)
def test_any_structure_and_memory_order(structure: str, suffix: str, tmp_path: Path) -> None:
    params = STRUCTURES[structure]()
    opt = trained(params)
    gs.save(tmp_path / f"x{suffix}", opt)
    again = mapped(lambda p: np.zeros_like(p), params)
    fresh = gs.Adam(again, lr=0.125, amsgrad=True)
    assert gs.load(tmp_path / f"x{suffix}", fresh) == {}
    mapped(lambda a, b: assert_same_bits(a, b, structure), again, params)
    assert_same_state(fresh.state, opt.state)
    # In another order of the axes than it was saved in.
    turned = mapped(lambda p: np.asarray(np.zeros(p.shape, p.dtype), order="F"), params)
    gs.load(tmp_path / f"x{suffix}", gs.Adam(turned, lr=0.125, amsgrad=True))
    mapped(lambda a, b: assert_same_bits(a, b, structure), turned, params)


@forms
def test_every_bit_of_a_float(suffix: str, tmp_path: Path) -> None:
    bits = np.array([0x7FF8000000000123, 0xFFF0000000000000, 1 << 63, 1], np.uint64)
    params = {"w": bits.view(np.float64).copy()}
    gs.save(tmp_path / f"x{suffix}", gs.SGD(params))
    params["w"][...] = 0
    gs.load(tmp_path / f"x{suffix}", gs.SGD(params))
    assert (params["w"].view(np.uint64) == bits).all()


def test_numpy_reads_it_by_name(tmp_path: Path) -> None:
    params: Any = {
        "fc1": {"w": normal(0, 3, 4, order="F"), "b": normal(1, 4)},
        "z": normal(2, 2, dtype=np.complex64),
    }
    opt = trained(params)
    gs.save(tmp_path / "x.npz", opt, best=[np.arange(3), {"w": np.array("text")}])
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        assert_same_bits(file["params/fc1.w"], params["fc1"]["w"], "w")
        for name, slots in opt.state.items():
            for slot, array in slots.items():
                assert_same_bits(file[f"state/{name}/{slot}"], array, slot)
        assert file["extra/best/0"].tolist() == [0, 1, 2]
        assert file["extra/best/1/w"] == "text"
        header: Any = json.loads(file["gradstep.json"])
        assert header["format"] == 1
        assert header["tree"]["optimizers"][""]["step_count"] == 3
        assert len(file.files) == len(header["arrays"]) + 1


def test_safetensors_reads_it_by_name(tmp_path: Path) -> None:
    params = {"w": normal(0, 3, 4, order="F", dtype=np.float32), "b": normal(1, 4)}
    opt = trained(params)
    gs.save(tmp_path / "x.safetensors", opt, flags=np.array([True]), few=np.arange(3, dtype=np.int16))
    with safetensors.safe_open(tmp_path / "x.safetensors", "np") as file:
        assert_same_bits(file.get_tensor("params/w"), params["w"], "w")
        assert_same_bits(file.get_tensor("state/b/exp_avg"), opt.state["b"]["exp_avg"], "exp_avg")
        assert file.get_tensor("extra/few").tolist() == [0, 1, 2]
        assert json.loads(file.metadata()["gradstep"])["tree"]["optimizers"][""]["class"] == "Adam"


def test_safetensors_refuses_what_it_has_not(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with refuses(ValueError, "'params/0' has dtype complex128, which .npz has, but .safetensors has not"):
        gs.save(path, gs.SGD(normal(0, 3, dtype=np.complex128)))
    assert list(tmp_path.iterdir()) == []


STRANGE = [
    "a/b",
    "a\\b",
    "..",
    ".",
    "../../etc/passwd",
    "/root",
    "C:",
    "größe",
    "重み",
    "w",
    "W",
    "w.npy",
    "w.npy.npy",
    "%2F",
    "a%2Fb",
    "",
    " ",
    "new\nline",
    "nul\0",
    "gradstep.json",
    "$array",
    '"',
    "x" * 70_000,
    "x" * 70_000 + "y",
    "é" * 40_000,
]


@forms
def test_any_name(suffix: str, tmp_path: Path) -> None:
    params = {name: normal(i, 2) for i, name in enumerate(STRANGE)}
    opt = trained(params)
    gs.save(tmp_path / f"x{suffix}", opt)
    again = {name: np.zeros(2) for name in STRANGE}
    fresh = gs.Adam(again, lr=0.125, amsgrad=True)
    gs.load(tmp_path / f"x{suffix}", fresh)
    for name in STRANGE:
        assert_same_bits(again[name], params[name], name[:20])
    assert_same_state(fresh.state, opt.state)


def test_names_are_escaped_as_it_is_said(tmp_path: Path) -> None:
    params = {
        "a/b": np.full(1, 1.0),
        "..": np.full(1, 2.0),
        "w.npy": np.full(1, 3.0),
        "größe": np.full(1, 4.0),
    }
    gs.save(tmp_path / "x.npz", gs.SGD(params))
    with np.load(tmp_path / "x.npz") as file:
        assert file.files[:4] == ["params/a%2Fb", "params/%2E%2E", "params/w%2Enpy", "params/größe"]


def test_wrong_arguments(tmp_path: Path) -> None:
    opt: Any = gs.SGD(np.ones(1))
    for path in ("x", "x.npy", "npz", "x.npz.gz"):
        with refuses(ValueError, f"path must end in .npz or .safetensors, got {path!r}"):
            gs.save(path, opt)
    wrongs: list[Any] = [None, {"a": 1}]
    for wrong in wrongs:
        label, kind = ("opt", "NoneType") if wrong is None else ("opt['a']", "int")
        for call in (gs.save, gs.load):
            with refuses(TypeError, f"{label} must be an optimizer or a dict of them, got {kind}"):
                call(tmp_path / "x.npz", wrong)
    with refuses(ValueError, "opt has no optimizers"):
        gs.save(tmp_path / "x.npz", {})
    with refuses(ValueError, "a key of opt must be a str that is not empty, got ''"):
        gs.save(tmp_path / "x.npz", {"": opt})
    with refuses(ValueError, "keep must be at least 1, got 0"):
        gs.save(tmp_path / "x.npz", opt, keep=0)
    with refuses(TypeError, "keep must be an integer, got str"):
        gs.save(tmp_path / "x.npz", opt, keep="3")  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        gs.load(tmp_path / "x.npz", opt)
    with pytest.raises(FileNotFoundError):
        gs.save(tmp_path / "no" / "x.npz", opt)
    with pytest.raises(ValueError, match="no parameters of its own as yet"):
        gs.save(tmp_path / "x.npz", gs.SGD())
    assert list(tmp_path.iterdir()) == []


def test_neither_inside_swap_averaged(tmp_path: Path) -> None:
    opt = trained({"w": normal(0, 3)}, ema=0.5)
    gs.save(tmp_path / "x.npz", opt)
    with opt.swap_averaged():
        with refuses(RuntimeError, "no optimizer is saved inside swap_averaged: the parameters are averages"):
            gs.save(tmp_path / "y.npz", opt)
        with refuses(
            RuntimeError, "no optimizer is loaded inside swap_averaged: the parameters are averages"
        ):
            gs.load(tmp_path / "x.npz", opt)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_a_step_of_another_thread_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npz"
    opt = trained({"w": normal(0, 3)})
    gs.save(path, opt)

    def write(*_: Any) -> None:
        thread = threading.Thread(target=lambda: opt.step({"w": np.ones(3)}))
        thread.start()
        thread.join()

    monkeypatch.setattr(gs.archives, "writer", lambda _: write)
    with pytest.raises(RuntimeError, match="another thread made a step meanwhile"):
        gs.save(path, opt)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
    fresh = gs.Adam({"w": np.zeros(3)}, lr=0.125, amsgrad=True)
    gs.load(path, fresh)
    assert fresh.step_count == 3


def test_a_file_that_is_open_and_any_kind_of_path(tmp_path: Path) -> None:
    opt = trained({"w": normal(0, 3)})
    gs.save(str(tmp_path / "x.npz"), opt)
    with (tmp_path / "x.npz").open("rb") as file:
        file.seek(7)
        gs.load(file, opt)
        assert not file.closed
    gs.load(str(tmp_path / "x.npz"), opt)


def test_the_same_state_makes_the_same_file(tmp_path: Path) -> None:
    opt = trained({"w": normal(0, 3)})
    for name in ("a", "b"):
        gs.save(tmp_path / f"{name}.npz", opt)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
