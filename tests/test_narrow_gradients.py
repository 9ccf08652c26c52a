"""Gradients of bfloat16 and float16, read where they are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits

TIERS = gs._core.simd_tiers()
DTYPES = [ml_dtypes.bfloat16, np.float16]


@pytest.fixture(autouse=True)
def the_tier_in_force() -> Iterator[None]:
    """The tests leave it as it was."""
    before = gs._core.simd_tier()
    yield
    gs._core.set_simd_tier(before)


def model(dtype: Any = np.float32, order: Any = "C") -> dict[str, Array]:
    random = np.random.default_rng(1)
    shapes = {"w": (301, 130), "b": (7,), "none": (0, 3), "scalar": ()}
    return {k: np.asarray(random.normal(size=s).astype(dtype), order=order) for k, s in shapes.items()}


def gradient(shape: tuple[int, ...], dtype: Any, seed: int, order: Any = "C") -> Array:
    """Numbers of all sizes, subnormal ones among them."""
    random = np.random.default_rng(seed)
    g = random.normal(size=shape) * 10.0 ** random.uniform(-8, 1, size=shape)
    return np.asarray(np.asarray(g).astype(dtype), order=order)


@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("own", [np.float32, np.float64])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_as_of_the_converted_gradient(dtype: Any, own: Any, order: str) -> None:
    for tier in TIERS:
        gs._core.set_simd_tier(tier)
        params, others = model(own), model(own)
        options: dict[str, Any] = {"lr": 0.01, "clip_norm": 5.0, "clip_value": 1.0, "weight_decay": 0.1}
        opt, other = gs.Adam(params, **options), gs.Adam(others, **options)
        for t in range(3):
            grads = {k: gradient(p.shape, dtype, t, "F" if order == "F" else "C") for k, p in params.items()}
            if order == "strided":
                grads["w"] = np.repeat(grads["w"], 2, axis=1)[:, ::2]
            opt.step(grads)
            other.step({k: g.astype(own) for k, g in grads.items()})
            assert opt.grad_norm == other.grad_norm
        for k, p in params.items():
            assert_same_bits(p, others[k], k)


@pytest.mark.parametrize(
    "around", [{}, {"maximize": True}, {"weight_decay": 0.1}, {"clip_value": 0.5}, {"accumulate": 2}]
)
@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loops_over_narrow_state_read_the_same_bits(dtype: Any, form: str, around: dict[str, Any]) -> None:
    """Stretches, what is left behind the last one, and pieces too short for any."""
    rules: list[Any] = [gs.Adam, gs.RMSprop, gs.Lion, gs.Adan]
    for tier in TIERS:
        gs._core.set_simd_tier(tier)
        for rule in rules:
            for n in (63, 4095, 4096, 4097, 2 * 32768 + 4163):
                random = np.random.default_rng(n)
                p, other = (random.normal(size=n).astype(np.float32) for _ in range(2))
                other[...] = p
                options: dict[str, Any] = {"lr": 0.01, "state_dtype": form, "nonfinite": "propagate"}
                opt, like = rule(p, **options | around), rule(other, **options | around)
                for t in range(3):
                    g = gradient((n,), dtype, t)
                    if t == 1:
                        g[[0, n // 2, n - 1]] = [np.nan, np.inf, -np.inf]
                    with np.errstate(invalid="ignore"):
                        opt.step(g)
                        like.step(g.astype(np.float32))
                    assert_same_bits(p, other, f"{tier} {rule.__name__} {n} {t}")
                (slots,), (wanted,) = opt.state.values(), like.state.values()
                for slot, x in slots.items():
                    if isinstance(x, gs.Packed):
                        for part, bits in x.parts.items():
                            assert_same_bits(bits, wanted[slot].parts[part], f"{slot} {part}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_gradient_there_is(dtype: Any) -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(dtype)
    for tier in TIERS:
        gs._core.set_simd_tier(tier)
        p = np.zeros(1 << 16, np.float32)
        for _ in range(2):  # the first array of a dtype may be converted before it is known
            p[...] = 0
            gs.SGD(p, lr=1.0, maximize=True).step(every)
        with np.errstate(invalid="ignore"):
            assert np.array_equal(p, every.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_take_them(dtype: Any) -> None:
    p, g = np.ones(100, np.float32), gradient((100,), dtype, 0)
    gs.functional.sgd(p, g, step=0, lr=0.5)
    assert_same_bits(p, np.float32(1) - np.float32(0.5) * g.astype(np.float32), "p")


def test_a_gradient_is_not_copied() -> None:
    p = np.zeros(1 << 20, np.float32)
    opt, g = gs.SGD(p, lr=1.0), np.ones(1 << 20, ml_dtypes.bfloat16)
    opt.step(g)
    tracemalloc.start()
    opt.step(g)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 16
