"""State in fewer bits that is saved, loaded, converted, copied, sent and kept in files."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from refusals import refuses

FORMATS: list[Any] = [None, "bfloat16", "8bit"]
NARROW = FORMATS[1:]

Params = dict[str, Array]


def model(order: Any = "C", seed: int = 0) -> Params:
    random = np.random.default_rng(seed)
    shapes = {"w": (70, 61), "one": (1, 4100, 1), "b": (5,)}
    return {
        key: np.asarray(random.normal(size=shape).astype(np.float32), order=order)
        for key, shape in shapes.items()
    }


def made(params: Params, form: Any, **options: Any) -> gs.Adam:
    return gs.Adam(params, lr=0.01, state_dtype=form, seed=3, nonfinite="raise", **options)


def step(opt: gs.Adam, times: range) -> None:
    for t in times:
        opt.step(model(seed=100 + t))


def values(opt: gs.Adam) -> dict[tuple[str, str], Array]:
    return {(name, slot): np.asarray(a) for name, slots in opt.state.items() for slot, a in slots.items()}


def assert_alike(opt: gs.Adam, params: Params, other: gs.Adam, others: Params) -> None:
    for key, p in params.items():
        assert_same_bits(p, others[key], key)
    theirs = values(other)
    for place, a in values(opt).items():
        assert_same_bits(a, theirs[place], str(place))


def by_dict(opt: gs.Adam, params: Params, into: gs.Adam, others: Params, folder: Path) -> None:
    del folder
    into.load_state_dict(opt.state_dict())
    for key, p in params.items():
        others[key][...] = p


def by_file(suffix: str) -> Callable[..., None]:
    def move(opt: gs.Adam, params: Params, into: gs.Adam, others: Params, folder: Path) -> None:
        del params, others
        gs.save(folder / f"run{suffix}", opt)
        gs.load(folder / f"run{suffix}", into)

    return move


@pytest.mark.parametrize("move", [by_dict, by_file(".npz"), by_file(".safetensors")])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("form", NARROW)
def test_a_run_goes_on_bit_for_bit(form: Any, order: Any, move: Callable[..., None], tmp_path: Path) -> None:
    params, others = model(order), model(order, seed=9)
    opt, again = made(params, form), made(others, form)
    step(opt, range(3))
    move(opt, params, again, others, tmp_path)
    step(opt, range(3, 6))
    step(again, range(3, 6))
    assert_alike(opt, params, again, others)


@pytest.mark.parametrize("form", NARROW)
@pytest.mark.parametrize("send", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_copies_go_on_bit_for_bit(form: Any, send: Callable[[gs.Adam], gs.Adam]) -> None:
    params = model()
    opt = made(params, form)
    step(opt, range(3))
    again = send(opt)
    step(opt, range(3, 6))
    step(again, range(3, 6))
    assert_alike(opt, params, again, again.params)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", NARROW)
def test_state_in_files(form: Any, tmp_path: Path) -> None:
    params, others = model("F"), model("F")
    opt, memory = made(params, form, state_dir=tmp_path), made(others, form)
    step(opt, range(3))
    step(memory, range(3))
    assert_alike(opt, params, memory, others)
    suffix = "bits" if form == "bfloat16" else "codes"
    assert (tmp_path / f"0-w-exp_avg.{suffix}.npy").exists()


@pytest.mark.parametrize("form", NARROW)
def test_a_flushed_state_is_gone_on_with(form: Any, tmp_path: Path) -> None:
    params = model("F")
    opt = made(params, form, state_dir=tmp_path)
    step(opt, range(3))
    opt.flush()
    others = {key: p.copy(order="K") for key, p in params.items()}
    before = values(opt)
    del opt
    again = made(others, form, state_dir=tmp_path)
    assert again.step_count == 3
    for place, a in values(again).items():
        assert_same_bits(a, before[place], str(place))
    step(again, range(3, 6))
    memory = model("F")
    whole = made(memory, form)
    step(whole, range(6))
    assert_alike(again, others, whole, memory)


def test_another_format_in_the_files_is_refused(tmp_path: Path) -> None:
    opt = made(model(), "bfloat16", state_dir=tmp_path)
    opt.flush()
    del opt
    with pytest.raises(ValueError, match="state_dtype is 'bfloat16', but the optimizer's is '8bit'"):
        made(model(), "8bit", state_dir=tmp_path)


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("after", FORMATS)
def test_converted_when_asked(before: Any, after: Any, tmp_path: Path) -> None:
    opt, again = made(model(), before), made(model("F"), after)
    step(opt, range(4))
    gs.save(tmp_path / "run.npz", opt)
    if before != after:
        with pytest.raises(gs.CheckpointError, match="load it with convert=True"):
            gs.load(tmp_path / "run.npz", again)
        assert again.step_count == 0
    loads: list[Callable[[], dict[str, Any]]] = [
        lambda: again.load_state_dict(opt.state_dict(), convert=True),
        lambda: gs.load(tmp_path / "run.npz", again, convert=True),
    ]
    for load in loads:
        assert load() == {}
        assert again.step_count == 4
        theirs = values(opt)
        for place, a in values(again).items():
            unit = {None: 0.0, "bfloat16": 2.0**-8, "8bit": 2.0**-4}[
                None if (place[0], after) == ("b", "8bit") else after
            ]
            b = theirs[place]
            floor = np.abs(b).max() * 2.0**-16 * (after == "8bit")
            assert np.all(np.abs(a - b) <= unit * np.abs(b) + floor), place


def test_blocks_of_another_memory_order_are_converted() -> None:
    opt, again = made(model(), "8bit"), made(model("F"), "8bit")
    step(opt, range(4))
    with pytest.raises(ValueError, match=r"its axes in the order \[0, 1\].*convert=True"):
        again.load_state_dict(opt.state_dict())
    again.load_state_dict(opt.state_dict(), convert=True)
    for place, a in values(again).items():
        assert np.allclose(a, values(opt)[place], rtol=0.07, atol=1e-5), place


def test_parts_that_do_not_belong_together_are_refused() -> None:
    opt = made(model(), "8bit")
    saved = opt.state_dict()
    del saved["parameters"]["w"]["slots"]["exp_avg.exponents"]
    with pytest.raises(
        ValueError, match=r"'w' has a slot 'exp_avg' that is made of the parts 'codes', but one has values, "
    ):
        opt.load_state_dict(saved, convert=True)
    saved = opt.state_dict()
    saved["parameters"]["w"]["slots"]["exp_avg.codes"] = np.zeros((70, 61), np.int32)
    message = r"has codes of int32 of shape \(70, 61\), but int8 or uint8 of shape \(70, 61\) is wanted$"
    with pytest.raises(ValueError, match=message):
        made(model(), "bfloat16").load_state_dict(saved, convert=True)
    saved = opt.state_dict()
    saved["parameters"]["w"]["slots"]["exp_avg.exponents"] = np.zeros(3, np.uint8)
    with pytest.raises(ValueError, match=r"'w' has a slot 'exp_avg.exponents' of uint8 of shape \(3,\)"):
        opt.load_state_dict(saved)


@pytest.mark.parametrize(
    ("order", "error", "message"),
    [
        ("01", TypeError, r"parameters['w']['order'] must be a list, got str"),
        (None, TypeError, r"parameters['w']['order'] must be a list, got None"),
        (np.array([0, 1]), TypeError, r"parameters['w']['order'] must be a list, got ndarray"),
        ([0, "1"], TypeError, r"parameters['w']['order'][1] must be an int, got str"),
        ([False, 1], TypeError, r"parameters['w']['order'][0] must be an int, got bool"),
        ([0, 1.0], TypeError, r"parameters['w']['order'][1] must be an int, got float"),
        ([0, -1], ValueError, r"parameters['w']['order'][1] must be in [0, 2**63), got -1"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_an_order_of_axes_that_is_none(form: Any, order: Any, error: type[Exception], message: str) -> None:
    opt, other = made(model(), "8bit"), made(model(), form)
    saved = opt.state_dict()
    saved["parameters"]["w"]["order"] = order
    for convert in (False, True):
        with refuses(error, message):
            other.load_state_dict(saved, convert=convert)
    assert other.step_count == 0


def test_another_order_than_the_axes_have() -> None:
    opt = made(model(), "8bit")
    saved = opt.state_dict()
    saved["parameters"]["w"]["order"] = [0, 2]
    with pytest.raises(ValueError, match=r"has its axes in the order \[0, 2\], but they are \[0, 1\]$"):
        opt.load_state_dict(saved, convert=True)


@pytest.mark.parametrize("by", ["dict", "file"])
def test_numbers_that_a_format_has_not_change_nothing(by: str, tmp_path: Path) -> None:
    opt, params = made(model(), None), model(seed=5)
    step(opt, range(2))
    opt.state["one"]["exp_avg_sq"][0, 7] = -1
    gs.save(tmp_path / "run.npz", opt)
    again = made(params, "8bit")
    before = values(again) | {("params", key): p.copy() for key, p in params.items()}
    message = (
        "'one' has a slot 'exp_avg_sq' that does not fit: this slot is never below 0, but -1 is to be written"
    )
    loads: dict[str, Callable[[], Any]] = {
        "dict": lambda: again.load_state_dict(opt.state_dict(), convert=True),
        "file": lambda: gs.load(tmp_path / "run.npz", again, convert=True),
    }
    with pytest.raises(ValueError, match=message):
        loads[by]()
    assert again.step_count == 0
    for place, a in (values(again) | {("params", key): p for key, p in params.items()}).items():
        assert_same_bits(a, before[place], str(place))


def test_another_seed_is_a_difference() -> None:
    opt, other = made(model(), "bfloat16"), gs.Adam(model(), lr=0.01, state_dtype="bfloat16")
    with pytest.raises(ValueError, match="seed is 3, but the optimizer's is 0"):
        other.load_state_dict(opt.state_dict())


def test_a_state_dict_of_before_there_was_a_seed() -> None:
    opt = gs.Adam(model(), lr=0.01)
    saved = opt.state_dict()
    for group in saved["groups"]:
        del group["switches"]["seed"], group["switches"]["state_dtype"]
    opt.load_state_dict(saved)
