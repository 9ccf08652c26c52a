"""What `state` gives: the optimizer's own arrays, in mappings that are read, copied, sent, not changed."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import Array, assert_same_bits, assert_same_state
from refusals import refuses


def made() -> Any:
    opt = gs.Adam({"w": np.ones((2, 3)), "b": np.ones(3, np.float32)}, lr=0.5)
    opt.step({"w": np.ones((2, 3)), "b": np.ones(3)})
    return opt


def replace(opt: Any) -> None:
    opt.state = {}


def replace_slots(opt: Any) -> None:
    opt.state["w"] = {}


def replace_slot(opt: Any) -> None:
    opt.state["w"]["exp_avg"] = np.zeros((2, 3))


def delete_slots(opt: Any) -> None:
    del opt.state["w"]


def delete_slot(opt: Any) -> None:
    del opt.state["w"]["exp_avg"]


REFUSED: list[tuple[Callable[[Any], None], str]] = [
    (replace, "state cannot be replaced, only written into: state[name][slot][...] = value"),
    (replace_slots, "state['w'] cannot be replaced, only written into: state['w'][slot][...] = value"),
    (
        replace_slot,
        "state['w']['exp_avg'] cannot be replaced, only written into: state['w']['exp_avg'][...] = value",
    ),
    (delete_slots, "state['w'] cannot be deleted: the optimizer needs it"),
    (delete_slot, "state['w']['exp_avg'] cannot be deleted: the optimizer needs it"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_what_cannot_be_changed_says_what_to_write(change: Callable[[Any], None], message: str) -> None:
    opt = made()
    before = copy.deepcopy(opt.state)
    with refuses(TypeError, message):
        change(opt)
    assert_same_state(opt.state, before)


def test_what_the_message_says_works() -> None:
    opt = made()
    opt.state["w"]["exp_avg"][...] = 7.0
    assert (opt.state["w"]["exp_avg"] == 7.0).all()


TWINS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_pickles_and_copies_are_plain_dicts_of_their_own(twin: Callable[[Any], Any]) -> None:
    opt = made()
    state, slots = twin(opt.state), twin(opt.state["w"])
    assert type(state) is type(state["w"]) is type(slots) is dict
    assert_same_state(state, opt.state)
    assert_same_state({"w": slots}, {"w": opt.state["w"]})
    for found in (state["w"], slots):
        for slot, array in found.items():
            assert not np.shares_memory(array, opt.state["w"][slot])
    opt.step({"w": np.zeros((2, 3)), "b": np.zeros(3)})
    assert not np.array_equal(state["w"]["exp_avg"], opt.state["w"]["exp_avg"])


def test_a_shallow_copy_is_a_plain_dict_of_the_arrays_themselves() -> None:
    opt = made()
    state, slots = copy.copy(opt.state), copy.copy(opt.state["w"])
    assert type(state) is type(slots) is dict
    assert slots["exp_avg"] is state["w"]["exp_avg"] is opt.state["w"]["exp_avg"]


def test_they_are_mappings() -> None:
    state = made().state
    assert isinstance(state, Mapping)
    assert isinstance(state["w"], Mapping)
    assert (len(state), list(state), "b" in state, "c" in state) == (2, ["w", "b"], True, False)
    assert (len(state["b"]), list(state["b"])) == (2, ["exp_avg", "exp_avg_sq"])
    assert repr(state["b"]) == repr(dict(state["b"]))
    assert repr(state) == repr({name: dict(slots) for name, slots in state.items()})
    with pytest.raises(KeyError):
        state["c"]


class Liar(np.ndarray[Any, Any]):
    """Answers every function of NumPy with something else."""

    def __array_function__(self, *_: Any) -> Any:
        return "no array"

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        return "no array"

    def __array_finalize__(self, obj: Any) -> None:
        if isinstance(obj, Liar):
            raise AssertionError("nobody asked for another one")


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_subclass_does_not_decide_what_its_state_is(order: Any) -> None:
    random = np.random.default_rng(1)
    plain = {"p": np.asarray(random.normal(size=(4, 6)), order=order)}
    params: dict[str, Array] = {"p": plain["p"].copy(order="K").view(Liar)}
    g = random.normal(size=(6, 4)).T
    for kind in (gs.Adagrad, gs.DoG, gs.Adam):
        options: dict[str, Any] = {"initial_accumulator_value": 0.5} if kind is gs.Adagrad else {}
        opt, want = kind(params, lr=0.5, **options), kind(plain, lr=0.5, **options)
        for slots, wanted in ((opt.state["p"], want.state["p"]),):
            for slot, array in slots.items():
                assert type(array) is np.ndarray
                assert array.strides == wanted[slot].strides
        opt.step({"p": g.astype(np.float16)})
        want.step({"p": g.astype(np.float16)})
        assert_same_state(opt.state, want.state)
        assert_same_bits(params["p"].view(np.ndarray), plain["p"], kind.__name__)
