"""`Rows`: a gradient of some rows updates these as a dense step would, and leaves all others as they are."""

from __future__ import annotations

import copy
import pickle
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradstep as gs
import reference
from bits import Array, assert_same_bits, digest
from drawings import OPTIMIZERS, clips, hypers
from drawings import at as values_at
from gradstep import _core
from trees import normal

#: Those whose update of a row depends on other rows, or comes without a gradient.
WHOLE = {"LAMB", "LARS", "Prodigy", "DoG", "ScheduleFreeSGD", "ScheduleFreeAdamW"}
BY_ROWS = [name for name in OPTIMIZERS if name not in WHOLE]
#: Those to which a row without a gradient is as one with a gradient of 0.
EXACT: dict[str, dict[str, Any]] = {"SGD": {"maximize": True}, "Adagrad": {"eps": 1e-10}}

SHAPES = [(1, 1), (7,), (40, 3), (5, 2, 3), (9, 40), (30, 64), (4, 1100), (6, 0), (300, 17)]


def summed(indices: Array, values: Array, p: Array) -> tuple[Array, Array]:
    """The rows that are named, each once, and their gradients: added up in order of appearance."""
    rows = indices % max(len(p), 1)
    named = np.unique(rows)
    rounded = values.astype(p.dtype)
    sums = []
    for row in named:
        first, *others = rounded[rows == row]
        total = first.copy()
        for other in others:
            total = total + other
        sums.append(total)
    return named, np.array(sums, p.dtype).reshape(len(named), *p.shape[1:])


def dense(indices: Array, values: Array, p: Array) -> Array:
    g = np.zeros_like(p)
    rows, sums = summed(indices, values, p)
    g[rows] = sums
    return g


def drawn_indices(random: np.random.Generator, rows: int) -> Array:
    """Some rows, in any order; or none, one, all, some of them often."""
    dtype = random.choice(["int64", "int32", "uint8", ">i8", "intp", "uint64"])
    unsigned = dtype.startswith("u")
    drawn: Array
    match random.integers(6):
        case 0:
            drawn = np.zeros(0)
        case 1:
            drawn = random.integers(0, rows, 1)
        case 2:
            drawn = np.arange(rows)
        case 3:
            drawn = random.permutation(rows)[: rows // 2]
        case 4:
            drawn = random.integers(0, rows, 3 * rows)
        case _:
            drawn = random.integers(0 if unsigned else -rows, rows, rows)
    drawn = np.where(drawn > 255, drawn % 256, drawn) if dtype == "uint8" else drawn
    return np.repeat(drawn, 2)[::2].astype(dtype)


def drawn_values(random: np.random.Generator, count: int, row: tuple[int, ...], dtype: str) -> Array:
    """Values in some memory order."""
    values = np.asarray(
        10 ** random.uniform(-4, 3, (count, *row)) * random.choice([-1, 1], (count, *row)), dtype
    )
    match random.integers(4):
        case 0:
            return np.asfortranarray(values)
        case 1:
            return np.ascontiguousarray(values[::-1])[::-1]
        case 2:
            return np.repeat(values, 2, axis=0)[::2]
    return values


def parameter(random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """A view of a larger buffer, whose rows lie one after the other; the axes of a row in any order."""
    axes = [0, *(1 + random.permutation(len(shape) - 1))]
    size = int(np.prod(shape))
    buffer = random.normal(size=size + 3).astype(dtype)[2 : 2 + size]
    return buffer.reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))


def state_of(opt: gs.Optimizer, name: str) -> dict[str, Array]:
    return {slot: array.copy() for slot, array in opt.state[name].items()}


