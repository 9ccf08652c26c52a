"""`gs.Packed`: a slot in fewer bits reads and compares as an array, and takes what is assigned."""

from __future__ import annotations

import gc
import operator
import weakref
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array


def test_a_slot_reads_and_takes_values() -> None:
    opt = gs.Adam({"w": np.zeros((64, 65), np.float32)}, state_dtype="8bit")
    slot: Any = opt.state["w"]["exp_avg_sq"]
    assert (slot.shape, slot.ndim, slot.size, len(slot)) == ((64, 65), 2, 4160, 64)
    assert (slot.dtype, slot.format, slot.signed) == (np.float32, "8bit", False)
    assert slot.nbytes == 4160 + 33
    assert {name: (a.dtype, a.shape) for name, a in slot.parts.items()} == {
        "codes": (np.uint8, (64, 65)),
        "exponents": (np.uint8, (33,)),
    }
    slot[2, 3:5] = 0.5
    assert list(slot[2, 3:5]) == [0.5, 0.5]
    assert 0 < slot[2, 2] == slot[2, 5] < 1e-9
    assert slot[0, 0] == 0
    assert np.array_equal(np.asarray(slot, np.float64), slot[...])
    with pytest.raises(ValueError, match="never below 0"):
        slot[0] = -1.0
    with pytest.raises(ValueError, match="copy=False cannot be"):
        np.array(slot, copy=False)
    with pytest.raises(ValueError, match="could not broadcast"):
        slot[...] = np.zeros(3)
    assert slot[2, 3] == 0.5
    kept = slot.copy()
    slot[...] = 0
    assert kept[2, 3] == 0.5


@pytest.mark.parametrize(
    ("form", "parts", "error", "message"),
    [
        ("float8", {}, ValueError, "format must be 'bfloat16' or '8bit', got 'float8'"),
        ("bfloat16", {"codes": 1}, ValueError, r"parts must have bits and nothing else, got \['codes'\]"),
        ("8bit", {"codes": np.zeros(3, np.int8)}, ValueError, "parts must have codes and exponents"),
        ("bfloat16", {"bits": [1]}, TypeError, "bits must be an ndarray, got a list"),
        ("bfloat16", {"bits": np.zeros(3)}, TypeError, "bits must have dtype uint16, got float64"),
        ("bfloat16", {"bits": np.zeros(6, np.uint16)[::2]}, ValueError, r"bits must have no gaps"),
        ("bfloat16", {"bits": np.ma.zeros(3, np.uint16)}, TypeError, "bits is a masked array"),
        ("bfloat16", [np.zeros(3, np.uint16)], TypeError, "parts must be a dict, got a list"),
        (None, {"bits": np.zeros(3, np.uint16)}, TypeError, "format must be a str, got None"),
        (
            "8bit",
            {"codes": np.zeros(200, np.int8), "exponents": np.zeros(4, np.uint8)[::2]},
            ValueError,
            r"exponents must have no gaps, but has strides \(2,\)",
        ),
        (
            "8bit",
            {"codes": np.zeros(200, np.int8), "exponents": np.zeros(1, np.uint8)},
            ValueError,
            r"exponents must have shape \(2,\), got \(1,\)",
        ),
    ],
)
def test_parts_that_make_no_slot(form: Any, parts: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gs.Packed(form, parts)


def test_signs_are_said_by_a_bool() -> None:
    with pytest.raises(TypeError, match="signed must be a bool, got a str"):
        gs.Packed("bfloat16", {"bits": np.zeros(3, np.uint16)}, signed="no")  # type: ignore[arg-type]


def stepped(form: Any) -> gs.Adam:
    """State of which many blocks would get other exponents if they were written anew."""
    random = np.random.default_rng(0)
    w = np.zeros(128 * 200, np.float32)
    opt = gs.Adam({"w": w}, state_dtype=form)
    for _ in range(10):
        opt.step({"w": random.normal(size=w.size) * 10.0 ** random.uniform(-6, 0, w.size)})
    return opt


@pytest.mark.parametrize("slot", ["exp_avg", "exp_avg_sq"])
@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
def test_only_what_is_assigned_is_written(form: Any, slot: str) -> None:
    packed: Any = stepped(form).state["w"][slot]
    before = {part: a.copy() for part, a in packed.parts.items()}
    packed[:] = packed[...]
    packed[5:5] = 1.0
    packed[np.zeros(packed.shape, bool)] = 1.0
    for part, a in packed.parts.items():
        np.testing.assert_array_equal(a, before[part])
    packed[300] = 1.0
    own = slice(256, 384) if form == "8bit" else slice(300, 301)
    for part, a in packed.parts.items():
        of_part = slice(2, 3) if part == "exponents" else own
        changed = np.flatnonzero(a != before[part])
        assert changed.size
        assert of_part.start <= changed.min() <= changed.max() < of_part.stop


@pytest.mark.parametrize("form", ["bfloat16", "8bit"])
def test_a_slot_compares_as_its_numbers_do(form: Any) -> None:
    slot: Any = stepped(form).state["w"]["exp_avg"]
    other, values = slot.copy(), np.asarray(slot)
    other[3] += 1
    for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
        wanted: Array = compare(values, np.asarray(other))
        for a, b in ((slot, other), (slot, np.asarray(other)), (values, other)):
            np.testing.assert_array_equal(compare(a, b), wanted)
    assert (slot == slot.copy()).all()
    assert (slot != other)[3]
    with pytest.raises(TypeError, match=r"unhashable type: 'gradstep\.Packed'"):
        hash(slot)


def test_a_circle_through_a_slot_is_collected() -> None:
    class Kept(np.ndarray):
        slot: gs.Packed

    bits = np.zeros(3, np.uint16).view(Kept)
    bits.slot = gs.Packed("bfloat16", {"bits": bits})
    seen = weakref.ref(bits)
    del bits
    gc.collect()
    assert seen() is None
