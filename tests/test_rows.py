"""`Rows`: a gradient of some rows updates these as a dense step would, and leaves all others as they are."""

from __future__ import annotations

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
from rows import BY_ROWS, EXACT, SHAPES, dense, drawn_indices, drawn_values, parameter, summed
from trees import normal


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


def test_parameters_are_complex_too() -> None:
    random = np.random.default_rng(4)
    p = random.normal(size=(6, 3)) + 1j * random.normal(size=(6, 3))
    q = p.copy()
    values = random.normal(size=(4, 3)) + 1j * random.normal(size=(4, 3))
    gs.Adagrad(p, lr=0.1).step(gs.Rows([5, 1, 5, 0], values))
    gs.Adagrad(q, lr=0.1).step(dense(np.array([5, 1, 5, 0]), values, q))
    assert_same_bits(p, q, "p")


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
