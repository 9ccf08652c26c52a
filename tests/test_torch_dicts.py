"""State dicts of torch's optimizers, as recorded: read, gone on with, written."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from refusals import refuses
from trees import normal

RECORDED = json.loads((Path(__file__).parent / "trajectories" / "torch_dicts.json").read_text())
CASES = {f"{case['rule']}-{i}": case for i, case in enumerate(RECORDED["cases"])}
#: The path names here, in torch's order.
NAMES = [f"{i}.{name}" for i, names in enumerate(RECORDED["groups"]) for name in names]
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def theirs(case: Any) -> dict[str, Any]:
    """The dict as torch gave it: JSON has text for keys, and lists for tensors."""
    state = {
        int(i): {key: None if value is None else np.array(value) for key, value in of_one.items()}
        for i, of_one in case["state_dict"]["state"].items()
    }
    return {"state": state, "param_groups": copy.deepcopy(case["state_dict"]["param_groups"])}


def grouped(arrays: dict[str, Any]) -> list[dict[str, Any]]:
    """Arrays of a recording in their groups."""
    return [{name: np.array(arrays[name]) for name in names} for names in RECORDED["groups"]]


def by_names(params: Any) -> dict[str, Any]:
    return {f"{i}.{name}": array for i, of_group in enumerate(params) for name, array in of_group.items()}


def fresh(case: Any) -> tuple[gs.Optimizer, list[dict[str, Any]]]:
    """An optimizer here that is like the one there, and its parameters at the break."""
    params = grouped(case["params"])
    options = case["options"]
    groups: list[dict[str, Any]] = [{"params": params[0]}, {"params": params[1], "lr": options["lr"] / 2}]
    return getattr(gs, case["rule"])(groups, **options), params


def loaded(case: Any) -> tuple[gs.Optimizer, list[dict[str, Any]]]:
    opt, params = fresh(case)
    counted: Any = {"step_count": 3} if case["rule"] == "SGD" else {}
    saved = gs.from_torch_state_dict(theirs(case), by_names(params), **counted)
    assert opt.load_state_dict(saved) == {}
    return opt, params


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


Change = Callable[[dict[str, Any]], Any]


def put(*path: Any) -> Change:
    def change(given: dict[str, Any]) -> None:
        *place, key, value = path
        at: Any = given
        for step in place:
            at = at[step]
        if value is ...:
            del at[key]
        else:
            at[key] = value

    return change


GROUP = ("param_groups", 0)

BAD_DICTS: dict[str, tuple[Change, type[Exception], str]] = {
    "no state": (
        put("state", ...),
        ValueError,
        "state_dict has no 'state'; torch's has 'state' and 'param_groups'",
    ),
    "state": (put("state", []), TypeError, "state_dict['state'] must be a dict, got list"),
    "groups": (put("param_groups", {}), TypeError, "state_dict['param_groups'] must be a list, got dict"),
    "no groups": (put("param_groups", []), ValueError, "param_groups has no parameters"),
    "a group": (put("param_groups", 1, None), TypeError, "param_groups[1] must be a dict, got None"),
    "params": (put(*GROUP, "params", None), TypeError, "param_groups[0]['params'] must be a list, got None"),
    "a key": (put("state", 9, {}), ValueError, "state has 9, but param_groups has not"),
    "twice": (
        put("param_groups", 1, "params", [2, 0]),
        ValueError,
        "param_groups has 0 more than once",
    ),
    "an entry": (put("state", 0, 1), TypeError, "state[0] must be a dict, got int"),
    "no step": (put("state", 0, "step", ...), ValueError, "state[0] has no 'step'"),
    "half a step": (
        put("state", 0, "step", 0.5),
        ValueError,
        "state[0]['step'] must be a whole number ≥ 0, got 0.5",
    ),
    "a text": (put("state", 0, "step", "3"), TypeError, "state[0]['step'] must be a number, got str"),
    "a list": (
        put("state", 0, "exp_avg", [1]),
        TypeError,
        "state[0]['exp_avg'] must be a tensor or an array, got list",
    ),
    "no pair": (put(*GROUP, "betas", 0.9), ValueError, "param_groups[0]['betas'] must be a pair, got 0.9"),
    "a range": (
        put(*GROUP, "betas", (0.9, 1.5)),
        ValueError,
        "beta2 must be at least 0 and below 1, got 1.5",
    ),
    "no shape": (
        put("state", 2, ...),
        ValueError,
        "state has no arrays of '1.b', so its shape is not known: give names as a dict of arrays",
    ),
    "no names": (
        put("names", None),
        ValueError,
        "names must be given, as param_groups has no 'param_names'",
    ),
    "a name": (put("names", "abc"), TypeError, "names must be a list of str, or a dict of arrays by names"),
    "few names": (put("names", ["a"]), ValueError, "names has 1 names, but param_groups has 3 parameters"),
    "no rule": (
        put("rule", gs.Lion),
        ValueError,
        "torch has no Lion; both have SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, Adamax, NAdam, RAdam, "
        "Rprop",
    ),
    "another rule": (
        put("rule", gs.RMSprop),
        ValueError,
        "state[0] has 'exp_avg', but torch's RMSprop has no such state",
    ),
    "no class": (
        put("rule", "Adam"),
        TypeError,
        "rule must be a class of optimizers, such as gradstep.Adam, got str",
    ),
    "a count": (put("step_count", -1), ValueError, "step_count must be at least 3, got -1"),
    "unknown": (
        put("state", 0, "exp_avg_var", np.ones(2)),
        ValueError,
        "state_dict does not tell its rule, those known are SGD, Adagrad, RMSprop, Adam, AdamW, Adadelta, "
        "Adamax, NAdam, RAdam, Rprop: give rule=, such as gradstep.AdamW",
    ),
}


@pytest.mark.parametrize("bad", BAD_DICTS)
def test_what_is_no_dict_of_torchs_is_refused(bad: str) -> None:
    change, error, message = BAD_DICTS[bad]
    given = {**theirs(CASES["Adam-7"]), "names": NAMES, "rule": None, "step_count": None}
    given["state"][1] = given["state"][0]
    change(given)
    options = {key: given.pop(key) for key in ("names", "rule", "step_count")}
    with refuses(error, message):
        gs.from_torch_state_dict(given, **options)


def test_no_dict_at_all() -> None:
    with refuses(TypeError, "state_dict must be a dict, got list"):
        gs.from_torch_state_dict([], [])  # type: ignore[arg-type]


UNSAID: dict[str, tuple[Callable[[], gs.Optimizer], str]] = {
    "no rule": (lambda: gs.Lion(np.ones(2)), "torch has no Lion; both have SGD, "),
    "a switch": (lambda: gs.Adam(np.ones(2), eps_hat=True), "torch's Adam has no eps_hat=True"),
    "a word": (lambda: gs.Adam(np.ones(2), amsgrad="corrected"), "torch's Adam has no amsgrad='corrected'"),
    "a form": (
        lambda: gs.SGD(np.ones(2), momentum=0.5, momentum_form="average"),
        "torch's SGD has no momentum_form='average'",
    ),
    "decay": (lambda: gs.Rprop(np.ones(2), weight_decay=0.1), "torch's Rprop has no weight_decay=0.1"),
    "all": (
        lambda: gs.Adam(np.ones(2), eps_root=0.5, first_count=2.0, decoupled="after"),
        "no eps_root=0.5, no first_count=2.0, no decoupled='after'",
    ),
    "no parameters": (lambda: gs.Adam(), "no parameters of its own as yet"),
}


@pytest.mark.parametrize("unsaid", UNSAID)
def test_what_torch_cannot_be_told_is_refused(unsaid: str) -> None:
    make, message = UNSAID[unsaid]
    with pytest.raises(ValueError, match=re.escape(message)):
        gs.to_torch_state_dict(make())


def test_other_refusals_of_the_way_back() -> None:
    opt = gs.Adam({"a": np.ones(1), "b": np.ones(1)}, accumulate=2)
    opt.step({"a": np.ones(1), "b": np.ones(1)})
    with pytest.raises(ValueError, match="1 gradients wait for their update"):
        gs.to_torch_state_dict(opt)
    with refuses(ValueError, "names has ['a'], but the parameters are ['a', 'b']"):
        gs.to_torch_state_dict(gs.Adam({"a": np.ones(1), "b": np.ones(1)}), ["a"])
    with refuses(TypeError, "optimizer must be an optimizer of gradstep, got dict"):
        gs.to_torch_state_dict({})  # type: ignore[arg-type]


def test_what_stays_behind_is_told() -> None:
    opt = gs.Adam({"a": np.ones(1), "b": np.ones(1)}, clip_norm=1.0, ema=0.5, measure=True)
    opt.freeze("b")
    with pytest.warns(gs.CheckpointWarning, match=r"torch's dict: ema=0.5, clip_norm=1.0, that b is frozen"):
        gs.to_torch_state_dict(opt)
