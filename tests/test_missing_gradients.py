"""Parameters without a gradient, or frozen: they, their state and their own count stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, digest
from drawings import OPTIMIZERS
from refusals import refuses
from trees import like, normal


def made(name: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    params = {"a": normal(1, 40, 30), "b": normal(2, 7), "c": normal(3)}
    return OPTIMIZERS[name](params, lr=0.1, **options), params


def bits_of(opt: gs.Optimizer, params: dict[str, Any], name: str) -> str:
    """Of what belongs to a parameter, but for what waits for its update."""
    return digest(
        [params[name], *(array for slot, array in opt.state[name].items() if slot != "accumulated")]
    )


OPTIONS: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.1, "l1": 0.1, "bounds": (-1.0, 1.0)},
    {"ema": 0.9},
    {"clip_norm": 0.5},
    {"clip_norm_each": 0.5, "measure": True},
]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("options", OPTIONS)
def test_what_has_no_gradient_is_not_touched(name: str, options: dict[str, Any]) -> None:
    opt, params = made(name, **options)
    opt.step(like(params, 0))
    for missing in ("a", "b", "c"):
        before = {key: bits_of(opt, params, key) for key in params}
        assert opt.step(like(params, 1) | {missing: None})
        moved = {key for key in params if bits_of(opt, params, key) != before[key]}
        assert moved == set(params) - {missing}
    assert opt.counts == {"a": 3, "b": 3, "c": 3}
    assert opt.step_count == 4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_has_a_gradient_moves_as_if_it_were_alone(name: str) -> None:
    """Norms are those of the gradients that there are."""
    opt, params = made(name, clip_norm=0.5, ema=0.9)
    alone = {"b": normal(2, 7)}
    other = OPTIMIZERS[name](alone, lr=0.1, clip_norm=0.5, ema=0.9)
    for t in range(4):
        grads = like(alone, t)
        opt.step(grads | {"a": None, "c": None})
        other.step(grads)
        assert opt.grad_norm == other.grad_norm
    assert_same_bits(params["b"], alone["b"], "b")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_any_gradient_only_the_schedules_move_on(name: str) -> None:
    opt, params = made(name, clip_norm=1.0, measure=True, nonfinite="raise")
    before = {key: bits_of(opt, params, key) for key in params}
    assert opt.step(dict.fromkeys(params)) is False
    assert {key: bits_of(opt, params, key) for key in params} == before
    assert (opt.step_count, opt.counts) == (1, dict.fromkeys(params, 0))


@pytest.mark.parametrize("rule", ["Adam", "AdamW", "LAMB"])
def test_bias_correction_goes_by_the_parameters_own_count(rule: str) -> None:
    """As in torch, where each parameter has a ``step`` of its own: the first update is the first."""
    late, early = normal(1, 5), normal(1, 5)
    other = normal(2, 3)
    opt = OPTIMIZERS[rule]({"late": late, "other": other}, lr=0.1)
    for _ in range(5):
        opt.step({"late": None, "other": np.ones(3)})
    want = OPTIMIZERS[rule]({"late": early}, lr=0.1)
    for t in range(3):
        opt.step({"late": normal(t, 5), "other": None})
        want.step({"late": normal(t, 5)})
        assert_same_bits(late, early, f"after {t}")
    assert opt.counts == {"late": 3, "other": 5}


def test_adam_with_gaps_is_the_formula_of_each_parameter() -> None:
    """Kingma and Ba's algorithm 1, with a t for each array."""
    pattern = [(True, True), (True, False), (False, True), (True, True), (False, False), (True, True)]
    p = [normal(1, 4), normal(2, 3)]
    mine = [array.copy() for array in p]
    m, v, t = [np.zeros(4), np.zeros(3)], [np.zeros(4), np.zeros(3)], [0, 0]
    opt: Any = gs.Adam(p, lr=0.05)
    for step, present in enumerate(pattern):
        grads = [
            normal(10 * step + i, *array.shape) if has else None
            for i, (array, has) in enumerate(zip(p, present, strict=True))
        ]
        opt.step(grads)
        for i, g in enumerate(grads):
            if g is None:
                continue
            t[i] += 1
            m[i] = 0.9 * m[i] + (1 - 0.9) * g
            v[i] = 0.999 * v[i] + (1 - 0.999) * g * g
            mine[i] -= 0.05 * (m[i] / (1 - 0.9 ** t[i])) / (np.sqrt(v[i] / (1 - 0.999 ** t[i])) + 1e-8)
    assert list(opt.counts.values()) == t
    for got, want in zip(p, mine, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


def test_the_first_momentum_is_that_of_the_first_gradient() -> None:
    """Torch's buffer starts as the first gradient, whole, whenever that comes."""
    w = np.zeros(2)
    opt: Any = gs.SGD({"w": w, "x": np.zeros(1)}, lr=1.0, momentum=0.5, dampening=0.5)
    opt.step({"w": None, "x": np.ones(1)})
    opt.step({"w": np.ones(2), "x": None})
    assert w.tolist() == [-1.0, -1.0]
    opt.step({"w": None, "x": None})
    opt.step({"w": np.ones(2), "x": None})
    assert w.tolist() == [-2.0, -2.0]


def test_schedules_go_by_the_steps_of_the_optimizer() -> None:
    w = np.zeros(1)
    opt: Any = gs.SGD({"w": w, "x": np.zeros(1)}, lr=gs.schedules.Table([1.0, 10.0, 100.0]))
    opt.step({"w": None, "x": np.ones(1)})
    opt.step({"w": np.ones(1), "x": np.ones(1)})
    assert w.tolist() == [-10.0]


def test_of_gradients_that_are_added_up_some_may_be_missing() -> None:
    """The mean is of as many as were asked for: a missing one counts as zero, unless all are missing."""
    w, x, y = np.zeros(2), np.zeros(2), np.ones(2)
    opt: Any = gs.SGD({"w": w, "x": x, "y": y}, lr=1.0, momentum=0.5, accumulate=2)
    assert not opt.step({"w": np.full(2, 4.0), "x": None, "y": None})
    assert opt.step({"w": None, "x": np.full(2, 2.0), "y": None})
    assert (w.tolist(), x.tolist(), y.tolist()) == ([-2.0, -2.0], [-1.0, -1.0], [1.0, 1.0])
    assert opt.counts == {"w": 1, "x": 1, "y": 0}
    assert not opt.step({"w": None, "x": None, "y": None})
    assert not opt.step({"w": None, "x": None, "y": None})
    assert (opt.step_count, opt.counts) == (2, {"w": 1, "x": 1, "y": 0})


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("options", OPTIONS)
def test_frozen_is_as_without_a_gradient(name: str, options: dict[str, Any]) -> None:
    opt, params = made(name, **options)
    other, mine = made(name, **options)
    opt.step(like(params, 0))
    other.step(like(params, 0))
    opt.freeze("[ab]")
    assert opt.frozen == ("a", "b")
    for t in range(1, 3):
        opt.step(like(params, t))
        other.step(like(params, t) | {"a": None, "b": None})
    opt.unfreeze("a")
    assert opt.frozen == ("b",)
    opt.step(like(params, 3))
    other.step(like(params, 3) | {"b": None})
    for key in params:
        assert bits_of(opt, params, key) == bits_of(other, mine, key)
    assert opt.counts == other.counts == {"a": 2, "b": 1, "c": 4}


def test_the_gradient_of_what_is_frozen_may_be_anything() -> None:
    """It is not read: nothing, what is not finite, of another shape."""
    w = np.ones(2)
    opt: Any = gs.SGD({"w": w, "x": np.ones(2)}, lr=1.0, nonfinite="raise")
    opt.freeze("w")
    for g in (None, np.full(2, np.nan), np.ones(3), "nothing"):
        assert opt.step({"w": g, "x": np.ones(2)})
    assert w.tolist() == [1.0, 1.0]


def test_freezing_forgets_what_was_added_up() -> None:
    w = np.zeros(1)
    opt: Any = gs.SGD([w], lr=1.0, accumulate=2)
    opt.step([np.full(1, 2.0)])
    opt.freeze("0")
    assert not opt.step([np.full(1, 2.0)])
    opt.unfreeze("0")
    opt.step([np.full(1, 4.0)])
    assert w.tolist() == [0.0]
    assert opt.step([np.full(1, 4.0)])
    assert w.tolist() == [-4.0]


def test_patterns_that_match_nothing_and_are_no_text_are_refused() -> None:
    opt: Any = gs.SGD({"w": np.ones(1), "layers": [np.ones(1), np.ones(1)]})
    with refuses(ValueError, "freeze('W') matches no parameter; there are w, layers.0, layers.1"):
        opt.freeze("W")
    with refuses(ValueError, "unfreeze('layers') matches no parameter; there are w, layers.0, layers.1"):
        opt.unfreeze("layers")
    with pytest.raises(TypeError, match="str"):
        opt.freeze(0)
    assert opt.frozen == ()
    opt.unfreeze("*")
    many: Any = gs.SGD([np.ones(1) for _ in range(20)])
    with refuses(ValueError, "freeze('w') matches no parameter; there are 0, 1, 2, 3, 4, 5, 6, 7, ..."):
        many.freeze("w")


def test_a_lone_array_is_frozen_by_its_name_in_the_state() -> None:
    w = np.ones(1)
    opt: Any = gs.SGD(w, lr=1.0)
    opt.freeze("0")
    assert opt.step(np.ones(1)) is False
    assert w.tolist() == [1.0]


def test_a_key_that_is_missing_or_extra_stays_an_error() -> None:
    opt: Any = gs.SGD({"w": np.ones(1), "x": np.ones(1)})
    with refuses(ValueError, "grads has no 'x', but params has it"):
        opt.step({"w": np.ones(1)})
    with refuses(ValueError, "params has no 'y', but grads has it"):
        opt.step({"w": np.ones(1), "x": None, "y": None})


def test_none_in_the_place_of_a_container_is_refused() -> None:
    opt: Any = gs.SGD({"w": [np.ones(1)]})
    with refuses(ValueError, "grads['w'] is None, but params['w'] is a list or tuple"):
        opt.step({"w": None})


def test_counts_are_assigned_and_step_count_sets_all_of_them() -> None:
    opt: Any = gs.Adam({"w": np.ones(1), "x": np.ones(1)})
    opt.step({"w": np.ones(1), "x": None})
    opt.step_count = 7
    assert opt.counts == {"w": 7, "x": 7}
    opt.counts = {"w": 3, "x": np.int64(0)}
    assert (opt.counts, opt.step_count) == ({"w": 3, "x": 0}, 7)
    bad: list[tuple[Any, type[Exception], str]] = [
        ({"w": 3}, ValueError, "counts has no 'x'"),
        ({"w": 3, "x": 8}, ValueError, "counts['x'] must be at most step_count = 7, got 8"),
        ({"w": 3, "x": 1, "y": 1}, ValueError, "counts has 3 entries, but there are 2 parameters"),
        ({"w": 3, "x": -1}, ValueError, "counts['x'] must be at least 0, got -1"),
        ({"w": 3, "x": 0.5}, TypeError, "counts['x'] must be an integer, got float"),
        ([3, 1], TypeError, "counts must be a dict of counts by the names of the parameters, got list"),
    ]
    for counts, error, message in bad:
        with refuses(error, message):
            opt.counts = counts
        assert opt.counts == {"w": 3, "x": 0}
