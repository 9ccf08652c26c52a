"""`updates` gives what is to be added to the parameters, to get where `step` gets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state, digest
from drawings import OPTIMIZERS
from refusals import refuses
from settings import OPTIONS, known
from trees import copied, leaves, like, mapped, normal

STEPS = 4


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_sum_with_the_updates_is_the_step_to_within_one_rounding(
    name: str, option: str, dtype: Any
) -> None:
    options = {"lr": 0.1} | known(name, OPTIONS[option])
    params: Any = {"w": normal(1, 30, 3, dtype=dtype), "b": normal(2, dtype=dtype)}
    now, opt, apart = copied(params), OPTIMIZERS[name](**options), OPTIMIZERS[name](**options)
    for t in range(STEPS):
        grads = like(params, t)
        before = digest(leaves(now))
        difference = apart.updates(grads, now)
        assert digest(leaves(now)) == before
        new = opt.apply_gradients(grads, now)
        for p, d, want in zip(leaves(now), leaves(difference), leaves(new), strict=True):
            error = np.abs(p.astype(np.longdouble) + d - want)
            # The sum is exact, or the difference is rounded once, and then the sum.
            allowed = np.spacing(np.abs(d)) / 2
            assert np.all((error <= allowed) | (p + d == want)), f"{name} {options}: off by {error.max()}"
            assert np.all(np.abs(p + d - want) <= np.spacing(np.maximum(np.abs(want), np.abs(p))))
        assert_same_state(apart.state, opt.state)
        assert apart.counts == opt.counts
        now = new


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
@pytest.mark.parametrize("option", ["none", "clip_norm", "clip_value", "accumulate", "maximize", "schedule"])
def test_updates_that_need_no_parameters_add_up_to_exactly_the_step(name: str, option: str) -> None:
    options = {"lr": 0.1, **OPTIONS[option]}
    params = {"w": normal(1, 30, 3), "b": normal(2)}
    opt, apart = OPTIMIZERS[name](copied(params), **options), OPTIMIZERS[name](**options)
    for t in range(STEPS):
        grads = like(params, t)
        want = mapped(lambda p, d: p + d, copied(opt.params), apart.updates(grads))
        opt.step(grads)
        for got, inside in zip(leaves(want), leaves(opt.params), strict=True):
            assert_same_bits(np.asarray(got), inside, f"{name} {options}, step {t}")


def test_updates_of_a_bound_optimizer_read_its_own_parameters() -> None:
    w = normal(1, 6)
    opt, other = gs.AdamW(w, lr=0.1, weight_decay=0.5), gs.AdamW(lr=0.1, weight_decay=0.5)
    g = normal(2, 6)
    before = w.copy()
    assert_same_bits(opt.updates(g), other.updates(g, w), "updates")
    assert_same_bits(w, before, "w")


def test_gradients_that_are_only_read_tell_what_the_parameters_are_like() -> None:
    """Without parameters the first gradients do: those of other libraries are read-only, or views."""
    g = np.broadcast_to(np.float64(2.0), (3, 4))
    (got,) = gs.SGD(lr=0.5).updates([g])
    assert_same_bits(got, np.full((3, 4), -1.0), "the update")
    read_only = normal(1, 5)
    read_only.flags.writeable = False
    assert_same_bits(gs.SGD(lr=0.5).updates(read_only), -0.5 * read_only, "the update")


NEED = "updates needs params: the rule, weight_decay, l1, bounds, ema or measure depends on their values"
STARTS = "updates needs params, because the state starts from them"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gs.AdamW(), NEED),
        (lambda: gs.SGD(weight_decay=0.1), NEED),
        (lambda: gs.SGD(l1=0.1), NEED),
        (lambda: gs.SGD(bounds=(0.0, None)), NEED),
        (lambda: gs.LAMB(), NEED),
        (lambda: gs.SGD(measure=True), NEED),
        (lambda: gs.SGD(ema=0.9), STARTS),
        (lambda: gs.DoG(), STARTS),
    ],
)
def test_updates_that_depend_on_the_parameters_say_so(make: Any, message: str) -> None:
    opt = make()
    with refuses(ValueError, message):
        opt.updates([np.ones(2)])
    assert opt.step_count == 0
    opt.updates([np.ones(2)], [np.ones(2)])


@pytest.mark.parametrize(
    ("grads", "error", "message"),
    [
        (
            {"w": None},
            TypeError,
            "grads['w'] is None; an ndarray, or a list, tuple or dict of ndarrays is wanted",
        ),
        (
            np.ones(2, np.float16),
            TypeError,
            "grads has dtype float16, not float32, float64, complex64 or complex128",
        ),
        ([], ValueError, "grads holds no array"),
    ],
)
def test_where_gradients_tell_what_the_parameters_are_like_errors_are_about_them(
    grads: Any, error: type[Exception], message: str
) -> None:
    with refuses(error, message):
        gs.SGD(lr=0.5).updates(grads)
