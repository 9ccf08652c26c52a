"""Optimizers that are made without parameters, and `bind`, which gives them some, or others."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits, assert_same_state, digest
from drawings import OPTIMIZERS
from refusals import refuses
from trees import STRUCTURES, copied, leaves, like, mapped, normal

WITHOUT = (
    "this optimizer has no parameters of its own as yet: give it some with bind(params), or update others "
    "with apply_gradients(grads, params)"
)


def all_bits(opt: gs.Optimizer) -> str:
    state = [array for slots in opt.state.values() for array in slots.values()]
    return digest([*leaves(opt.params), *state])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_bound_first_it_is_as_if_made_with_them(name: str, structure: str) -> None:
    late, early = STRUCTURES[structure](), STRUCTURES[structure]()
    opt = OPTIMIZERS[name](lr=0.1, clip_norm=1.0)
    opt.bind(late)
    want = OPTIMIZERS[name](early, lr=0.1, clip_norm=1.0)
    assert repr(opt) == repr(want)
    for t in range(3):
        grads = like(late, t)
        assert opt.step(grads) == want.step(grads)
    for a, b in zip(leaves(late), leaves(early), strict=True):
        assert_same_bits(a, b, "a parameter")
    assert_same_state(opt.state, want.state)


def entered(opt: Any) -> None:
    with opt.swap_averaged():
        pass


USES: list[Any] = [
    lambda opt: opt.step(np.ones(2)),
    lambda opt: opt.params,
    lambda opt: opt.state,
    lambda opt: opt.counts,
    lambda opt: opt.frozen,
    lambda opt: opt.freeze("*"),
    lambda opt: opt.scalars,
    lambda opt: opt.averaged,
    entered,
    lambda opt: opt.observe(1.0),
    lambda opt: opt.feedback_state,
]


@pytest.mark.parametrize("use", USES)
def test_without_parameters_what_needs_them_says_so(use: Any) -> None:
    with refuses(ValueError, WITHOUT):
        use(gs.Adam(lr=1e-3, ema=0.9))


def test_without_parameters_the_rest_works() -> None:
    opt: Any = gs.Adam(lr=gs.schedules.Linear(1.0, 0.0, 10))
    assert repr(opt).endswith(": 0 arrays, 0 elements, step 0>")
    assert (opt.lr, opt.step_count, opt.micro_step, opt.skipped, opt.grad_norm) == (1.0, 0, 0, 0, None)
    opt.lr, opt.beta1, opt.clip_norm, opt.step_count = 0.5, 0.8, 1.0, 7
    w = np.zeros(2)
    opt.bind(w)
    assert (opt.lr, opt.beta1, opt.clip_norm, opt.step_count) == (0.5, 0.8, 1.0, 7)
    assert opt.counts == {"0": 7}


def test_after_apply_gradients_there_are_still_no_parameters_of_its_own() -> None:
    w, g = normal(1, 3), normal(2, 3)
    opt: Any = gs.Adam(lr=0.1, ema=0.9)
    new = opt.apply_gradients(g, w)
    for use in (lambda: opt.step(g), lambda: opt.params, lambda: entered(opt)):
        with refuses(ValueError, WITHOUT):
            use()
    assert_same_bits(opt.averaged, opt.state["0"]["ema"], "the average")
    opt.bind(new)
    assert opt.params is new
    other = gs.Adam(lr=0.1, ema=0.9)
    want = other.apply_gradients(g, other.apply_gradients(g, w))
    opt.step(g)
    assert_same_bits(new, want, "bound between two steps")


def test_a_first_call_that_is_refused_leaves_nothing_behind() -> None:
    opt: Any = gs.Adam(lr=0.1)
    with refuses(ValueError, "grads has shape (3,), but params has shape (2,)"):
        opt.apply_gradients(np.ones(3), np.ones(2))
    with refuses(TypeError, "params has dtype int64, not float32, float64, complex64 or complex128"):
        opt.apply_gradients(np.ones(3), np.arange(3))
    with refuses(ValueError, WITHOUT):
        _ = opt.state
    assert opt.step_count == 0
    opt.bind({"w": np.ones(4)})
    assert list(opt.state) == ["w"]


def other_orders(array: Any) -> Any:
    """The same values in the other memory order."""
    return np.asarray(array, order="C" if array.flags.f_contiguous else "F").copy(order="K")


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("structure", ["lone", "nested", "float32", "orders", "complex", "empty"])
def test_bound_to_copies_the_run_goes_on_bit_for_bit(name: str, structure: str) -> None:
    assert_goes_on(name, structure, lambda a: a.copy(order="K"), clip_norm=1.0)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
@pytest.mark.parametrize("structure", ["lone", "nested", "float32", "orders", "complex", "empty"])
def test_bound_to_arrays_of_another_order_too(name: str, structure: str) -> None:
    """Where no norm is taken: those are summed in the order of the memory."""
    assert_goes_on(name, structure, other_orders)


def assert_goes_on(name: str, structure: str, change: Any, **options: Any) -> None:
    options |= {"lr": 0.1, "ema": 0.9}
    first, whole = STRUCTURES[structure](), STRUCTURES[structure]()
    opt, want = OPTIMIZERS[name](first, **options), OPTIMIZERS[name](whole, **options)
    for t in range(2):
        opt.step(like(first, t))
        want.step(like(whole, t))
    second = mapped(change, first)
    before = digest(leaves(first))
    opt.bind(second)
    assert_same_state(opt.state, want.state, "after bind,")
    assert (opt.step_count, opt.counts, opt.scalars) == (want.step_count, want.counts, want.scalars)
    for t in range(2, 4):
        opt.step(like(first, t))
        want.step(like(whole, t))
    assert digest(leaves(first)) == before, "the arrays before are no longer updated"
    for a, b in zip(leaves(second), leaves(whole), strict=True):
        assert_same_bits(a, b, "a parameter")
    assert_same_state(opt.state, want.state)


def test_what_waits_what_is_frozen_and_feedback_stay() -> None:
    rate = gs.feedback.LossScaled(gs.schedules.Constant(0.5), beta=1.0)
    w = {"a": normal(1, 4, 3), "b": normal(2, 2), "c": normal(3, 2)}
    whole = copied(w)

    def made(params: Any) -> gs.Optimizer:
        return gs.SGD(params, lr=rate.clip(0.0, 1.0), momentum=0.5, accumulate=2)

    opt, want = made(w), made(whole)
    for one in (opt, want):
        one.freeze("c")
        one.step({"a": normal(4, 4, 3), "b": None, "c": normal(6, 2)}, loss=1.0)
        one.step({"a": normal(4, 4, 3), "b": None, "c": normal(6, 2)}, loss=1.0)
        one.step({"a": normal(5, 4, 3), "b": normal(7, 2), "c": normal(6, 2)}, loss=3.0)
    now = mapped(other_orders, w)
    opt.bind(now)
    assert (opt.micro_step, opt.frozen, opt.counts) == (1, ("c",), {"a": 1, "b": 0, "c": 0})
    assert opt.feedback_state == want.feedback_state
    for one in (opt, want):
        assert one.step({"a": normal(8, 4, 3), "b": None, "c": normal(6, 2)}, loss=1.0)
    for a, b in zip(leaves(now), leaves(whole), strict=True):
        assert_same_bits(a, b, "a parameter")


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "shape": (
        {"w": np.ones((3, 2)), "b": np.ones(2)},
        ValueError,
        "params['w'] has shape (3, 2), but had (2, 3) at first",
    ),
    "dtype": (
        {"w": np.ones((2, 3), np.float32), "b": np.ones(2)},
        TypeError,
        "params['w'] has dtype float32, but had float64 at first",
    ),
    "name": (
        {"v": np.ones((2, 3)), "b": np.ones(2)},
        ValueError,
        "params['v'] is where the optimizer has params['w']",
    ),
    "fewer": ({"w": np.ones((2, 3))}, ValueError, "params has 1 arrays, but the optimizer has 2"),
    "list": (
        [np.ones((2, 3)), np.ones(2)],
        ValueError,
        "params['0'] is where the optimizer has params['w']",
    ),
    "none": ({}, ValueError, "params holds no array"),
    "number": (
        {"w": 1.0, "b": np.ones(2)},
        TypeError,
        "params['w'] is a float; an ndarray, or a list, tuple or dict of ndarrays is wanted "
        "(np.array(0.0) for a number)",
    ),
}


@pytest.mark.parametrize(("params", "error", "message"), BAD.values(), ids=BAD)
def test_other_parameters_than_before_are_refused_and_nothing_changes(
    params: Any, error: type[Exception], message: str
) -> None:
    own = {"w": normal(1, 2, 3), "b": normal(2, 2)}
    opt: Any = gs.Adam(own, lr=0.1)
    opt.step(like(own, 0))
    before = all_bits(opt)
    with refuses(error, message):
        opt.bind(params)
    assert all_bits(opt) == before
    assert opt.params["w"] is own["w"]
    opt.step(like(own, 1))
    assert opt.step_count == 2


def test_what_cannot_be_updated_is_refused_by_bind_as_by_the_class() -> None:
    opt: Any = gs.Adam(np.zeros(3), lr=0.1)
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    with refuses(ValueError, "params is read-only, so it cannot be updated in place"):
        opt.bind(fixed)
    shared = np.zeros(4)
    pair = gs.Adam([np.zeros(3), np.zeros(3)])
    with refuses(ValueError, "params['0'] and params['1'] share memory"):
        pair.bind([shared[:3], shared[1:]])
    with refuses(ValueError, "params['0'] and the state share memory"):
        pair.bind([pair.state["0"]["exp_avg"], np.zeros(3)])
    pair.step([np.ones(3), np.ones(3)])


def test_parameters_with_groups_are_bound_in_the_same_groups() -> None:
    def groups(a: Any, b: Any) -> Any:
        return [{"params": {"w": a}, "lr": 0.5}, {"params": [b]}]

    opt: Any = gs.SGD(groups(np.zeros(2), np.zeros(3)), lr=0.25)
    a, b = np.ones(2), np.ones(3)
    opt.bind(groups(a, b))
    opt.step([{"w": np.ones(2)}, [np.ones(3)]])
    assert_same_bits(a, np.full(2, 0.5), "a")
    assert_same_bits(b, np.full(3, 0.75), "b")
    with refuses(ValueError, "params has 1 groups, but the optimizer has 2"):
        opt.bind({"w": a})
    whole: Any = gs.SGD({"w": a}, lr=0.25)
    with refuses(ValueError, "params has 2 groups, but the optimizer has 1"):
        whole.bind(groups(a, b))


def test_inside_swap_averaged_there_is_no_binding() -> None:
    w = np.ones(2)
    opt: Any = gs.SGD(w, lr=0.5, ema=0.5)
    opt.step(np.ones(2))
    with (
        opt.swap_averaged(),
        refuses(RuntimeError, "no arrays are bound inside swap_averaged: the parameters are averages"),
    ):
        opt.bind(np.ones(2))
    assert_same_bits(w, np.full(2, 0.5), "w")
    opt.bind(np.zeros(2))


class Model:
    """A model as projects have it, without its optimizer."""

    def __init__(self) -> None:
        self.params = {"w": np.ones((2, 2)), "b": np.zeros(2)}


def test_after_unpickling_a_model_its_new_arrays_are_bound() -> None:
    model, whole = Model(), Model()
    opt, want = gs.Adam(model.params, lr=0.1), gs.Adam(whole.params, lr=0.1)
    opt.step(like(model.params, 0))
    want.step(like(whole.params, 0))
    model = pickle.loads(pickle.dumps(model))
    opt.bind(model.params)
    opt.step(like(model.params, 1))
    want.step(like(whole.params, 1))
    for key, array in model.params.items():
        assert_same_bits(array, whole.params[key], key)


def test_arrays_that_were_replaced_in_the_dict_are_bound_again() -> None:
    """What the error of a rebound parameter asks for."""
    params = {"w": np.ones(2)}
    opt: Any = gs.SGD(params, lr=0.5)
    params["w"] = params["w"] * 2
    with pytest.raises(ValueError, match=r"bind\(params\)"):
        opt.step({"w": np.ones(2)})
    opt.bind(params)
    assert opt.step({"w": np.ones(2)})
    assert_same_bits(params["w"], np.full(2, 1.5), "w")
