"""`apply_gradients` has the bits of `step` on a copy, and nothing that is given is changed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state, digest
from drawings import OPTIMIZERS
from refusals import refuses
from settings import OPTIONS, known
from trees import STRUCTURES, copied, leaves, like, mapped, normal

STEPS = 4


def assert_shapes_agree(name: str, options: dict[str, Any], params: Any) -> None:
    """Some steps of two optimizers, one in place and one that makes new arrays."""
    options = {"lr": 0.1} | options
    inside = copied(params)
    opt, pure = OPTIMIZERS[name](inside, **options), OPTIMIZERS[name](**options)
    now = params
    for t in range(STEPS):
        grads = like(params, t)
        before = digest([*leaves(now), *leaves(grads)])
        new = pure.apply_gradients(grads, now)
        assert digest([*leaves(now), *leaves(grads)]) == before, "nothing given is changed"
        opt.step(grads)
        for got, want, old in zip(leaves(new), leaves(inside), leaves(now), strict=True):
            assert_same_bits(got, want, f"{name} {options}: after step {t}, a parameter")
            assert got.strides == want.strides
            assert not np.shares_memory(got, old)
        assert_same_state(pure.state, opt.state)
        assert (pure.step_count, pure.counts, pure.scalars) == (opt.step_count, opt.counts, opt.scalars)
        assert (pure.grad_norm, pure.update_norm, pure.param_norm) == (
            opt.grad_norm,
            opt.update_norm,
            opt.param_norm,
        )
        now = new


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_every_rule(name: str, option: str) -> None:
    assert_shapes_agree(name, known(name, OPTIONS[option]), STRUCTURES["dict"]())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure(name: str, structure: str) -> None:
    assert_shapes_agree(name, {"clip_norm": 1.0}, STRUCTURES[structure]())


@pytest.mark.parametrize("structure", STRUCTURES)
def test_what_is_returned_has_the_structure_and_the_memory_order_of_what_was_given(structure: str) -> None:
    params = STRUCTURES[structure]()
    new = gs.Adam().apply_gradients(like(params, 0), params)
    difference = gs.Adam().updates(like(params, 0), params)
    for made in (new, difference):
        mapped(lambda got, want: assert_like(got, want), made, params)
        assert type(made) is type(params)


def assert_like(got: Any, want: Any) -> None:
    assert type(got) is np.ndarray
    assert (got.dtype, got.shape, got.flags.writeable) == (want.dtype, want.shape, True)
    assert got.flags.f_contiguous == want.flags.f_contiguous


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("shape", ["apply_gradients", "updates"])
def test_parameters_that_cannot_be_written_to_will_do(shape: str, bound: bool) -> None:
    """Read-only ones, every second element, reversed, of an odd address: all are only read."""
    base = normal(1, 4, 6)
    read_only = base.copy()
    read_only.flags.writeable = False
    odd = np.frombuffer(b"x" + base.tobytes(), np.float64, offset=1).reshape(4, 6)
    wide = np.zeros((4, 12))
    wide[:, ::2] = base
    grads = normal(2, 4, 6)
    (want,) = make(shape, bound, [base], [grads])
    variants = {
        "read-only": read_only,
        "strided": wide[:, ::2],
        "reversed": base[::-1].copy()[::-1],
        "odd": odd,
    }
    for params in variants.values():
        (got,) = make(shape, bound, [params], [grads])
        assert_same_bits(got, want, "what is made")


def make(shape: str, bound: bool, params: Any, grads: Any) -> Any:
    opt: Any = gs.AdamW([normal(3, 4, 6)] if bound else None, lr=0.1, weight_decay=0.1)
    return getattr(opt, shape)(grads, params)


def test_the_same_array_may_be_given_twice() -> None:
    w, g = normal(1, 3), normal(2, 3)
    a, b = gs.SGD(lr=0.5).apply_gradients([g, g], [w, w])
    assert_same_bits(a, w - 0.5 * g, "a")
    assert_same_bits(b, a, "b")
    assert not np.shares_memory(a, b)


def test_parameters_may_be_their_own_gradient_or_the_optimizers_own_arrays() -> None:
    w = normal(1, 5)
    opt: Any = gs.SGD(w, lr=0.25)
    before = w.copy()
    new = opt.apply_gradients(w, w)
    assert_same_bits(new, before - 0.25 * before, "new")
    assert_same_bits(w, before, "w")
    from_state = gs.SGD(w, lr=0.25, momentum=0.5)
    from_state.step(w)
    buffer = from_state.state["0"]["momentum_buffer"]
    expected = buffer.copy() - 0.25 * (0.5 * buffer + before)
    assert_same_bits(from_state.apply_gradients(before, buffer), expected, "from the state")


def test_where_a_step_changes_nothing_copies_and_zeros_are_returned() -> None:
    params = {"w": normal(1, 3), "b": normal(2, 2)}
    waiting = gs.Adam(accumulate=2)
    new = waiting.apply_gradients(like(params, 0), params)
    for got, want in zip(leaves(new), leaves(params), strict=True):
        assert_same_bits(got, want, "a copy")
        assert not np.shares_memory(got, want)
    skipping = gs.Adam(nonfinite="skip")
    bad = {"w": np.full(3, np.nan), "b": np.zeros(2)}
    for got in leaves(skipping.updates(bad, params)):
        assert_same_bits(got, np.zeros_like(got), "no update")
    assert (skipping.skipped, skipping.step_count) == (1, 0)


BAD: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "shape": (
        {"w": np.ones(3), "b": np.ones(3)},
        {"w": np.ones(3), "b": np.ones(2)},
        ValueError,
        "params['b'] has shape (3,), but had (2,) at first",
    ),
    "dtype": (
        {"w": np.ones(3), "b": np.ones(2, np.float32)},
        {"w": np.ones(3), "b": np.ones(2)},
        TypeError,
        "params['b'] has dtype float32, but had float64 at first",
    ),
    "key": (
        {"w": np.ones(3)},
        {"w": np.ones(3), "b": np.ones(2)},
        ValueError,
        "params has no 'b', but had it at first",
    ),
    "more": (
        {"w": np.ones(3), "b": np.ones(2), "c": np.ones(1)},
        {"w": np.ones(3), "b": np.ones(2)},
        ValueError,
        "params has 'c', but had not at first",
    ),
    "a list": (
        {"w": [1.0, 2.0, 3.0], "b": np.ones(2)},
        {"w": np.ones(3), "b": np.ones(2)},
        TypeError,
        "params['w'] is a list, not an ndarray",
    ),
    "masked": (
        {"w": np.ma.masked_array(np.ones(3)), "b": np.ones(2)},
        {"w": np.ones(3), "b": np.ones(2)},
        TypeError,
        "params['w'] is a masked array; its mask would be ignored",
    ),
    "gradient": (
        {"w": np.ones(3), "b": np.ones(2)},
        {"w": np.ones(3), "b": np.ones((2, 1))},
        ValueError,
        "grads['b'] has shape (2, 1), but params['b'] has shape (2,)",
    ),
}


@pytest.mark.parametrize("bound", [False, True])
@pytest.mark.parametrize("shape", ["apply_gradients", "updates"])
@pytest.mark.parametrize(("params", "grads", "error", "message"), BAD.values(), ids=BAD)
def test_what_is_not_like_the_parameters_is_refused_and_nothing_changes(
    params: Any, grads: Any, error: type[Exception], message: str, shape: str, bound: bool
) -> None:
    opt: Any = gs.Adam(lr=0.1)
    mine = {"w": np.zeros(3), "b": np.zeros(2)}
    if bound:
        opt.bind(mine)
    else:
        opt.apply_gradients(like(mine, 0), mine)
    before = digest([*leaves(mine), *(array for slots in opt.state.values() for array in slots.values())])
    count = opt.step_count
    with refuses(error, message):
        getattr(opt, shape)(grads, params)
    assert opt.step_count == count
    assert digest([*leaves(mine), *(a for slots in opt.state.values() for a in slots.values())]) == before


def test_every_shape_takes_loss_and_scale() -> None:
    for shape in ("step", "apply_gradients", "updates"):
        assert {"loss", "scale"} < set(inspect.signature(getattr(gs.Adam, shape)).parameters)
    params = normal(1, 4)
    rate = gs.feedback.LossScaled(gs.schedules.Constant(0.1), beta=1.0)
    opt: Any = gs.SGD(params.copy(), lr=rate)
    new = opt.apply_gradients(np.full(4, 8.0), params, loss=1.0, scale=0.125)
    assert_same_bits(new, params - 0.05, "with half the rate")
    assert opt.feedback_state[0]["loss"] == 1.0
