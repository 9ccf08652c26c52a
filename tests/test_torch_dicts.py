"""State dicts of torch's optimizers, as recorded: read, gone on with, written."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from torch_dicts import CASES, NAMES, RECORDED, by_names, fresh, grouped, loaded, theirs
from trees import normal

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@cases
def test_a_run_goes_on_as_in_torch(case: Any) -> None:
    opt, params = loaded(case)
    assert opt.step_count == 3
    for i, of_one in theirs(case)["state"].items():
        for slot, array in of_one.items():
            if slot in opt.state[NAMES[i]]:
                assert_same_bits(opt.state[NAMES[i]][slot], array, slot)
    for grads in RECORDED["grads"]:
        opt.step(grouped(grads))
    for name, end in by_names(grouped(case["end"])).items():
        np.testing.assert_allclose(by_names(params)[name], end, rtol=1e-12, atol=1e-14)


@cases
def test_the_way_back_gives_what_came(case: Any) -> None:
    opt, _ = loaded(case)
    written, wanted = gs.to_torch_state_dict(opt), theirs(case)
    assert [group.pop("param_names") for group in written["param_groups"]] == [NAMES[:2], NAMES[2:]]
    for group in written["param_groups"]:
        # JSON has no tuples.
        assert list(json.loads(json.dumps(group))) == list(wanted["param_groups"][0])
    assert json.loads(json.dumps(written["param_groups"])) == wanted["param_groups"]
    for i, of_one in written["state"].items():
        if i not in wanted["state"]:
            # Of what has had no gradient torch makes the same when one comes.
            assert of_one.get("step", 0) == 0
            continue
        assert list(of_one) == list(wanted["state"][i])
        for key, value in of_one.items():
            if key in ("step", "mu_product"):
                assert value.shape == ()
                np.testing.assert_allclose(value, wanted["state"][i][key], rtol=1e-15)
            else:
                assert_same_bits(value, wanted["state"][i][key], key)


@cases
def test_names_travel_with_it(case: Any) -> None:
    opt, params = loaded(case)
    again, _ = fresh(case)
    written = gs.to_torch_state_dict(opt)
    counted: Any = {"step_count": 3} if case["rule"] == "SGD" else {}
    arrays = by_names(params) if case["rule"] == "SGD" else None
    again.load_state_dict(gs.from_torch_state_dict(written, arrays, **counted))
    np.testing.assert_equal(again.state_dict(), opt.state_dict())


def test_arrays_are_copies_and_nothing_given_is_changed() -> None:
    given = theirs(CASES["Adam-7"])
    before = copy.deepcopy(given)
    saved = gs.from_torch_state_dict(given, by_names(fresh(CASES["Adam-7"])[1]))
    for of_one in saved["parameters"].values():
        for array in of_one["slots"].values():
            array[...] = np.nan
    np.testing.assert_equal(given, before)
    opt, _ = loaded(CASES["Adam-7"])
    for of_one in gs.to_torch_state_dict(opt)["state"].values():
        of_one["exp_avg"][...] = np.nan
    assert not np.isnan(opt.state["0.w"]["exp_avg"]).any()


def test_the_order_of_names_is_torchs() -> None:
    opt = gs.Adam({"a": normal(1, 2), "b": normal(2, 3)})
    opt.step({"a": normal(3, 2), "b": normal(4, 3)})
    written = gs.to_torch_state_dict(opt, ["b", "a"])
    assert written["state"][0]["exp_avg"].shape == (3,)
    again = gs.Adam({"a": normal(1, 2), "b": normal(2, 3)})
    again.load_state_dict(gs.from_torch_state_dict(written, ["b", "a"]))
    np.testing.assert_equal(again.state_dict(), opt.state_dict())


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
@pytest.mark.parametrize("rule", sorted({case["rule"] for case in CASES.values()}))
def test_dtypes_and_orders_stay(rule: str, dtype: Any) -> None:
    def make(**options: Any) -> Any:
        return getattr(gs, rule)({"w": np.asarray(normal(1, 3, 4, dtype=dtype), order="F")}, **options)

    several: Any = ({"momentum": 0.5},) if rule == "SGD" else ({}, {"maximize": True})
    for options in several:
        opt, again = make(**options), make(**options)
        opt.step({"w": normal(2, 3, 4, dtype=dtype)})
        again.load_state_dict(gs.from_torch_state_dict(gs.to_torch_state_dict(opt), step_count=1))
        np.testing.assert_equal(again.state_dict(), opt.state_dict())
        for slot, array in again.state["w"].items():
            assert array.dtype == dtype, slot


@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
def test_state_in_fewer_bits_is_written_as_float32(form: Any) -> None:
    def make(form: Any, seed: int = 0) -> gs.Adam:
        return gs.Adam({"w": np.zeros((70, 61), np.float32, order="F")}, state_dtype=form, seed=seed)

    opt = make(form, seed=3)
    opt.step({"w": np.linspace(-1, 1, 4270).reshape(70, 61)})
    with pytest.warns(gs.CheckpointWarning, match=f"not in torch's dict: .*state_dtype='{form}'"):
        theirs = gs.to_torch_state_dict(opt)
    again = make(None)
    again.load_state_dict(gs.from_torch_state_dict(theirs, ["w"], rule=gs.Adam))
    for slot, array in opt.state["w"].items():
        assert again.state["w"][slot].dtype == np.float32
        np.testing.assert_array_equal(again.state["w"][slot], array)


def test_tensors_are_made_by_who_knows_how() -> None:
    opt = gs.Adam(np.ones(2))
    opt.step(np.ones(2))
    written = gs.to_torch_state_dict(opt, tensor=lambda array: ("tensor", array.dtype.name, array.shape))
    assert written["state"][0]["step"] == ("tensor", "float32", ())
    assert written["state"][0]["exp_avg"] == ("tensor", "float64", (2,))


def test_schedules_are_written_as_the_next_value() -> None:
    params = {"a": np.ones(1), "b": np.ones(1)}
    opt = gs.Adam(params, lr=gs.schedules.Linear(1.0, 0.0, 4), groups={"b": {"lr": 0.125}})
    opt.step(params)
    written = gs.to_torch_state_dict(opt, ["a", "b"])
    assert [(group["lr"], group["param_names"]) for group in written["param_groups"]] == [
        (0.125, ["b"]),
        (0.75, ["a"]),
    ]


def test_a_count_that_float32_does_not_know() -> None:
    opt = gs.Adam(np.ones(2))
    for count in (2**24, 2**24 + 1):
        opt.step_count = count
        assert gs.to_torch_state_dict(opt)["state"][0]["step"] == count


def test_hyperparameters_that_differ_are_told_and_can_be_taken() -> None:
    case = CASES["Adam-6"]
    params = grouped(case["params"])
    saved = gs.from_torch_state_dict(theirs(case), by_names(params))
    opt = gs.Adam([{"params": params[0]}, {"params": params[1]}], lr=0.5, clip_norm=1.0)
    with pytest.warns(gs.CheckpointWarning, match="lr of group 1 = 0.05: the optimizer's own stays, 0.5"):
        opt.load_state_dict(saved)
    opt.load_state_dict(saved, hyperparameters=True)
    assert (opt.lr, opt.weight_decay, opt.clip_norm) == ((0.1, 0.05), (0.1, 0.1), 1.0)


def test_sgd_does_not_count() -> None:
    params = fresh(CASES["SGD-1"])[1]
    with pytest.warns(gs.CheckpointWarning, match="does not count its steps; 1 is taken for step_count"):
        saved = gs.from_torch_state_dict(theirs(CASES["SGD-1"]), by_names(params))
    assert saved["step_count"] == 1
    assert [of_one["count"] for of_one in saved["parameters"].values()] == [1, 0, 1]
    saved = gs.from_torch_state_dict(theirs(CASES["SGD-1"]), by_names(params), step_count=100)
    assert [of_one["count"] for of_one in saved["parameters"].values()] == [100, 0, 100]


def old(group: dict[str, Any]) -> None:
    """As torch wrote it before it told Adam from AdamW."""
    del group["decoupled_weight_decay"]


def test_who_was_not_told_of_decay() -> None:
    given = theirs(CASES["AdamW-8"])
    for group in given["param_groups"]:
        old(group)
    params = by_names(fresh(CASES["AdamW-8"])[1])
    with pytest.raises(ValueError, match="does not tell its rule, it may be Adam or AdamW: give rule="):
        gs.from_torch_state_dict(given, params)
    opt, _ = fresh(CASES["AdamW-8"])
    opt.load_state_dict(gs.from_torch_state_dict(given, params, rule=gs.AdamW))
    assert opt.step_count == 3


class Own(gs.Adam):
    """A subclass goes by its own name here, and by Adam's there."""


def test_subclasses() -> None:
    opt, again = Own(np.ones(2)), Own(np.ones(2))
    opt.step(np.ones(2))
    again.load_state_dict(gs.from_torch_state_dict(gs.to_torch_state_dict(opt), rule=Own))
    np.testing.assert_equal(again.state_dict(), opt.state_dict())
