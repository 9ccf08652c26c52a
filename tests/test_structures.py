"""Structures of parameters and gradients: names, groups, rates, resuming."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits, assert_same_state
from drawings import OPTIMIZERS
from refusals import refuses

S = gs.schedules


def ones(*shape: int) -> Array:
    return np.ones(shape)


@pytest.mark.parametrize(
    ("params", "names"),
    [
        (ones(2), ["0"]),
        ([ones(2), ones(3)], ["0", "1"]),
        ((ones(2), ones(3)), ["0", "1"]),
        ({"w": ones(2), "b": ones(1)}, ["w", "b"]),
        ({"fc1": {"w": ones(2), "b": ones(1)}, "fc2": {"w": ones(3)}}, ["fc1.w", "fc1.b", "fc2.w"]),
        ({"blocks": [{"w": ones(2)}, {"w": ones(2)}], "head": ones(1)}, ["blocks.0.w", "blocks.1.w", "head"]),
        ([[ones(1), [ones(2)]], (ones(3),)], ["0.0", "0.1.0", "1.0"]),
        ({3: ones(1), ("a", 1): ones(2)}, ["3", "('a', 1)"]),
        ({"empty": [], "w": ones(1), "none": {}}, ["w"]),
        ([{"params": ones(2)}], ["0"]),
        ([{"params": ones(2)}, {"params": {"w": ones(1)}}, {"params": [ones(3)]}], ["0", "1.w", "2.0"]),
    ],
    ids=repr,
)
def test_names(params: Any, names: list[str]) -> None:
    assert list(gs.Adam(params).state) == names


def nested(make: Any) -> Any:
    return {"a": [make(0), (make(1), {"x": make(2)})], "b": make(3), "c": {}}


def test_each_gradient_goes_to_its_parameter() -> None:
    params = nested(lambda i: np.full((2, 3), float(i)))
    gs.SGD(params, lr=1.0).step(nested(lambda i: np.full((2, 3), 10.0 * i)))
    leaves = [params["a"][0], params["a"][1][0], params["a"][1][1]["x"], params["b"]]
    for i, leaf in enumerate(leaves):
        np.testing.assert_array_equal(leaf, np.full((2, 3), i - 10.0 * i))


def test_list_and_tuple_are_interchangeable() -> None:
    params: list[Any] = [ones(2), (ones(2), ones(2))]
    gs.SGD(params, lr=1.0).step((np.full(2, 1.0), [np.full(2, 2.0), np.full(2, 3.0)]))
    assert [params[0][0], params[1][0][0], params[1][1][0]] == [0.0, -1.0, -2.0]


def test_the_order_of_a_dict_does_not_matter() -> None:
    params = {"w": ones(2), "b": ones(2)}
    gs.SGD(params, lr=1.0).step({"b": np.full(2, 3.0), "w": np.full(2, 1.0)})
    assert params["w"][0] == 0.0
    assert params["b"][0] == -2.0


def test_groups_have_their_own_hyperparameters_and_flags() -> None:
    random = np.random.default_rng(1)
    starts = [random.normal(size=5) for _ in range(3)]
    own: list[dict[str, Any]] = [
        {},
        {"lr": 0.5, "amsgrad": True, "weight_decay": 0.1},
        {"beta1": 0.5, "eps": 1e-3},
    ]
    grouped, alone = [p.copy() for p in starts], [p.copy() for p in starts]
    groups = [{"params": {"w": p}, **options} for p, options in zip(grouped, own, strict=True)]
    opt = gs.Adam(groups, lr=0.1)
    singles = [gs.Adam(p, **({"lr": 0.1} | options)) for p, options in zip(alone, own, strict=True)]
    for _ in range(5):
        grads = [random.normal(size=5) for _ in range(3)]
        opt.step([{"w": g} for g in grads])
        for single, g in zip(singles, grads, strict=True):
            single.step(g)
    for i in range(3):
        assert_same_bits(grouped[i], alone[i], f"group {i}")
        assert_same_state({"0": opt.state[f"{i}.w"]}, singles[i].state, f"group {i}")
    assert [len(slots) for slots in opt.state.values()] == [2, 3, 2]


def test_groups_may_be_a_tuple_and_hold_different_numbers_of_arrays() -> None:
    params = [[ones(2), ones(2)], [ones(2)], [], [ones(2)]]
    gs.SGD(tuple({"params": group} for group in params), lr=1.0).step(
        [[np.full(2, 1.0), np.full(2, 2.0)], [np.full(2, 3.0)], (), [np.full(2, 4.0)]]
    )
    assert [float(p[0]) for group in params for p in group] == [0.0, -1.0, -2.0, -3.0]


def test_lr_is_what_the_next_step_uses() -> None:
    p = np.zeros(1)
    opt = gs.SGD(p, lr=S.Table([0.5, 0.25, 0.125]))
    for lr in [0.5, 0.25, 0.125, 0.125]:
        assert opt.lr == lr
        before = p.copy()
        opt.step(np.ones(1))
        assert before - p == lr
    opt.step_count = 1
    assert opt.lr == 0.25


def test_lr_of_groups_is_a_tuple() -> None:
    opt: Any = gs.SGD([{"params": ones(1)}, {"params": ones(1), "lr": S.Linear(1, 0, 10)}], lr=0.5)
    assert opt.lr == (0.5, 1.0)
    opt.lr = 0.25
    assert opt.lr == (0.25, 0.25)
    opt.lr = (0.125, S.Constant(2.0))
    assert opt.lr == (0.125, 2.0)
    opt.lr = S.Table([1, 2])
    opt.step([np.zeros(1), np.zeros(1)])
    assert opt.lr == (2.0, 2.0)


def test_an_assigned_lr_is_used() -> None:
    p = np.zeros(1)
    opt = gs.SGD(p, lr=1.0)
    opt.lr = 0.5
    opt.step(np.ones(1))
    assert p == -0.5
    opt.lr = S.Table([9.0, 0.25])
    assert opt.lr == 0.25
    opt.step(np.ones(1))
    assert p == -0.75
    opt.lr = (np.float32(2.0),)
    opt.step(np.ones(1))
    assert p == -2.75


@pytest.mark.parametrize(
    ("value", "error"), [(-1.0, ValueError), ("1", TypeError), ((0.5, -1.0), ValueError)]
)
def test_a_refused_lr_replaces_none(value: Any, error: type[Exception]) -> None:
    opt = gs.SGD([{"params": ones(1)}, {"params": ones(1)}], lr=0.25)
    with pytest.raises(error):
        opt.lr = value
    assert opt.lr == (0.25, 0.25)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_fresh_optimizer_resumes_exactly(name: str) -> None:
    options: dict[str, Any] = {"lr": S.Cosine(0.1, 20).warmup(3), "clip_norm": 1.0}
    if name in ("SGD", "RMSprop"):
        options |= {"momentum": 0.9}
    if name == "SGD":
        options |= {"dampening": 0.5}
    random = np.random.default_rng(2)
    params: dict[str, Array] = {
        "w": random.normal(size=(3, 4)),
        "b": random.normal(size=4).astype(np.float32),
    }
    grads = [{key: random.normal(size=p.shape) for key, p in params.items()} for _ in range(20)]
    whole = {key: p.copy() for key, p in params.items()}
    uninterrupted = OPTIMIZERS[name](whole, **options)
    first = OPTIMIZERS[name](params, **options)
    for g in grads:
        uninterrupted.step(g)
    for g in grads[:7]:
        first.step(g)
    saved = {key: {slot: array.copy() for slot, array in slots.items()} for key, slots in first.state.items()}
    count, copies = first.step_count, {key: p.copy() for key, p in params.items()}
    scalars = first.scalars
    del first
    second = OPTIMIZERS[name](copies, **options)
    for key, slots in saved.items():
        for slot, array in slots.items():
            second.state[key][slot][...] = array
    second.step_count, second.scalars = count, scalars
    for g in grads[7:]:
        second.step(g)
    for key, p in copies.items():
        assert_same_bits(p, whole[key], key)
    assert_same_state(second.state, uninterrupted.state)
    assert second.step_count == uninterrupted.step_count == 20


def test_state_arrays_are_live_views() -> None:
    p = ones(2)
    opt = gs.Adam(p)
    m = opt.state["0"]["exp_avg"]
    assert opt.state["0"]["exp_avg"] is m
    opt.step(np.ones(2))
    np.testing.assert_allclose(m, 0.1)
    m[:] = 0
    opt.step(np.zeros(2))
    np.testing.assert_array_equal(m, 0)


def test_a_thousand_tiny_arrays() -> None:
    random = np.random.default_rng(3)
    params = {f"layer{i}": {"w": random.normal(size=i % 5), "b": random.normal(size=())} for i in range(500)}
    want = {key: {k: np.array(p) for k, p in layer.items()} for key, layer in params.items()}
    opt = gs.Adam(params, lr=0.1)
    assert len(opt.state) == 1000
    for _ in range(3):
        opt.step(params)
    for key, layer in want.items():
        for k, p in layer.items():
            one = gs.Adam(p, lr=0.1)
            for _ in range(3):
                one.step(p)
            assert_same_bits(params[key][k], p, f"{key}.{k}")


def test_a_structure_of_another_number_of_arrays() -> None:
    opt: Any = gs.SGD([ones(2), ones(3)])
    with refuses(ValueError, "there are 1 arrays, but 2 parameters"):
        opt._structured([ones(2)])


def test_repr_tells_the_rule_and_its_size() -> None:
    opt = gs.SGD([ones(2), ones(3)], lr=S.Constant(0.5), momentum=0.9)
    opt.step([ones(2), ones(3)])
    assert repr(opt) == (
        "<SGD(lr=Constant(value=0.5), weight_decay=0.0, momentum=0.9, dampening=0.0, nesterov=False): "
        "2 arrays, 5 elements, step 1>"
    )


def test_repr_tells_what_all_groups_have_in_common() -> None:
    groups = [{"params": ones(2), "lr": 0.5}, {"params": ones(3)}]
    rest = "weight_decay=0.0, momentum=0.0, dampening=0.0, nesterov=False"
    assert repr(gs.SGD(groups, lr=0.25, clip_norm=S.Constant(1.0), clip_eps=0.0, accumulate=2)) == (
        f"<SGD(lr=0.5, {rest}; lr=0.25, {rest} with clip_norm=Constant(value=1.0), clip_eps=0.0, "
        "accumulate=2): 2 arrays, 5 elements, step 0>"
    )
    opt = gs.SGD(ones(2), clip_value=2.0, nonfinite="skip", measure=True)
    assert " with clip_value=2.0, nonfinite='skip', measure=True): " in repr(opt)


def test_an_infinite_clip_norm_only_measures() -> None:
    p = np.zeros(2)
    opt = gs.SGD(p, lr=1.0, clip_norm=float("inf"))
    assert opt.grad_norm is None
    opt.step(np.array([3.0, -4.0]))
    assert opt.grad_norm == 5.0
    assert p.tolist() == [-3.0, 4.0]
