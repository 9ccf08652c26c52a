"""Groups chosen by patterns of path names, with the structure left as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from drawings import OPTIMIZERS
from refusals import refuses
from trees import like, normal


def network() -> Any:
    return {
        "encoder": [{"w": normal(1, 4, 3), "b": normal(2, 3)}, {"w": normal(3, 3, 3), "b": normal(4, 3)}],
        "head": {"w": normal(5, 3, 2), "b": normal(6, 2)},
    }


PATTERNS: dict[str, dict[str, Any]] = {
    "*.b": {"weight_decay": 0.0},
    "encoder.*": {"lr": gs.schedules.Linear(0.5, 0.0, 10)},
}

#: Rules with sums over all arrays, in their order.
SUMMED = {"DoG", "Prodigy"}


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - SUMMED))
def test_the_same_bits_as_groups_of_lists(name: str) -> None:
    params, same = network(), network()
    opt = OPTIMIZERS[name](params, lr=0.1, weight_decay=0.25, groups=PATTERNS)
    (a, b), head = same["encoder"], same["head"]
    listed: list[Any] = [
        {"params": [a["b"], b["b"], head["b"]], "weight_decay": 0.0},
        {"params": [a["w"], b["w"]], "lr": PATTERNS["encoder.*"]["lr"]},
        {"params": [head["w"]]},
    ]
    want = OPTIMIZERS[name](listed, lr=0.1, weight_decay=0.25)
    for t in range(3):
        grads = like(params, t)
        (ga, gb), gh = grads["encoder"], grads["head"]
        opt.step(grads)
        want.step([[ga["b"], gb["b"], gh["b"]], [ga["w"], gb["w"]], [gh["w"]]])
    for got, expected in [*zip(params["encoder"], same["encoder"], strict=True), (params["head"], head)]:
        for key in got:
            assert_same_bits(got[key], expected[key], key)


def test_the_first_pattern_that_matches_wins_and_the_rest_is_the_default() -> None:
    opt: Any = gs.SGD(network(), lr=0.1, weight_decay=0.25, groups=PATTERNS)
    assert opt.lr == (0.1, 0.5, 0.1)
    assert opt.weight_decay == (0.0, 0.25, 0.25)
    assert len(opt.hyperparameters) == 3
    params = network()
    opt = gs.SGD(params, lr=1.0, groups={"encoder.0.w": {"lr": 0.0}, "encoder.*": {"lr": 0.5}})
    before = network()
    opt.step(like(params, 0))
    g = like(params, 0)
    assert_same_bits(params["encoder"][0]["w"], before["encoder"][0]["w"], "the first pattern")
    for key in ("w", "b"):
        assert_same_bits(
            params["encoder"][1][key], before["encoder"][1][key] - 0.5 * g["encoder"][1][key], "the second"
        )
        assert_same_bits(params["head"][key], before["head"][key] - g["head"][key], "the rest")


def test_the_structure_stays_as_it_is() -> None:
    params = network()
    opt: Any = gs.Adam(params, groups=PATTERNS)
    assert opt.params["encoder"][1]["w"] is params["encoder"][1]["w"]
    assert list(opt.state) == ["encoder.0.w", "encoder.0.b", "encoder.1.w", "encoder.1.b", "head.w", "head.b"]
    new = opt.apply_gradients(like(params, 0), params)
    assert list(new) == ["encoder", "head"]


def test_a_hyperparameter_is_assigned_to_all_groups_or_to_each() -> None:
    opt: Any = gs.SGD(network(), groups=PATTERNS)
    opt.lr = 0.5
    assert opt.lr == (0.5, 0.5, 0.5)
    opt.lr = (0.1, gs.schedules.Constant(0.2), 0.3)
    assert opt.lr == (0.1, 0.2, 0.3)
    with pytest.raises(ValueError, match="3 groups"):
        opt.lr = (0.1, 0.2)


def test_a_lone_array_is_named_as_in_the_state() -> None:
    w = np.zeros(2)
    opt: Any = gs.SGD(w, lr=1.0, groups={"0": {"lr": 0.5}})
    opt.step(np.ones(2))
    assert w.tolist() == [-0.5, -0.5]


def test_without_parameters_as_yet_the_patterns_wait() -> None:
    opt: Any = gs.SGD(lr=1.0, groups={"w": {"lr": 0.5}})
    params = {"w": np.zeros(1), "b": np.zeros(1)}
    new = opt.apply_gradients({"w": np.ones(1), "b": np.ones(1)}, params)
    assert (new["w"].item(), new["b"].item()) == (-0.5, -1.0)
    with refuses(ValueError, "groups['x.*'] matches no parameter; there are w, b"):
        gs.SGD(groups={"x.*": {"lr": 0.5}}).bind(params)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["encoder.0.w", "encoder.0.b", "head.w"]),
        ("encoder.?.w", ["encoder.0.w"]),
        ("*.[!w]", ["encoder.0.b"]),
        ("head.w", ["head.w"]),
    ],
)
def test_patterns_are_those_of_fnmatch(pattern: str, names: list[str]) -> None:
    params: Any = {"encoder": [{"w": np.zeros(1), "b": np.zeros(1)}], "head": {"w": np.zeros(1)}}
    opt: Any = gs.SGD(params, lr=0.0, groups={pattern: {"lr": 1.0}})
    opt.step({"encoder": [{"w": np.ones(1), "b": np.ones(1)}], "head": {"w": np.ones(1)}})
    moved = {
        "encoder.0.w": params["encoder"][0]["w"],
        "encoder.0.b": params["encoder"][0]["b"],
        "head.w": params["head"]["w"],
    }
    assert [name for name, array in moved.items() if array.item() == -1.0] == names


KEYS = (
    "lr, weight_decay, momentum, dampening, nesterov, momentum_form, decoupled, l1, maximize, ema, "
    "clip_norm_each, state_dtype, bounds"
)

BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "no match": ({"w": {}, "x.*": {}}, ValueError, "groups['x.*'] matches no parameter; there are w, b"),
    "case": ({"W": {}}, ValueError, "groups['W'] matches no parameter; there are w, b"),
    "key": ({"w": {"rate": 0.1}}, ValueError, f"groups['w'] has the key 'rate'; a group takes {KEYS}"),
    "limit": (
        {"w": {"clip_norm": 1.0}},
        ValueError,
        f"groups['w'] has the key 'clip_norm'; a group takes {KEYS}",
    ),
    "value": ({"w": {"lr": -0.1}}, ValueError, "lr of groups['w'] must be finite and at least 0, got -0.1"),
    "type": ({"w": {"lr": "fast"}}, TypeError, "lr of groups['w'] must be a float or a schedule, got str"),
    "no dict": ([{"lr": 0.1}], TypeError, "groups is a list, not a dict of options by patterns of names"),
    "a number": ({"w": 0.1}, TypeError, "groups['w'] is a float, not a dict of options"),
    "an int": ({0: {}}, TypeError, "groups has the key 0, not a string"),
}


@pytest.mark.parametrize(("groups", "error", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_groups_is_said(groups: Any, error: type[Exception], message: str) -> None:
    with refuses(error, message):
        gs.SGD({"w": np.zeros(1), "b": np.zeros(1)}, groups=groups)


def test_groups_of_both_kinds_are_refused() -> None:
    with refuses(ValueError, "groups is for params without groups of their own"):
        gs.SGD([{"params": [np.zeros(1)]}], groups={"*": {}})


def test_options_of_groups_are_not_lost_where_an_optimizer_was_made_without_parameters() -> None:
    opt: Any = gs.SGD(lr=0.25)
    message = (
        "params has groups of its own, but this optimizer was made without parameters: give the class their "
        "options, groups={pattern: options}"
    )
    for groups in ([{"params": [np.ones(2)], "lr": 0.5}], [{"params": np.ones(1)}, {"params": np.ones(2)}]):
        with refuses(ValueError, message):
            opt.bind(groups)
    opt.bind([np.ones(2)])
