"""What goes on around `Rows`: norms, limits, call shapes, other gradients, memory; and the object itself."""

from __future__ import annotations

import copy
import pickle
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, digest
from drawings import OPTIMIZERS
from rows import BY_ROWS, dense
from trees import normal


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


@pytest.mark.parametrize("width", [1, 5, 17, 70, 600, 2100])
def test_norms_do_not_depend_on_how_values_lie_nor_on_copies(width: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal((100, width), np.float32)
        wide = np.zeros((100, width + 3), np.float32)
        wide[:, :width] = values
        start = rng.standard_normal((100, width), np.float32)
        indices = np.arange(100) if seed % 2 else rng.integers(0, 100, 100)

        def norms(values: Any, **options: Any) -> Any:
            opt = gs.SGD(start.copy(), lr=0.1, clip_norm=0.1, measure=True, **options)  # noqa: B023
            opt.step(gs.Rows(indices, values))  # noqa: B023
            return opt.grad_norm, opt.update_norm, opt.param_norm

        expected = norms(values)
        assert norms(wide[:, :width]) == expected
        assert norms(values, copy_to=np.zeros((100, width), np.uint16)) == expected


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
