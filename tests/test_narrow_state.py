"""State in fewer bits: the bits of the oracle for every rule, on every tier, at any number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradstep as gs
import reference
from bits import Array, assert_same_bits
from drawings import OPTIMIZERS, at, defaults
from oracles import narrow
from test_tiers import TIERS, variants

FORMATS = ["bfloat16", "8bit"]
STEPS = 4
SEED = 7

#: Rules all of whose state has to be exact.
EXACT = {"ScheduleFreeSGD", "DoG"}

#: What goes on around a rule, and with which gradients.
AROUND: dict[str, dict[str, Any]] = {
    "nothing": {"weight_decay": 0.0},
    "decay and limits": {"weight_decay": 0.05, "clip_value": 0.5, "clip_norm": 40.0},
    "after": {"weight_decay": 0.0, "ema": 0.9, "bounds": (-2.0, 2.0), "measure": True},
}

SHAPES = {
    "odd": (4099,),
    "short": (3,),
    "matrix": (70, 61),
    "empty": (0, 5),
    "rest": (2 * reference.CHUNK + 131,),
}


@pytest.fixture(autouse=True)
def the_tier_in_force() -> Iterator[None]:
    """The tests leave it as it was."""
    before = gs._core.simd_tier()
    yield
    gs._core.set_simd_tier(before)


def options(name: str, variant: str, around: str) -> dict[str, Any]:
    given = defaults(OPTIMIZERS[name]) | variants(name)[variant] | AROUND[around]
    if name == "SGD" and not given["momentum"]:
        given["momentum"] = 0.9
    return given | {"lr": gs.schedules.Cosine(0.1, STEPS)}


def model(order: str) -> dict[str, Array]:
    random = np.random.default_rng(4)
    return {
        key: np.asarray(random.normal(size=shape).astype(np.float32), order="F" if order == "F" else "C")
        for key, shape in SHAPES.items()
    }


@cache
def gradients(dtype: str) -> list[dict[str, Array]]:
    """Of all sizes: a factor of 10¹² between the elements of a block."""
    random = np.random.default_rng(5)

    def one(shape: tuple[int, ...]) -> Array:
        g = random.normal(size=shape) * 10.0 ** random.uniform(-6, 0, size=shape)
        g[random.random(shape) < 0.05] = -0.0
        return g.astype(dtype)

    return [{key: one(shape) for key, shape in SHAPES.items()} for _ in range(STEPS)]


def flat(x: Array, like: Array) -> Array:
    """The elements in the memory order of a parameter."""
    return x.ravel(order="F" if like.flags.f_contiguous and not like.flags.c_contiguous else "C")


def unflat(x: Array, like: Array) -> Array:
    if like.flags.f_contiguous and not like.flags.c_contiguous:
        return x.reshape(like.shape[::-1]).T
    return x.reshape(like.shape)


def steps_of_the_oracle(
    name: str, opt: Any, params: dict[str, Array], given: dict[str, Any], dtype: str
) -> tuple[dict[str, Array], dict[str, reference.State]]:
    """Take the steps of the reference, after each of which the slots hold what their format can."""
    states = {key: {slot: np.array(x) for slot, x in slots.items()} for key, slots in opt.state.items()}
    for slots in states.values():
        slots.pop("ema", None)
    started = {key: dict(slots) for key, slots in states.items()}
    memory: reference.Memory = {}
    for t, grads in enumerate(gradients(dtype)):
        now = at({key: value for key, value in given.items() if key != "measure"}, t)
        with np.errstate(all="ignore"):
            before = started if t == 0 else states
            params, after, memory = reference.step(name, params, grads, before, memory, t, **now)
        states = {}
        for tensor, (key, slots) in enumerate(opt.state.items()):
            states[key] = dict(after[key])
            for k, (slot, packed) in enumerate(slots.items()):
                if isinstance(packed, gs.Packed):
                    x = flat(after[key][slot], params[key])
                    x = narrow.kept(x, packed.format, packed.signed, SEED, t, tensor, k)
                    states[key][slot] = unflat(x, params[key])
    return params, states


CASES = [
    (name, variant, "nothing", "C", "float32")
    for name in OPTIMIZERS
    if name not in EXACT
    for variant in variants(name)
] + [
    (name, list(variants(name))[-1], around, order, dtype)
    for name in OPTIMIZERS
    if name not in EXACT
    for around, order, dtype in [("decay and limits", "F", "float64"), ("after", "F", "float32")]
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_the_bits_of_the_oracle(case: tuple[str, str, str, str, str], form: str) -> None:
    name, variant, around, order, dtype = case
    given = options(name, variant, around)
    wanted = None
    for tier in TIERS:
        gs._core.set_simd_tier(tier)
        for threads in (1, 3):
            params = model(order)
            opt = OPTIMIZERS[name](params, **given, state_dtype=form, seed=SEED)
            if wanted is None:
                wanted = steps_of_the_oracle(name, opt, model(order), given, dtype)
            with gs.num_threads(threads):
                for grads in gradients(dtype):
                    opt.step(grads)
            for key, p in params.items():
                assert_same_bits(p, wanted[0][key], key)
                for slot, state in opt.state[key].items():
                    assert_same_bits(np.asarray(state), wanted[1][key][slot], f"{key} {slot} {tier}")


def test_small_arrays_keep_float32_in_8bit() -> None:
    opt = gs.Adam(model("C"), state_dtype="8bit")
    kinds = {key: type(slots["exp_avg"]) for key, slots in opt.state.items()}
    assert kinds == {
        "odd": gs.Packed,
        "short": np.ndarray,
        "matrix": gs.Packed,
        "empty": np.ndarray,
        "rest": gs.Packed,
    }


def test_bytes_of_a_parameter() -> None:
    w = np.zeros(1 << 16, np.float32)
    forms: list[Any] = [None, *FORMATS]
    states = {form: gs.Adam({"w": w}, state_dtype=form).state["w"] for form in forms}
    sizes = {
        form: sum(int(slot.nbytes) for slot in slots.values()) / w.size for form, slots in states.items()
    }
    assert sizes == {None: 8, "bfloat16": 4, "8bit": 2 + 2 / 128}
