"""EarlyStopping with parameters: what it takes, keeps and restores, and that it is all or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses


def leaves(params: Any) -> list[Any]:
    if isinstance(params, np.ndarray):
        return [params]
    items = params.values() if isinstance(params, dict) else params
    return [leaf for item in items if not isinstance(item, float) for leaf in leaves(item)]


def itself() -> list[Any]:
    params: list[Any] = [np.ones(1)]
    params.append(params)
    return params


def read_only() -> Any:
    array = np.ones(3)
    array.flags.writeable = False
    return array


def overlapping() -> Any:
    array = np.ones(4)
    return {"a": array[:3], "b": array[1:]}


STRUCTURES: dict[str, Callable[[], Any]] = {
    "array": lambda: np.ones(2),
    "0-d": lambda: np.array(1.0),
    "empty": lambda: np.ones((0, 3)),
    "list": lambda: [np.ones(2), np.ones((2, 3), order="F")],
    "nested": lambda: {"fc": (np.ones(2), {"b": np.ones(1, np.float32)}), 3: [np.ones(1)]},
    "dict with params": lambda: {"params": {"w": np.ones(2)}, "model": {"params": [np.ones(3)]}},
    "deep params": lambda: {"layers": [{"params": np.ones(2)}, {"params": np.ones(2)}]},
    "groups": lambda: ({"params": np.ones(2), "lr": 0.1}, {"params": {"w": np.ones(3)}}),
    "half groups": lambda: [{"params": np.ones(2)}, {"w": np.ones(3)}],
    "mapping": lambda: MappingProxyType({"w": np.ones(2)}),
    "mapping within": lambda: {"fc": MappingProxyType({"w": np.ones(2)})},
    "number": lambda: {"fc": [np.ones(1), 3.0]},
    "None": lambda: {"fc": {"w": np.ones(1), "b": None}},
    "generator": lambda: (np.ones(1) for _ in range(2)),
    "set": lambda: {1, 2},
    "nothing": list,
    "nothing within": lambda: {"fc": {}},
    "itself": itself,
    "read-only": lambda: {"fc1": {"w": np.ones(1)}, "fc2": {"w": read_only()}},
    "read-only in a group": lambda: [{"params": {"w": read_only()}}],
    "integers": lambda: {"w": np.ones(2, int)},
    "half": lambda: np.ones(2, np.float16),
    "byte order": lambda: np.ones(2, np.dtype(float).newbyteorder()),
    "masked": lambda: [np.ma.masked_array([1.0, 2.0], [False, True])],
    "not dense": lambda: {"w": np.ones(4)[::2]},
    "not aligned": lambda: {"w": np.ones(17, np.uint8)[1:].view(float)},
    "overlapping": overlapping,
    "twice the name": lambda: {"a.b": np.ones(1), "a": {"b": np.ones(1)}},
}


def verdict(take: Callable[[], object], root: str) -> tuple[type[Exception], str] | None:
    try:
        take()
    except (TypeError, ValueError) as error:
        return type(error), re.sub(rf"^{root}|(?<=named ){root}|(?<= and ){root}", "...", str(error))
    return None


@pytest.mark.parametrize("make", STRUCTURES.values(), ids=STRUCTURES)
def test_takes_what_an_optimizer_takes_and_says_the_same_of_all_else(make: Callable[[], Any]) -> None:
    params = make()
    expected = verdict(lambda: gs.Adam(params), "params")
    assert verdict(lambda: gs.EarlyStopping(1, restore=params), "restore") == expected


@pytest.mark.parametrize("name", ["mapping", "half groups", "None", "masked", "overlapping"])
def test_some_structures_are_refused(name: str) -> None:
    with pytest.raises((TypeError, ValueError), match="restore"):
        gs.EarlyStopping(1, restore=STRUCTURES[name]())


def test_groups_of_any_rule() -> None:
    params = [{"params": np.ones(2), "beta1": 0.8}, {"params": {"w": np.ones(3)}, "alpha": 0.5}]
    stopping = gs.EarlyStopping(1, restore=params)
    stopping.update(1.0)
    for array in leaves([group["params"] for group in params]):
        array += 1
    stopping.restore()
    assert [array.tolist() for array in leaves([group["params"] for group in params])] == [[1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(3.0),
        lambda: np.arange(3.0, dtype=np.float32),
        lambda: np.array(0.0),
        lambda: [np.zeros(2), (np.zeros((2, 3), order="F"), np.zeros(0))],
        lambda: {"fc": {"w": np.zeros((2, 3)), "b": np.zeros(3)}, "head": [np.zeros((2, 3)).T]},
        lambda: [{"params": {"w": np.zeros(2)}, "lr": 0.1}, {"params": [np.zeros(3)], "lr": 0.2}],
    ],
    ids=["array", "float32", "0-d", "nested", "dict", "groups"],
)
def test_restores_the_best_parameters_in_place(make: Callable[[], Any]) -> None:
    params = make()
    arrays = leaves(params)
    stopping = gs.EarlyStopping(2, restore=params)
    seen = []
    for value in [float("nan"), 3.0, 1.0, 2.0, 2.0]:
        for array in arrays:
            array += 1
        seen.append([array.copy() for array in arrays])
        stopping.update(value)
    stopping.restore()
    for array, best in zip(arrays, seen[2], strict=True):
        assert array.tobytes() == best.tobytes()
        assert array.dtype == best.dtype
    # What is kept is a copy, which no later step changes.
    for array in arrays:
        array += 100
    stopping.restore()
    for array, best in zip(arrays, seen[2], strict=True):
        assert array.tobytes() == best.tobytes()


def made_read_only(array: Any) -> None:
    array.flags.writeable = False


def resized(array: Any) -> None:
    array.resize(5, refcheck=False)


def reshaped(array: Any) -> None:
    array.shape = (1, 2)


def retyped(array: Any) -> None:
    array.dtype = np.int64


CHANGES: dict[Callable[[Any], None], str] = {
    made_read_only: "restore['b'] is read-only, so it cannot be restored",
    resized: "restore['b'] has shape (5,), but had shape (2,) at the best value",
    reshaped: "restore['b'] has shape (1, 2), but had shape (2,) at the best value",
    retyped: "restore['b'] has dtype int64, but had dtype float64 at the best value",
}


@pytest.mark.filterwarnings("ignore:Setting the (shape|dtype):DeprecationWarning")
@pytest.mark.parametrize("change", CHANGES)
def test_restoring_is_all_or_nothing(change: Callable[[Any], None]) -> None:
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    stopping = gs.EarlyStopping(1, restore=params)
    stopping.update(1.0)
    for array in params.values():
        array += 1
    change(params["b"])
    before = params["b"].copy()
    with refuses(ValueError, CHANGES[change]):
        stopping.restore()
    assert params["a"].tolist() == [1.0, 1.0]
    assert params["b"].tolist() == before.tolist()


def test_an_array_that_was_resized_spoils_no_copy() -> None:
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    stopping = gs.EarlyStopping(9, restore=params)
    stopping.update(1.0)
    params["a"] += 1
    params["b"].resize(5, refcheck=False)
    stopping.update(0.5)
    params["a"] += 1
    params["b"] += 7
    stopping.restore()
    assert (params["a"].tolist(), params["b"].tolist()) == ([1, 1], [0] * 5)


class OutOfMemory(np.ndarray):
    """An array for whose copy there is no room, once it is said so."""

    full = False

    def copy(self, order: Any = "C") -> Any:
        if self.full:
            raise MemoryError
        return super().copy(order)


def test_an_update_without_room_for_copies_changes_nothing() -> None:
    a, b = np.zeros(2), np.zeros(2).view(OutOfMemory)
    stopping = gs.EarlyStopping(3, restore=[a, b])
    stopping.update(1.0)
    stopping.update(2.0)
    a += 1
    b += 1
    b.full = True
    with pytest.raises(MemoryError):
        stopping.update(0.5)
    assert (stopping.best, stopping.best_step, stopping.step_count, stopping.waited) == (1.0, 0, 2, 1)
    stopping.restore()
    assert (a.tolist(), b.tolist()) == ([0, 0], [0, 0])


def test_the_parameters_of_an_optimizer() -> None:
    params = {"w": np.array([4.0])}
    opt = gs.SGD(params, lr=0.75)
    stopping = gs.EarlyStopping(2, restore=params)
    losses = []
    for _ in range(100):
        loss = float((params["w"][0] - 1.0) ** 4)
        losses.append(loss)
        if stopping.update(loss):
            break
        opt.step({"w": 4 * (params["w"] - 1.0) ** 3 / 27 * (1 if opt.step_count < 3 else 100)})
    assert len(losses) < 100
    stopping.restore()
    assert float((params["w"][0] - 1.0) ** 4) == min(losses) == stopping.best
