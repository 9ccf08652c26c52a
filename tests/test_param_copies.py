"""Copies of the parameters in bfloat16, which a step writes along with them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits
from oracles import narrow
from test_narrow_gradients import gradient, model


def copies(params: dict[str, Array], dtype: Any) -> dict[str, Array]:
    return {k: np.zeros_like(p, dtype) for k, p in params.items()}


def assert_copied(params: dict[str, Array], to: dict[str, Array]) -> None:
    for k, p in params.items():
        words = np.asarray(to[k]).view(np.uint16)
        wanted = narrow.bfloat16_nearest(np.ravel(p, "K")).astype(np.uint16)
        assert np.array_equal(np.ravel(words, "K"), wanted), k


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("form", [None, "bfloat16", "8bit"])
def test_copies_are_the_parameters_rounded(form: Any, dtype: Any, order: str) -> None:
    params, others = model(order=order), model(order=order)
    to = copies(params, dtype)
    opt = gs.Adam(params, lr=0.1, copy_to=to, state_dtype=form)
    assert_copied(params, to)
    other = gs.Adam(others, lr=0.1, state_dtype=form)
    for t in range(3):
        grads = {k: gradient(p.shape, np.float32, t) for k, p in params.items()}
        opt.step(grads)
        other.step(grads)
        assert_copied(params, to)
    for k, p in params.items():
        assert_same_bits(p, others[k], k)


def test_copies_with_bounds_and_missing_gradients() -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(params, lr=0.1, copy_to=to, bounds=(-0.5, 0.5), measure=True)
    grads: dict[str, Any] = {k: gradient(p.shape, np.float32, 1) for k, p in params.items()}
    opt.step(grads | {"b": None})
    assert np.abs(params["w"]).max() <= 0.5
    assert_copied(params, to)


def test_copies_of_what_apply_gradients_makes() -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(lr=0.1, copy_to=to)
    grads = {k: gradient(p.shape, np.float32, 1) for k, p in params.items()}
    new: Any = opt.apply_gradients(grads, params)
    assert_copied(new, to)
    with pytest.raises(ValueError, match="updates makes no new parameters that could be put into copy_to"):
        opt.updates(grads, new)
    assert opt.step_count == 1


def test_copies_after_bind_and_load(tmp_path: Path) -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(params, lr=0.1, copy_to=to)
    gs.save(tmp_path / "run.npz", opt)
    params["w"][...] = 7
    opt.refresh_copies()
    assert_copied(params, to)
    gs.load(tmp_path / "run.npz", opt)
    assert_copied(params, to)
    others = {k: np.asarray(p + 1) for k, p in params.items()}
    opt.bind(others)
    assert_copied(others, to)


@pytest.mark.parametrize("send", [copy.deepcopy, lambda opt: pickle.loads(pickle.dumps(opt))])
def test_copies_have_copies_of_their_own(send: Any) -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(params, lr=0.1, copy_to=to)
    again = send(opt)
    again.step({k: gradient(p.shape, np.float32, 1) for k, p in params.items()})
    assert_copied(params, to)
    assert_copied(again.params, again.copy_to)
    assert opt.copy_to.keys() == to.keys()
    assert all(opt.copy_to[k] is to[k] for k in to)
    assert gs.SGD(params, lr=0.1).copy_to is None
    with pytest.raises(AttributeError, match=r"SGD\.copy_to cannot be changed"):
        opt.copy_to = to  # type: ignore[misc]


def of(**changed: Any) -> Any:
    return copies(model(), np.uint16) | changed


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            of(w=np.zeros((301, 130), np.int16)),
            TypeError,
            r"copy_to\['w'\] has dtype int16, not bfloat16 or uint16",
        ),
        (of(w=np.zeros(4, np.uint16)), ValueError, r"copy_to\['w'\] has shape \(4,\), but params\['w'\] has"),
        (of(w=[1.0]), TypeError, r"copy_to\['w'\] is a list"),
        (of(w=1.0), TypeError, r"copy_to\['w'\] is a float, not an ndarray"),
        (
            of(w=np.zeros((130, 301), np.uint16).T),
            ValueError,
            r"copy_to\['w'\] has strides \(2, 602\) bytes, but \(260, 2\)",
        ),
        ({"w": np.zeros(3, np.uint16)}, ValueError, r"copy_to has no 'b', but params has it"),
        ([1, 2], ValueError, "copy_to is a list, but params is a dict"),
        (of(b=np.ma.zeros(7, np.uint16)), TypeError, r"copy_to\['b'\] is a masked array"),
    ],
)
def test_what_cannot_hold_copies(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gs.SGD(model(), lr=0.1, copy_to=given)


def test_what_cannot_be_copied() -> None:
    with pytest.raises(
        ValueError, match=r"copy_to is for float32 parameters, but params\['w'\] has dtype float64"
    ):
        gs.SGD(model(np.float64), lr=0.1, copy_to=of())
    read_only = of()
    read_only["w"].flags.writeable = False
    with pytest.raises(ValueError, match=r"copy_to\['w'\] is read-only"):
        gs.SGD(model(), lr=0.1, copy_to=read_only)


def smaller(words: Array) -> None:
    words.resize(1, refcheck=False)


def read_only(words: Array) -> None:
    words.flags.writeable = False


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (smaller, r"copy_to\['b'\] has shape \(1,\), but params\['b'\] has shape \(7,\)"),
        (read_only, r"copy_to\['b'\] is read-only"),
    ],
)
def test_copies_that_are_not_what_they_were(change: Callable[[Array], None], message: str) -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(params, lr=0.1, copy_to=to)
    grads = {k: gradient(p.shape, np.float32, 1) for k, p in params.items()}
    before = {k: p.copy() for k, p in params.items()}
    change(to["b"])
    for call in (
        lambda: opt.step(grads),
        lambda: opt.apply_gradients(grads, params),
        lambda: opt.bind(params),
        opt.refresh_copies,
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert opt.step_count == 0
    for k, p in params.items():
        assert_same_bits(p, before[k], k)


def test_a_copy_is_looked_at_once_more_after_python_code() -> None:
    params = model()
    to = copies(params, np.uint16)

    acts = False

    def rate(_: int) -> float:
        if acts:
            smaller(to["b"])
        return 0.1

    opt = gs.SGD(params, lr=gs.schedules.Lambda(rate), copy_to=to)
    acts = True
    with pytest.raises(ValueError, match=r"copy_to\['b'\] has shape \(1,\)"):
        opt.step({k: gradient(p.shape, np.float32, 1) for k, p in params.items()})


def test_copies_are_of_what_the_parameters_hold() -> None:
    params = model()
    to = copies(params, np.uint16)
    opt = gs.SGD(params, lr=0.1, ema=0.9, copy_to=to)
    opt.step({k: gradient(p.shape, np.float32, 1) for k, p in params.items()})
    with opt.swap_averaged():
        assert_copied(params, to)
    assert_copied(params, to)


def test_copies_that_share_memory() -> None:
    params = {"a": np.zeros(8, np.float32), "b": np.zeros(8, np.float32)}
    words = np.zeros(12, np.uint16)
    with pytest.raises(ValueError, match=r"copy_to\['a'\] and copy_to\['b'\] share memory"):
        gs.SGD(params, lr=0.1, copy_to={"a": words[:8], "b": words[4:]})
    with pytest.raises(ValueError, match=r"params\['a'\] and copy_to\['a'\] share memory"):
        gs.SGD(params, lr=0.1, copy_to={"a": params["a"].view(np.uint16)[:8], "b": words[4:]})
    # A gradient that is where a copy goes is read before.
    given = np.ones(8, np.uint16)
    opt = gs.SGD({"a": params["a"]}, lr=1.0, copy_to={"a": given.view(ml_dtypes.bfloat16)})
    given[...] = 0x3F80
    opt.step({"a": given.view(ml_dtypes.bfloat16)})
    assert np.array_equal(params["a"], np.full(8, -1, np.float32))
