"""Memory: every layout of parameter and gradient, views, overlaps, memory maps."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits


def stepped(p: Array, g: Array, **options: Any) -> Array:
    """What one step of Adam makes of a C-ordered copy."""
    copy = np.array(p, order="C")
    gs.Adam(copy, lr=0.1, **options).step(np.array(g, order="C"))
    return copy


def test_state_has_the_layout_of_its_parameter() -> None:
    p = np.ones((4, 3, 2), np.float32).transpose(1, 2, 0)
    m = gs.Adam(p).state["0"]["exp_avg"]
    assert (m.shape, m.strides, m.dtype) == (p.shape, p.strides, p.dtype)


BUFFER = np.arange(1.0, 200.0)


class Subclass(np.ndarray[Any, Any]):
    """Not to be treated otherwise than an array."""


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "C": lambda b: b[:24].reshape(2, 3, 4),
    "F": lambda b: b[:24].reshape(2, 3, 4, order="F"),
    "permuted": lambda b: b[:24].reshape(4, 2, 3).transpose(1, 2, 0),
    "view with an offset": lambda b: b[5:29].reshape(2, 3, 4),
    "axis of one": lambda b: b[:24].reshape(24, 1)[:, ::-1],
    "row of a matrix": lambda b: b[:24].reshape(4, 6)[2],
    "0-d": lambda b: b[3:4].reshape(()),
    "empty": lambda b: b[:0].reshape(0, 3),
    "empty and strided": lambda b: b[:24].reshape(4, 6)[2:2, ::2],
    "one element": lambda b: b[:1],
}

GRADIENTS: dict[str, Callable[[Array], Any]] = {
    "same order": lambda g: g,
    "C order": lambda g: np.array(g, order="C"),
    "F order": lambda g: np.array(g, order="F"),
    "reversed": lambda g: np.array(g[(slice(None, None, -1),) * g.ndim])[(slice(None, None, -1),) * g.ndim],
    "every second": lambda g: np.repeat(g, 2, axis=-1)[..., ::2] if g.ndim else g,
    "broadcast": lambda g: np.broadcast_to(g.mean() if g.size else 0.0, g.shape),
    "read-only": lambda g: np.frombuffer(g.tobytes()).reshape(g.shape),
    "byte-swapped": lambda g: g.astype(g.dtype.newbyteorder()),
    "misaligned": lambda g: np.frombuffer(b"\0" + g.tobytes(), offset=1).reshape(g.shape),
    "long double": lambda g: g.astype(np.longdouble),
    "subclass": lambda g: g.view(Subclass),
}


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, dtype: type[Any], gradient: str) -> None:
    p = LAYOUTS[layout](BUFFER.astype(dtype))
    g = GRADIENTS[gradient](np.cos(np.arange(float(p.size))).reshape(p.shape))
    before = np.array(g)
    want = stepped(p, np.asarray(g, np.float64))
    opt = gs.Adam(p, lr=0.1)
    opt.step(g)
    assert_same_bits(p, want, "p")
    opt.step(g)  # what was kept from the first step must not mislead the second
    np.testing.assert_array_equal(np.array(g), before)
    again = gs.Adam(q := np.array(LAYOUTS[layout](BUFFER.astype(dtype)), order="C"), lr=0.1)
    for _ in range(2):
        again.step(np.array(before, np.float64))
    assert_same_bits(p, q, "p after two steps")


def test_a_view_changes_nothing_around_it() -> None:
    buffer = np.arange(10.0)
    gs.SGD(buffer[3:7], lr=1.0).step(np.full(4, 100.0))
    np.testing.assert_array_equal(buffer, [0, 1, 2, -97, -96, -95, -94, 7, 8, 9])


def test_two_halves_of_one_buffer() -> None:
    buffer = np.zeros(6)
    gs.SGD([buffer[3:], buffer[:3]], lr=1.0).step([np.full(3, 1.0), np.full(3, 2.0)])
    np.testing.assert_array_equal(buffer, [-2, -2, -2, -1, -1, -1])


@pytest.mark.parametrize(
    "overlapping",
    [
        lambda p: p,
        lambda p: p.T,
        lambda p: p[::-1],
        lambda p: p.reshape(-1)[::-1].reshape(p.shape),
        lambda p: np.broadcast_to(p[1], p.shape),
        lambda p: p.view(np.int64).view(np.float64),
    ],
    ids=["itself", "transposed", "reversed rows", "reversed", "its second row", "another view"],
)
def test_a_gradient_that_overlaps_the_parameter_is_read_first(overlapping: Any) -> None:
    p = np.arange(1.0, 10.0).reshape(3, 3)
    want = stepped(p, overlapping(p).copy(), weight_decay=0.1)
    gs.Adam(p, lr=0.1, weight_decay=0.1).step(overlapping(p))
    assert_same_bits(p, want, "p")


def test_gradients_that_overlap_other_parameters_and_state() -> None:
    a, b = np.arange(1.0, 5.0), np.arange(5.0, 9.0)
    opt = gs.SGD([a, b], lr=1.0, momentum=0.9)
    opt.step([b, a])  # each is the other's gradient
    np.testing.assert_array_equal([a, b], [np.full(4, -4.0), np.full(4, 4.0)])
    buffer = opt.state["0"]["momentum_buffer"]
    want = a - (0.9 * buffer + buffer)
    opt.step([buffer, np.zeros(4)])
    np.testing.assert_array_equal(a, want)


@pytest.mark.parametrize("shift", [-20, -3, -1, 1, 3, 20])
def test_a_shifted_view_of_the_parameter_as_gradient(shift: int) -> None:
    buffer = np.arange(1.0, 200.0)
    p, g = buffer[50:150], buffer[50 + shift : 150 + shift]
    want = p - 0.5 * g
    gs.SGD(p, lr=0.5).step(g)
    assert_same_bits(p, want, "p")


@pytest.mark.parametrize(
    "g", [2.0, np.float32(2), np.float64(2), np.float16(2), np.array(2.0), np.longdouble(2)], ids=repr
)
def test_scalar_gradients_of_0d_parameters(g: Any) -> None:
    p = np.array(1.0)
    opt = gs.SGD({"scale": p}, lr=0.25)
    opt.step({"scale": g})
    assert p[()] == 0.5


def test_memmap(tmp_path: pathlib.Path) -> None:
    p = np.memmap(tmp_path / "p", np.float32, "w+", shape=(3, 4))
    opt = gs.Adam(p, lr=0.1)
    opt.step(np.ones((3, 4), np.float32))
    p.flush()
    assert_same_bits(np.fromfile(tmp_path / "p", np.float32).reshape(3, 4), np.asarray(p), "file")
    assert p[0, 0] == pytest.approx(-0.1)
    assert type(opt.state["0"]["exp_avg"]) is np.ndarray


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_gradient_too_large_for_the_parameter_is_infinite_in_every_order(order: Any) -> None:
    p = np.ones((2, 3), np.float32)
    opt = gs.SGD(p, lr=1.0)
    opt.step(np.full((2, 3), 1e39, order=order))
    assert (p == -np.inf).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float6_e2m3fn", "float4_e2m1fn"]
)
def test_gradients_of_narrow_dtypes(name: str, dtype: type[Any]) -> None:
    narrow = getattr(pytest.importorskip("ml_dtypes"), name)
    p = np.linspace(-1, 1, 24).astype(dtype).reshape(4, 6)
    g = np.cos(np.arange(24.0)).reshape(6, 4).T.astype(narrow)
    want = stepped(p, g.astype(np.float64))
    gs.Adam(p, lr=0.1).step(g)
    assert_same_bits(p, want, name)


@pytest.mark.parametrize("name", ["int4", "uint2"])
def test_gradients_of_narrow_integers_are_refused(name: str) -> None:
    narrow = getattr(pytest.importorskip("ml_dtypes"), name)
    with pytest.raises(TypeError, match=f"grads has dtype {name}, not a float dtype"):
        gs.SGD(np.ones(3)).step(np.ones(3, narrow))