@pytest.mark.parametrize("name", BY_ROWS)
@settings(max_examples=12)
@given(data=st.data())
def test_the_rows_are_updated_as_by_the_oracle_and_no_others(name: str, data: st.DataObject) -> None:
    values = data.draw(hypers(OPTIMIZERS[name]), label="hypers") | {"weight_decay": 0.0}
    # A norm is summed up in another order than the oracle's: see test_clip_norm_counts_the_summed_rows.
    limits = data.draw(clips(), label="limits") | {"clip_norm": None}
    maximize, scale = data.draw(st.booleans()), data.draw(st.sampled_from([1.0, 0.5]))
    bounds = data.draw(st.sampled_from([None, (-0.75, 0.5)]), label="bounds")
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape, dtype = data.draw(st.sampled_from(SHAPES)), data.draw(st.sampled_from(["float32", "float64"]))
    params = {"e": parameter(random, shape, dtype), "w": random.normal(size=5).astype(dtype)}
    opt = OPTIMIZERS[name](params, **values, **limits, maximize=maximize, bounds=bounds)
    with np.errstate(all="ignore"):
        for t in range(4):
            indices = drawn_indices(random, shape[0])
            given_values = drawn_values(
                random, len(indices), shape[1:], data.draw(st.sampled_from(["float32", "float64", "float16"]))
            )
            rows, g = summed(indices.astype(int), given_values, params["e"])
            before, state = params["e"].copy(), state_of(opt, "e")
            of_rows = {slot: array[rows] for slot, array in state.items()}
            grads = {"e": g, "w": random.normal(size=5)}
            want, states, _ = reference.step(
                name,
                {"e": before[rows], "w": params["w"].copy()},
                grads,
                {"e": of_rows, "w": state_of(opt, "w")},
                {},
                t,
                **values_at(values, t),
                **values_at(limits, t),
                maximize=maximize,
                bounds=bounds,
                scale=scale,
            )
            opt.step({"e": gs.Rows(indices, given_values), "w": grads["w"]}, scale=scale)
            before[rows] = want["e"]
            assert_same_bits(params["e"], before, f"p after step {t}")
            assert_same_bits(params["w"], want["w"], f"the other after step {t}")
            for slot, array in opt.state["e"].items():
                state[slot][rows] = states["e"].get(slot, state[slot][rows])
                assert_same_bits(array, state[slot], f"{slot} after step {t}")
    assert opt.counts == {"e": 4, "w": 4}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_for_some_rules_it_is_a_dense_step_with_zeros_elsewhere(name: str, dtype: str) -> None:
    random = np.random.default_rng(1)
    for shape in SHAPES:
        p = parameter(random, shape, dtype)
        q = p.copy(order="K")
        ours, theirs = (OPTIMIZERS[name](x, lr=0.1, **EXACT[name]) for x in (p, q))
        for _ in range(5):
            indices = drawn_indices(random, shape[0])
            values = drawn_values(random, len(indices), shape[1:], dtype)
            ours.step(gs.Rows(indices, values))
            theirs.step(dense(indices.astype(int), values, q))
        assert_same_bits(p, q, f"{shape}")
        for slot, array in ours.state["0"].items():
            assert_same_bits(array, theirs.state["0"][slot], slot)


@pytest.mark.parametrize("name", BY_ROWS)
def test_threads_and_tiers_give_the_same_bits(name: str) -> None:
    def run() -> str:
        random = np.random.default_rng(2)
        p = {
            "wide": normal(1, 3000, 70, dtype=np.float32),
            "narrow": normal(2, 20_000, 3),
            "b": normal(3, 9000),
        }
        opt = OPTIMIZERS[name](p, weight_decay=0.0, clip_norm=1.0, measure=True)
        for _ in range(3):
            grads = {}
            for key, array in p.items():
                indices = random.integers(0, len(array), 4000)
                grads[key] = gs.Rows(indices, random.normal(size=(4000, *array.shape[1:])))
            opt.step(grads)
        norms = np.array([opt.grad_norm, opt.update_norm, opt.param_norm])
        return digest([*p.values(), norms, *(a for s in opt.state.values() for a in s.values())])

    found, tier = set(), _core.simd_tier()
    try:
        for other in _core.simd_tiers():
            _core.set_simd_tier(other)
            for threads in (1, 2, 5):
                with gs.num_threads(threads):
                    found.add(run())
    finally:
        _core.set_simd_tier(tier)
    assert len(found) == 1


@pytest.mark.parametrize("name", BY_ROWS)
def test_none_is_a_gradient(name: str) -> None:
    p = normal(1, 5, 3)
    opt = OPTIMIZERS[name](p, weight_decay=0.0, clip_norm=1.0)
    before = digest([p, *opt.state["0"].values()])
    assert opt.step(gs.Rows([], np.zeros((0, 3))))
    assert digest([p, *opt.state["0"].values()]) == before
    assert (opt.step_count, opt.counts, opt.grad_norm) == (1, {"0": 1}, 0.0)


