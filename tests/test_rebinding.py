"""A parameter that was bound to another array since is noticed at the next step."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradstep as gs
from bits import Array, digest
from refusals import refuses


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", gs.DetachedParameterWarning)
        yield


def ones(*shape: int) -> Array:
    return np.ones(shape)


def leaves(tree: Any) -> list[Array]:
    if isinstance(tree, dict):
        return leaves(list(tree.values()))
    return [leaf for item in tree for leaf in leaves(item)] if isinstance(tree, list | tuple) else [tree]


def grads(params: Any) -> Any:
    if isinstance(params, dict):
        return {key: grads(value) for key, value in params.items()}
    if isinstance(params, list | tuple):
        return [grads(value) for value in params]
    return np.ones_like(params)


def replaced(path: str) -> str:
    return (
        f"{path} was replaced by another object, as w = w - ... does; this optimizer updates the array that "
        "was there before: change it in place, w[...] = ..., or give it the new one with bind(params)"
    )


def rebind_key(params: Any) -> None:
    params["w"] = params["w"] - 0.1


def rebind_entry(params: Any) -> None:
    params[1] = params[1] - 0.1


def rebind_deep(params: Any) -> None:
    params["layers"][1]["w"] = ones(2)


CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], None], str]] = {
    "a dict": (lambda: {"b": ones(1), "w": ones(2)}, rebind_key, "params['w']"),
    "a list": (lambda: [ones(1), ones(2)], rebind_entry, "params['1']"),
    "a tree": (
        lambda: {"head": ones(1), "layers": [{"w": ones(2)}, {"w": ones(2)}]},
        rebind_deep,
        "params['layers.1.w']",
    ),
}


@pytest.mark.parametrize(("make", "rebind", "path"), CASES.values(), ids=CASES)
def test_another_array_in_its_place_is_refused_and_nothing_changes(
    make: Callable[[], Any], rebind: Callable[[Any], None], path: str
) -> None:
    params = make()
    opt = gs.Adam(params)
    before = digest(leaves(opt.params))
    rebind(params)
    with refuses(ValueError, replaced(path)):
        opt.step(grads(params))
    assert opt.step_count == 0
    assert digest(leaves(opt.params)) == before


def replaced_in_the_group(groups: list[dict[str, Any]]) -> None:
    groups[1]["params"]["w"] = ones(2)


def group_with_another_structure(groups: list[dict[str, Any]]) -> None:
    groups[1]["params"] = {"w": ones(2)}


@pytest.mark.parametrize("rebind", [replaced_in_the_group, group_with_another_structure])
def test_another_array_in_a_group_is_named_with_its_group(rebind: Callable[[Any], None]) -> None:
    groups: list[dict[str, Any]] = [{"params": [ones(1)]}, {"params": {"w": ones(2)}, "lr": 0.5}]
    opt = gs.SGD(groups, lr=0.1)
    opt.step([[ones(1)], {"w": ones(2)}])
    rebind(groups)
    with pytest.raises(ValueError, match=r"params\['1.w'\] was replaced"):
        opt.step([[ones(1)], {"w": ones(2)}])


def without_w(params: Any) -> None:
    del params["w"]


def none_in_its_place(params: Any) -> None:
    params["w"] = None


def shorter(params: Any) -> None:
    params["list"].pop()


def no_list(params: Any) -> None:
    params["list"] = {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_w, "params no longer has 'w', which the optimizer updates"),
        (none_in_its_place, replaced("params['w']")),
        (shorter, "params['list'] has 1 entries, but had 2 when the optimizer was made"),
        (no_list, "params['list'] is a dict, but was a list or tuple when the optimizer was made"),
    ],
)
def test_a_structure_that_changed_is_refused(change: Callable[[Any], None], message: str) -> None:
    params: Any = {"w": ones(2), "list": [ones(1), ones(1)]}
    opt = gs.SGD(params, lr=0.1)
    gradients = grads(params)
    change(params)
    with refuses(ValueError, message):
        opt.step(gradients)
    assert opt.step_count == 0


def test_in_place_changes_and_further_keys_are_fine() -> None:
    params: dict[str, Any] = {"b": ones(1), "w": ones(2)}
    opt = gs.SGD(params, lr=0.1)
    gradients = grads(params)
    params["w"][...] = 3.0
    params["w"] -= 1.0  # rebinds to the same array
    opt.step(gradients)
    np.testing.assert_array_equal(params["w"], [1.9, 1.9])
    params["moving average"] = 0.5
    opt.step(gradients)


def test_the_array_may_come_back() -> None:
    params = [ones(2)]
    (w,) = params
    opt = gs.SGD(params, lr=0.5)
    params[0] = w - 0.1
    with pytest.raises(ValueError, match="was replaced"):
        opt.step([ones(2)])
    params[0] = w
    opt.step([ones(2)])
    np.testing.assert_array_equal(w, 0.5)


def test_a_lone_array_that_nobody_holds_warns() -> None:
    w = ones(2)
    opt = gs.SGD(w, lr=0.1)
    gradient = ones(2)
    opt.step(gradient)
    w = w - 0.1
    with pytest.warns(gs.DetachedParameterWarning, match="nobody but the optimizer") as caught:
        opt.step(gradient)
    assert len(caught) == 1
    assert caught[0].filename == __file__, "the warning shows the line of the step"
    opt.step(gradient)  # once is enough


def test_the_warning_can_be_an_error_and_then_nothing_changed() -> None:
    opt = gs.SGD(ones(2), lr=0.1)
    with pytest.raises(gs.DetachedParameterWarning):
        opt.step(ones(2))
    assert opt.step_count == 0


def test_a_list_of_arrays_whose_list_is_gone_warns_and_one_that_is_held_does_not() -> None:
    first, second = ones(2), ones(3)
    opt = gs.SGD([first, second], lr=0.1)
    opt.step([ones(2), ones(3)])
    second = second * 0.5
    with pytest.warns(gs.DetachedParameterWarning, match=r"params\['1'\]"):
        opt.step([ones(2), ones(3)])


@pytest.mark.parametrize("keep", ["params", "view", "attribute"])
def test_who_reads_the_parameters_from_the_optimizer_is_not_warned(keep: str) -> None:
    held: list[Any] = []
    w = ones(2)
    opt = gs.SGD(w, lr=0.1)
    if keep == "params":
        held.append(opt.params)
    elif keep == "view":
        held.append(w[:1])
    else:
        held.append(type("Model", (), {"w": w})())
    del w
    gc.collect()
    for _ in range(3):
        opt.step(ones(2))


class Layer(NamedTuple):
    w: Array
    b: Array


def test_params_are_the_arrays_that_are_updated_in_the_structure_that_was_given() -> None:
    given: dict[str, Any] = {"a": [ones(1), (ones(2), ones(3))], "b": Layer(ones(2), ones(1)), "c": {}}
    opt = gs.SGD(given, lr=0.5)
    params: Any = opt.params
    assert params is not given
    assert params == given, "arrays of one element compare, and others are the same objects"
    assert isinstance(params["a"][1], tuple)
    assert isinstance(params["b"], Layer)
    assert params["b"].w is given["b"].w
    opt.step(grads(params))
    assert given["a"][0] == 0.5
    given["a"][0] = ones(1)
    kept: Any = opt.params
    assert kept["a"][0] is params["a"][0], "what is updated, not what replaced it"


def test_params_of_one_array_and_of_groups() -> None:
    w = ones(2)
    assert gs.SGD(w, lr=0.5).params is w
    groups = [{"params": w}, {"params": [ones(1)], "lr": 0.1}]
    params: Any = gs.SGD(groups, lr=0.5).params
    assert len(params) == 2
    assert params[0] is w
    assert params[1][0] is groups[1]["params"][0]  # type: ignore[index]
