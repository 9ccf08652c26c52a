"""What is no dict of torch's optimizers, and what torch cannot be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses
from torch_dicts import CASES, NAMES, theirs

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