@pytest.mark.parametrize("name", BY_ROWS)
@pytest.mark.parametrize("shape", [(50, 3), (50, 40), (7,)])
def test_the_three_call_shapes_agree(name: str, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    p, other = normal(1, *shape), normal(2, 4)
    options = {"weight_decay": 0.0, "clip_value": 0.7, "bounds": (-1.5, 1.5)}
    a, b, c = (OPTIMIZERS[name]({"p": p.copy(), "o": other.copy()}, **options) for _ in range(3))
    params = {"p": p.copy(), "o": other.copy()}
    for _ in range(3):
        indices = random.integers(0, shape[0], 20)
        grads = {"p": gs.Rows(indices, random.normal(size=(20, *shape[1:]))), "o": random.normal(size=4)}
        held = digest(params.values())
        new, deltas = b.apply_gradients(grads, params), c.updates(grads, params)
        a.step(grads)
        assert digest(params.values()) == held
        own: Any = a.params
        for key in params:
            assert_same_bits(new[key], own[key], key)
            np.testing.assert_allclose(params[key] + deltas[key], own[key], rtol=1e-12, atol=1e-12)
        untouched = np.setdiff1d(np.arange(shape[0]), indices)
        assert not deltas["p"][untouched].any()
        for x in (b, c):
            for slot, array in a.state["p"].items():
                assert_same_bits(x.state["p"][slot], array, slot)
        params = new
    assert a.counts == b.counts == c.counts


def test_clip_norm_counts_the_summed_rows() -> None:
    p = np.zeros((6, 2))
    opt = gs.SGD(p, lr=1.0, clip_norm=5.0, clip_eps=0.0, measure=True)
    opt.step(gs.Rows([4, 1, 4], np.array([[3.0, 0.0], [0.0, 8.0], [3.0, 0.0]])))
    assert opt.grad_norm == 10.0
    np.testing.assert_array_equal(p[[1, 4]], [[0.0, -4.0], [-3.0, 0.0]])
    assert (opt.update_norm, opt.param_norm) == (5.0, 0.0)
    each = gs.SGD({"a": np.zeros((9, 1)), "b": np.zeros(1)}, lr=1.0, clip_norm_each=1.0, clip_eps=0.0)
    each.step({"a": gs.Rows([1, 1], np.array([[1.0], [3.0]])), "b": np.array([0.5])})
    assert each.params["a"][1, 0] == -1.0  # type: ignore[call-overload]


def test_values_that_are_not_finite_are_counted_in_sums() -> None:
    p = np.ones((6, 2))
    values = np.array([[np.inf, 1.0], [-np.inf, 1.0], [1.0, np.nan]])
    opt = gs.SGD(p, nonfinite="raise")
    with pytest.raises(gs.NonFiniteError, match=r"grads in 2 of 4 elements$"):
        opt.step(gs.Rows([2, 2, 0], values))
    opt.nonfinite = "skip"
    assert not opt.step(gs.Rows([2, 2, 0], values))
    assert (opt.skipped, opt.step_count, p.tolist()) == (1, 0, np.ones((6, 2)).tolist())


def test_frozen_parameters_and_groups_stay_what_they_are() -> None:
    params = {"e": np.ones((4, 2)), "f": np.ones((4, 2))}
    opt = gs.AdamW(params, lr=0.1, groups={"*": {"weight_decay": 0.0}})
    opt.freeze("e")
    opt.step({name: gs.Rows([1], np.ones((1, 2))) for name in params})
    assert params["e"].all()
    assert params["f"].sum() < 8
    assert opt.counts == {"e": 0, "f": 1}


def test_parameters_are_complex_too() -> None:
    random = np.random.default_rng(4)
    p = random.normal(size=(6, 3)) + 1j * random.normal(size=(6, 3))
    q = p.copy()
    values = random.normal(size=(4, 3)) + 1j * random.normal(size=(4, 3))
    gs.Adagrad(p, lr=0.1).step(gs.Rows([5, 1, 5, 0], values))
    gs.Adagrad(q, lr=0.1).step(dense(np.array([5, 1, 5, 0]), values, q))
    assert_same_bits(p, q, "p")


def test_values_that_share_memory_with_the_parameter_are_copied_first() -> None:
    p = np.arange(12.0).reshape(6, 2)
    want = p.copy()
    np.subtract.at(want, [0, 1, 2, 3, 4], p[1:].copy())
    gs.SGD(p, lr=1.0).step(gs.Rows(np.arange(5), p[1:]))
    assert_same_bits(p, want, "p")


def test_steps_with_rows_and_without_go_together() -> None:
    random = np.random.default_rng(5)
    p = {"e": normal(1, 50, 8), "w": normal(2, 30)}
    q = {name: array.copy() for name, array in p.items()}
    ours, theirs = gs.SGD(p, lr=0.1, clip_norm=1.0), gs.SGD(q, lr=0.1, clip_norm=1.0)
    for t in range(12):
        indices = random.integers(0, 50, 30)
        values = random.normal(size=(30, 8))
        g = dense(indices, values, q["e"])
        e = [gs.Rows(indices, values), g, None, gs.Rows(indices, values)][t % 4]
        w = random.normal(size=30) if t % 3 else None
        ours.step({"e": e, "w": w})
        theirs.step({"e": None if e is None else g, "w": w})
        np.testing.assert_allclose(p["e"], q["e"], rtol=1e-12, atol=1e-13)
    assert ours.counts == theirs.counts


def test_rows_keep_what_they_were_given() -> None:
    indices, values = np.array([[2, 0], [1, 1]], np.int32), np.arange(8.0).reshape(2, 2, 2)
    rows = gs.Rows(indices, values)
    assert repr(rows) == "<Rows: indices int32 (4,), values float64 (4, 2)>"
    assert rows.indices.tolist() == [2, 0, 1, 1]
    assert np.shares_memory(rows.values, values)
    one = gs.Rows(3, np.ones(2))
    assert (one.indices.tolist(), one.values.shape) == ([3], (1, 2))
    for other in (pickle.loads(pickle.dumps(rows)), copy.copy(rows), copy.deepcopy(rows)):
        assert_same_bits(other.values, rows.values, "values")
        assert_same_bits(other.indices, rows.indices, "indices")
    with pytest.raises(AttributeError):
        rows.values = values  # type: ignore[misc]


@pytest.mark.parametrize("name", BY_ROWS)
def test_a_function_takes_rows_as_its_class_does(name: str) -> None:
    function = getattr(gs.functional, name.lower())
    random = np.random.default_rng(6)
    p = normal(1, 40, 3)
    q = p.copy()
    opt = OPTIMIZERS[name](p, weight_decay=0.0)
    state = [array.copy() for array in opt.state["0"].values()]
    for t in range(3):
        indices = random.integers(-40, 40, 25)
        values = np.asfortranarray(random.normal(size=(25, 3)).astype(["f8", "f4", "f2"][t]))
        opt.step(gs.Rows(indices, values))
        function(q, values, *state, step=t, weight_decay=0.0, rows=indices)
        assert_same_bits(q, p, "p")
    for own, array in zip(state, opt.state["0"].values(), strict=True):
        assert_same_bits(own, array, "state")


def test_the_memory_of_a_step_does_not_depend_on_the_rows_that_are_not_touched() -> None:
    p = np.zeros((1_000_000, 8), np.float32)
    opt = gs.Adam(p)
    rows = gs.Rows(np.array([999_999, 3, 3]), np.ones((3, 8), np.float32))
    opt.step(rows)
    tracemalloc.start()
    opt.step(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize("options", [{}, {"state_dtype": "bfloat16"}])
@pytest.mark.parametrize("shape", [(60, 70), (60, 5), (900,)])
def test_all_rows_in_any_order_are_a_dense_step(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(7)
    p = random.normal(size=shape).astype(np.float32)
    q = p.copy()
    ours, theirs = gs.Adam(p, **options), gs.Adam(q, **options)
    for order in (random.permutation(len(p)), np.arange(len(p)), -1 - np.arange(len(p))):
        g = random.normal(size=shape).astype(np.float32)
        ours.step(gs.Rows(order, g[order]))
        theirs.step(g)
        assert_same_bits(p, q, "p")
        for slot, array in ours.state["0"].items():
            assert_same_bits(np.asarray(array), np.asarray(theirs.state["0"][slot]), slot)


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parent.parent / "docs" / "sparse-rows.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 2
    assert capsys.readouterr().out == "{'table': 1, 'bias': 1}\n"


def test_copies_follow_the_rows() -> None:
    p = normal(1, 30, 4, dtype=np.float32)
    copied: Any = np.zeros((30, 4), np.uint16)
    opt = gs.SGD(p, lr=0.5, copy_to=copied)
    opt.step(gs.Rows([3, 29, 3], normal(2, 3, 4)))
    fresh: Any = np.zeros((30, 4), np.uint16)
    gs.SGD(p.copy(), copy_to=fresh)
    np.testing.assert_array_equal(copied, fresh)


def test_values_may_be_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = normal(2, 40, 3).astype(ml_dtypes.bfloat16)
    indices = np.arange(40) % 11
    p, q = normal(1, 12, 3), normal(1, 12, 3)
    for array, given_values in ((p, values), (q, values.astype(np.float32))):
        opt = gs.SGD(array, lr=0.5)
        for _ in range(3):
            opt.step(gs.Rows(indices, given_values))
    assert_same_bits(p, q, "p")
