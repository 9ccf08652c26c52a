"""Structures that change while they are taken apart: by their own keys and values, or by another thread."""

import threading
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses


def test_a_key_that_changes_its_dict() -> None:
    params: dict[Any, np.ndarray] = {}

    class Key:
        def __str__(self) -> str:
            params["late"] = np.zeros(2)
            return "w"

    params[Key()] = np.ones(3)
    opt = gs.SGD(params, lr=0.5)
    assert list(opt.state) == ["w"]
    with refuses(ValueError, "params has no 'late', but grads has it"):
        opt.step(params)
    opt.step({key: np.ones(3) for key in params if key != "late"})
    assert [array.tolist() for array in params.values()] == [[0.5] * 3, [0.0] * 2]


@pytest.mark.parametrize("name", ["weights", "ξη"])
def test_a_name_that_was_made_anew_is_the_same_name(name: str) -> None:
    params = {name: np.ones(3), "b": np.ones(3)}
    anew = "".join([name, "b"])[:-1]
    opt = gs.SGD(params, lr=0.5)
    opt.step({anew: np.full(3, 1.0), "b": np.full(3, 2.0)})
    opt.step({"b": np.full(3, 2.0), anew: np.full(3, 1.0)})
    assert [array.tolist() for array in params.values()] == [[0.0] * 3, [-1.0] * 3]
    with refuses(ValueError, "grads has no 'b', but params has it"):
        opt.step({anew: np.ones(3), "c": np.ones(3)})


def test_a_key_that_changes_an_array_when_it_is_compared() -> None:
    params = {"w": np.ones((2, 3))}
    gradient = np.ones((2, 3))

    class Name(str):
        def __eq__(self, other: object) -> bool:
            gradient.resize(1, refcheck=False)
            return str(self) == other

        __hash__ = str.__hash__

    opt = gs.SGD(params, lr=0.5)
    with refuses(ValueError, "grads['w'] has shape (1,), but params['w'] has shape (2, 3)"):
        opt.step({Name("w"): gradient})
    assert (params["w"] == 1.0).all()


def test_a_value_that_takes_the_params_out_of_its_group() -> None:
    array = np.ones(3)
    group: dict[str, Any] = {"params": array}

    class Rate:
        def __float__(self) -> float:
            del group["params"]
            return 0.5

    group["lr"] = Rate()
    opt = gs.SGD([group], lr=0.1)
    with refuses(ValueError, "params[0] no longer has the key 'params'"):
        opt.step([np.ones(3)])
    group["params"] = array
    opt.step([np.ones(3)])
    assert array.tolist() == [0.5] * 3


def test_an_array_that_changes_when_asked_for_its_class() -> None:
    class Restless(np.ndarray):
        @property
        def __class__(self) -> Any:
            raise AssertionError("its memory layout has been read already")

        @__class__.setter
        def __class__(self, value: Any) -> None: ...

    params = np.ones((2, 3))
    gs.SGD(params, lr=0.5).step(np.ones((2, 3)).view(Restless))
    assert (params == 0.5).all()


def test_a_dict_that_another_thread_changes() -> None:
    params = {str(i): np.zeros(1) for i in range(50)}
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            params["late"] = np.zeros(1)
            del params["late"]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        names = {tuple(gs.SGD(params, lr=0.1).state) for _ in range(500)}
    finally:
        done.set()
        thread.join()
    always = tuple(str(i) for i in range(50))
    assert names <= {always, (*always, "late")}


def test_a_gradient_whose_memory_goes_away_during_the_step() -> None:
    p, g = np.ones(1000), np.ones(1000)

    def rate(t: int) -> float:
        if t == 1:
            g.resize(10, refcheck=False)
        return 0.5

    opt = gs.SGD({"w": p}, lr=gs.schedules.Lambda(rate))
    opt.step({"w": g})
    with pytest.raises(ValueError, match=r"grads\['w'\] has changed during the step"):
        opt.step({"w": g})
    assert (p == 0.5).all()
    assert opt.step_count == 1


class Loss:
    """A number that takes an array's memory away when it is read."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __float__(self) -> float:
        self.array.resize(10, refcheck=False)
        return 1.0


def test_a_gradient_whose_memory_goes_away_before_the_norm() -> None:
    p, g = np.ones(1000), np.ones(1000)
    opt = gs.SGD(p, clip_norm=1.0)
    with pytest.raises(ValueError, match="grads has changed during the step"):
        opt.step(g, loss=Loss(g))
    assert (p == 1.0).all()


class Liar(np.ndarray[Any, Any]):
    """Answers np.empty_like with something else."""

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return (
            "no array"
            if function is np.empty_like
            else super().__array_function__(function, types, args, kwargs)
        )


def test_a_subclass_does_not_decide_what_a_gradient_is_copied_to() -> None:
    p = np.ones((4, 6)).view(Liar)
    gs.SGD(p, lr=1.0).step(np.arange(24.0).reshape(6, 4).T)
    assert (np.asarray(p) == 1 - np.arange(24.0).reshape(6, 4).T).all()


def test_an_empty_key_is_a_name_like_any_other() -> None:
    with pytest.raises(ValueError, match=r"two arrays are named params\['0'\]"):
        gs.SGD({"": np.ones(2), "0": np.ones(2)})


def test_a_list_is_what_it_holds_and_not_what_it_says() -> None:
    class Boastful(list[Any]):
        def __len__(self) -> int:
            return 2**40

        def __getitem__(self, place: Any) -> Any:
            raise AssertionError("only the list itself is asked")

    w = np.ones(2)
    gs.SGD(Boastful([w]), lr=0.5).step(Boastful([np.ones(2)]))
    assert w.tolist() == [0.5, 0.5]
