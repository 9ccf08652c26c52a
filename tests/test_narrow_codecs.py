"""The codecs of state in fewer bits: every code, and numbers of every kind, as their oracle has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from oracles import narrow

TIERS = gs._core.simd_tiers()


@pytest.fixture(params=TIERS, autouse=True)
def tier(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test runs on each of them; they leave the one in force as it was."""
    before = gs._core.simd_tier()
    gs._core.set_simd_tier(request.param)
    yield request.param
    gs._core.set_simd_tier(before)


def numbers(n: int, seed: int = 0) -> Array:
    """Of all exponents, with zeros, subnormal ones, infinities and NaNs among them."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 1 << 32, n, dtype=np.uint32).view(np.float32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-40, 2.0**-126, 3.4e38], np.float32)
    x[: len(special)] = special[: len(x)]
    # Arithmetic makes quiet NaNs.
    x.view(np.uint32)[np.isnan(x)] |= 0x400000
    return x


def blocks_of_one_size(n: int) -> Array:
    """Blocks whose numbers are of about one size each, and some of zeros."""
    random = np.random.default_rng(1)
    size = np.repeat(10.0 ** random.uniform(-38, 37, -(-n // narrow.BLOCK)), narrow.BLOCK)[:n]
    x = (random.normal(size=n) * size).astype(np.float32)
    x[narrow.BLOCK : 2 * narrow.BLOCK] = 0
    return x


def packed(form: Any, n: int, signed: bool = True) -> gs.Packed:
    if form == "bfloat16":
        return gs.Packed(form, {"bits": np.zeros(n, np.uint16)})
    codes = np.zeros(n, np.int8 if signed else np.uint8)
    exponents = np.zeros(-(-n // narrow.BLOCK), np.uint8)
    return gs.Packed(form, {"codes": codes, "exponents": exponents}, signed=signed)


def test_every_bfloat16() -> None:
    words = np.arange(1 << 16, dtype=np.uint16)
    found = np.asarray(gs.Packed("bfloat16", {"bits": words}))
    assert np.array_equal(found.view(np.uint32), words.astype(np.uint32) << 16)


@pytest.mark.parametrize("signed", [True, False])
def test_every_code_with_every_exponent(signed: bool) -> None:
    exponents = np.repeat(np.arange(256, dtype=np.uint8), 2)
    codes = np.tile(np.arange(256, dtype=np.uint8), 256).view(np.int8 if signed else np.uint8)
    slot = gs.Packed("8bit", {"codes": codes, "exponents": exponents}, signed=signed)
    with np.errstate(all="ignore"):
        wanted = narrow.from_float8(codes.view(np.uint8), exponents, signed)
    found = np.asarray(slot)
    assert np.array_equal(found, wanted, equal_nan=True)
    finite = np.isfinite(wanted)
    assert np.array_equal(found.view(np.uint32)[finite], wanted.view(np.uint32)[finite])


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129, 255, 256, 257, 4099])
@pytest.mark.parametrize("form", ["bfloat16", "signed", "unsigned"])
@pytest.mark.parametrize("make", [numbers, blocks_of_one_size])
def test_rounded_to_nearest(make: Any, form: str, n: int) -> None:
    x, signed = make(n), form != "unsigned"
    x = x if signed else np.abs(x)
    slot = packed("bfloat16" if form == "bfloat16" else "8bit", n, signed)
    # A block that has these numbers already would not be written.
    for part in slot.parts.values():
        part[...] = 0x55
    slot[...] = x
    if form == "bfloat16":
        assert np.array_equal(slot.parts["bits"], narrow.bfloat16_nearest(x))
        return
    half = np.full(n, 0x80000, np.uint32)
    with np.errstate(all="ignore"):
        codes, exponents = narrow.float8(x, half, signed)
    assert np.array_equal(slot.parts["codes"].view(np.uint8), codes)
    assert np.array_equal(slot.parts["exponents"], exponents)
    if len(x) and np.isfinite(x).all():
        top = np.abs(narrow.blocks(x)).max(1).repeat(narrow.BLOCK)[:n]
        floor = top * 2.0 ** (-15 if signed else -30) + 2.0**-126
        assert np.all(np.abs(np.asarray(slot) - x) <= np.abs(x) / 15 + floor)


def test_ties_go_to_even_in_bfloat16() -> None:
    x = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF], np.uint32).view(np.float32)
    slot = packed("bfloat16", 5)
    slot[...] = x
    assert list(slot.parts["bits"]) == [0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x7F80]


@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
@pytest.mark.parametrize("rule", ["signed", "unsigned"])
def test_rounded_at_random(rule: str, form: Any) -> None:
    """After the first step momentum is the gradient, and Adagrad's sum is its square."""
    for n in (4096, 4099, 9000):
        x = numbers(n) if rule == "signed" else np.abs(blocks_of_one_size(n)) ** np.float32(0.4)
        x = np.where(np.isfinite(x), x, 0).astype(np.float32)
        w, seed = np.zeros(n, np.float32), n
        options: dict[str, Any] = {"state_dtype": form, "seed": seed, "nonfinite": "propagate"}
        opt: Any = (
            gs.SGD({"a": w[:0], "w": w}, lr=0.0, momentum=0.9, **options)
            if rule == "signed"
            else gs.Adagrad({"a": w[:0], "w": w}, lr=0.0, **options)
        )
        opt.step({"a": x[:0], "w": x})
        slot = "momentum_buffer" if rule == "signed" else "sum"
        with np.errstate(all="ignore"):
            value = np.float32(0.9) * np.float32(0) + x if rule == "signed" else x * x
            wanted = narrow.kept(value, form, rule == "signed", seed, 0, 1, 0)
        assert_same_bits(np.asarray(opt.state["w"][slot]), wanted, f"{n}")


