"""The options of every optimizer bit for bit as the oracle: alone and in pairs, some gradients missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradstep as gs
import reference
from bits import Array, assert_same_bits, assert_same_state
from drawings import OPTIMIZERS, Gradients, arrays, at, clips, defaults, gradients, hypers, rates

STEPS = 8

_small = st.sampled_from([0.0, 1e-3, 0.1]) | st.floats(0.0, 0.5)
_unit = st.sampled_from([0.0, 0.5, 0.9, 1.0]) | st.floats(0.0, 1.0)

#: Every option, and values of it that do something.
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "decoupled": st.sampled_from([False, True, "after"]),
    "l1": rates(_small),
    "maximize": st.just(True),
    "bounds": st.sampled_from([(-1.0, 1.0), (0.0, 0.5), (-np.inf, 0.25), (0.1, 0.1)]),
    "ema": rates(_unit),
    "clip_norm_each": rates(st.sampled_from([0.0, 0.1, 1.0, 1e9])),
    "clip_eps": st.sampled_from([0.0, 1e-3]),
    "accumulate": st.sampled_from([2, 3]),
    "measure": st.just(True),
    "scale": st.sampled_from([2.0, 1 / 128, -1.0, 0.1]),
}


def test_every_option_is_drawn() -> None:
    """Besides those drawn elsewhere, and those that say what to do with gradients that are not finite."""
    known = {*gs.optimizers.base.Options.__annotations__, "scale"}
    elsewhere = {"clip_norm", "clip_value", "nonfinite", "groups", "state_dir"}
    narrow = {"state_dtype", "seed", "copy_to"}
    assert set(OPTIONS) == known - elsewhere - narrow


@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(max_examples=40)
@given(data=st.data())
def test_bit_for_bit_in_pairs(name: str, data: st.DataObject) -> None:
    names = st.lists(st.sampled_from(sorted(OPTIONS)), min_size=1, max_size=2, unique=True)
    chosen = data.draw(names, label="chosen")
    values = {option: data.draw(OPTIONS[option], label=option) for option in chosen}
    compare(name, data, values)


@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(max_examples=15)
@given(data=st.data())
def test_bit_for_bit_with_many(name: str, data: st.DataObject) -> None:
    values = {
        option: data.draw(strategy, label=option)
        for option, strategy in OPTIONS.items()
        if data.draw(st.booleans())
    }
    compare(name, data, values)


def compare(name: str, data: st.DataObject, values: dict[str, Any]) -> None:
    """Make some steps of an optimizer and of the oracle; now and then a gradient is missing."""
    if "weight_decay" not in reference_hypers(name):
        values.pop("decoupled", None)
    options = data.draw(hypers(OPTIMIZERS[name]), label="hypers") | data.draw(clips(), label="clips") | values
    scale = options.pop("scale", 1.0)
    leaves = data.draw(st.lists(arrays(), min_size=1, max_size=3), label="params")
    params = {str(i): leaf for i, leaf in enumerate(leaves)}
    source = data.draw(gradients(params, finite=True), label="grads")
    missing = data.draw(st.sampled_from([0.0, 0.3]), label="missing")
    opt = OPTIMIZERS[name](params, **options)
    k = options.pop("accumulate", 1)
    measure = options.pop("measure", False)
    want = {key: p.copy(order="K") for key, p in params.items()}
    states: dict[str, reference.State] = {key: {} for key in params}
    if isinstance(options.get("momentum"), gs.schedules.Schedule):
        # A scheduled momentum has its buffer even while it is 0.
        states = {key: {"momentum_buffer": np.zeros_like(p)} for key, p in params.items()}
    memory: reference.Memory = {}
    counts = dict.fromkeys(params, 0)
    with np.errstate(all="ignore"):
        for t in range(STEPS):
            before = want
            given = [with_missing(source, missing) for _ in range(k)]
            present = {key for key in params if any(g[key] is not None for g in given)}
            *waiting, last = [opt.step(g, scale=scale) for g in given]
            assert not any(waiting)
            assert last == bool(present)
            if present:
                now = at(options, t)
                want, states, memory = reference.step(
                    name, want, given, states, memory, t, counts=counts, scale=scale, **now
                )
            counts = {key: count + (key in present) for key, count in counts.items()}
            assert opt.counts == counts
            assert opt.step_count == t + 1
            for key, p in params.items():
                assert_same_bits(p, want[key], f"after step {t}, params[{key!r}]")
            check_state(opt, states, t)
            if measure and present:
                changes = [want[key] - before[key] for key in params if key in present]
                assert_same_number(opt.update_norm, reference.global_norm(changes))
                moved = [before[key] for key in params if key in present]
                assert_same_number(opt.param_norm, reference.global_norm(moved))


def reference_hypers(name: str) -> set[str]:
    """The hyperparameters that an optimizer does not leave to its rule, with those of the rule."""
    own = set(reference.RULES[name].__kwdefaults__ or {}) | set(reference.RULES[name].__annotations__)
    return {"weight_decay"} - own


def with_missing(source: Gradients, share: float) -> dict[str, Any]:
    """Gradients of which some are missing."""
    return {key: None if source.random.random() < share else g for key, g in source().items()}


def check_state(opt: Any, states: dict[str, reference.State], t: int) -> None:
    """What a parameter without any update has not got in the oracle is what the state starts from."""
    known = {
        key: {slot: array for slot, array in slots.items() if slot != "accumulated"}
        for key, slots in opt.state.items()
        if opt.counts[key]
    }
    assert_same_state(known, {key: states[key] for key in known}, f"after step {t},")


def assert_same_number(got: float | None, want: float) -> None:
    assert got is not None
    assert_same_bits(np.array(got), np.array(want), "norm")


@pytest.mark.parametrize("tier", gs._core.simd_tiers())
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_option_on_every_tier(name: str, tier: str) -> None:
    """Each option alone, on arrays that are several blocks long."""
    before = gs._core.simd_tier()
    gs._core.set_simd_tier(tier)
    try:
        for option, value in {
            "l1": 0.01,
            "maximize": True,
            "bounds": (-0.5, 0.75),
            "ema": 0.9,
            "clip_norm_each": 0.5,
            "accumulate": 2,
            "decoupled": "after",
        }.items():
            if option != "decoupled" or "weight_decay" in reference_hypers(name):
                run(name, {option: value})
    finally:
        gs._core.set_simd_tier(before)


def run(name: str, option: dict[str, Any]) -> None:
    """Three updates of two arrays, one of each dtype and order."""
    random = np.random.default_rng(7)
    params: dict[str, Array] = {"a": random.normal(size=1100).astype(np.float32)}
    params["b"] = np.asfortranarray(random.normal(size=(40, 33)))
    values = defaults_of(name) | option
    opt = OPTIMIZERS[name](params, **values)
    want = {key: p.copy(order="K") for key, p in params.items()}
    states: dict[str, reference.State] = {key: {} for key in params}
    memory: reference.Memory = {}
    k = values.pop("accumulate", 1)
    for t in range(3):
        given = [{key: random.normal(size=p.shape) for key, p in params.items()} for _ in range(k)]
        for g in given:
            opt.step(g)
        want, states, memory = reference.step(name, want, given, states, memory, t, **values)
        for key, p in params.items():
            assert_same_bits(p, want[key], f"{option}: after step {t}, params[{key!r}]")
        check_state(opt, states, t)


def defaults_of(name: str) -> dict[str, Any]:
    """Hyperparameters that leave nothing out."""
    own = defaults(OPTIMIZERS[name])
    return own | ({"weight_decay": 0.1} if "weight_decay" in own else {})