@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
def test_the_mean_is_exact(form: Any) -> None:
    n, seeds = 4096, 600
    x = blocks_of_one_size(n)
    x = np.where(np.abs(x) < 1e-30, 0, x).astype(np.float32)
    found = []
    for seed in range(seeds):
        opt = gs.SGD(np.zeros(n, np.float32), lr=0.0, momentum=0.9, state_dtype=form, seed=seed)
        opt.step(x)
        found.append(np.asarray(opt.state["0"]["momentum_buffer"], np.float64))
    error = np.mean(found, axis=0) - x
    # No code is further from the next than this, and no spread of two wider than half of it.
    top = np.abs(narrow.blocks(x)).max(1).repeat(narrow.BLOCK)[:n].astype(np.float64)
    apart = np.abs(x) / 128 if form == "bfloat16" else np.abs(x) / 8 + top * 2.0**-17
    assert np.all(np.abs(error) <= 6 * apart / 2 / np.sqrt(seeds) + np.abs(x) * 1e-7)
    spread = np.std(found, axis=0)
    often = spread > 0.1 * apart
    assert np.mean(often) > 0.5
    z = error[often] / spread[often] * np.sqrt(seeds)
    assert abs(np.mean(z)) < 0.1
    assert abs(np.std(z) - 1) < 0.1


def test_what_is_above_zero_stays_there() -> None:
    random = np.random.default_rng(0)
    w = np.zeros(4096, np.float32)
    opt = gs.Adam({"w": w}, lr=0.0, beta2=0.9, state_dtype="8bit")
    g = (random.normal(size=4096) * 10.0 ** random.uniform(-8, 0, 4096)).astype(np.float32)
    opt.step({"w": g})
    for _ in range(300):
        opt.step({"w": np.zeros_like(g)})
        assert np.all(np.asarray(opt.state["w"]["exp_avg_sq"]) > 0)


@pytest.mark.parametrize("signed", [True, False])
def test_what_was_read_is_written_back(signed: bool) -> None:
    """Unless its block has no number that holds the exponent where it is."""
    random = np.random.default_rng(3)
    codes = random.integers(0, 128 if signed else 256, (200, narrow.BLOCK)).astype(np.uint8)
    codes[:, 0] = 0x77 if signed else 0xF7
    codes = (codes | (random.integers(0, 2, codes.shape) << 7 if signed else 0)).astype(np.uint8)
    codes[:, 1:][codes[:, 1:] & 0x7F > 0x77] &= 0x87 if signed else 0x77
    exponents = random.integers(1, 224, 200).astype(np.uint8)
    kind = np.int8 if signed else np.uint8
    slot = gs.Packed(
        "8bit", {"codes": codes.ravel().view(kind), "exponents": exponents.copy()}, signed=signed
    )
    before = np.asarray(slot)
    slot[...] = before
    assert_same_bits(np.asarray(slot), before, "values")
    assert np.array_equal(slot.parts["exponents"], exponents)


def test_one_that_is_not_finite_stops_its_block() -> None:
    w, g = np.zeros(4096, np.float32), np.ones(4096, np.float32)
    g[130] = np.inf
    opt = gs.SGD({"w": w}, lr=1.0, momentum=0.9, state_dtype="8bit", nonfinite="propagate")
    opt.step({"w": g})
    buffer = np.asarray(opt.state["w"]["momentum_buffer"])
    assert buffer[130] == np.inf
    assert np.allclose(np.delete(buffer, slice(128, 256)), 1, atol=0.1)
    assert np.all(np.abs(np.delete(buffer[128:256], 2)) < 1e38)


def test_zeros_behind_a_short_block_do_not_count_for_it() -> None:
    """Without eps, Adadelta makes 0/0 of the zeros that fill the last block."""
    w = np.zeros(4101, np.float32)
    opt: Any = gs.Adadelta({"w": w}, eps=0.0, state_dtype="8bit")
    opt.step({"w": np.ones(4101, np.float32)})
    slots = opt.state["w"]
    assert not slots["acc_delta"].parts["exponents"].any()
    assert np.all(np.asarray(slots["acc_delta"]) == 0.0)
    assert len(set(slots["square_avg"].parts["exponents"])) == 1


def test_they_are_refused_unless_somebody_asks() -> None:
    w, g = np.zeros(4096, np.float32), np.ones(4096, np.float32)
    g[7] = np.nan
    opt = gs.Adam({"w": w}, state_dtype="8bit")
    with pytest.raises(gs.NonFiniteError, match=r"grads\['w'\] in 1 of 4096 elements"):
        opt.step({"w": g})
    assert opt.nonfinite == "raise"
    assert opt.step_count == 0
    assert not w.any()
    assert not np.asarray(opt.state["w"]["exp_avg"]).any()
    opt.nonfinite = None
    assert opt.nonfinite == "raise"
    opt.nonfinite = "propagate"
    assert opt.step({"w": g})
    assert gs.Adam({"w": w}, state_dtype="bfloat16").nonfinite is None


def test_parameters_that_it_is_not_for() -> None:
    w = {"w": np.zeros(8)}
    with pytest.raises(ValueError, match=r"for float32 parameters, but params\['w'\] has dtype float64"):
        gs.Adam(w, state_dtype="bfloat16")
    with pytest.raises(ValueError, match="dtype complex64"):
        gs.Adam({"w": np.zeros(8, np.complex64)}, state_dtype="8bit")
    with pytest.raises(ValueError, match="has no effect: sgd has no state that can have fewer bits"):
        gs.SGD({"w": np.zeros(8, np.float32)}, state_dtype="8bit")
    with pytest.raises(ValueError, match="must be one of None, 'bfloat16', '8bit', got 'float16'"):
        gs.Adam(w, state_dtype="float16")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="state_dtype must be a str or None, got int"):
        gs.Adam(w, state_dtype=8)  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="state_dtype"):
        gs.Adam(w).state_dtype = "8bit"
    with pytest.raises(ValueError, match="seed must be"):
        gs.Adam(w, seed=-1)


def test_a_group_has_its_own() -> None:
    params = {"a": np.zeros(5000, np.float32), "b": np.zeros(5000, np.float32), "c": np.zeros(5000)}
    groups: Any = {"a": {"state_dtype": "bfloat16"}, "c": {"state_dtype": None}}
    opt = gs.Adam(params, groups=groups, state_dtype="8bit")
    forms = {name: getattr(slots["exp_avg"], "format", None) for name, slots in opt.state.items()}
    assert forms == {"a": "bfloat16", "b": "8bit", "c": None}
    assert set(opt.state_dtype) == {"bfloat16", "8bit", None}
