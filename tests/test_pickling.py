"""Pickles and copies of optimizers: with their model, alone, without parameters."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from refusals import refuses
from trees import STRUCTURES, copied, leaves, like, mapped, normal


def through(protocol: int) -> Callable[[Any], Any]:
    return lambda x: pickle.loads(pickle.dumps(x, protocol))


TWINS: dict[str, Callable[[Any], Any]] = {
    **{f"pickle {protocol}": through(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "deepcopy": copy.deepcopy,
}
twins = pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)


class Model:
    """A model with its optimizer, as scikit-learn's are: pickled whole, or copied."""

    def __init__(self, structure: str, **options: Any) -> None:
        self.params = STRUCTURES[structure]()
        self.optimizer = gs.Adam(self.params, lr=0.125, **options)
        self.train(3)

    def train(self, steps: int) -> None:
        for seed in range(steps):
            self.optimizer.step(like(self.params, seed))


@pytest.mark.parametrize("structure", STRUCTURES)
@twins
def test_a_model_comes_back_with_its_arrays(structure: str, twin: Callable[[Any], Any]) -> None:
    model = Model(structure)
    before = copied(model.params)
    other = twin(model)
    for own, given in zip(leaves(other.optimizer.params), leaves(other.params), strict=True):
        assert own is given
    other.train(2)
    mapped(lambda now, then: assert_same_bits(now, then, structure), model.params, before)
    model.train(2)
    mapped(lambda a, b: assert_same_bits(a, b, structure), model.params, other.params)


@twins
def test_alone_it_carries_its_parameters(twin: Callable[[Any], Any]) -> None:
    model = Model("nested")
    opt = twin(model.optimizer)
    mapped(lambda a, b: assert_same_bits(a, b, "p"), opt.params, model.params)
    assert not any(map(np.shares_memory, leaves(opt.params), leaves(model.params)))


@twins
def test_a_copy_knows_its_parameters(twin: Callable[[Any], Any]) -> None:
    opt = twin(gs.SGD(np.ones(2), lr=0.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opt.step(np.ones(2))
    assert opt.params[0] == 0.5


class Holder:
    """A model whose arrays are its attributes; the container of its optimizer is nobody else's."""

    def __init__(self) -> None:
        self.w, self.b = np.ones(3), np.asarray(np.ones((2, 3)), order="F")
        self.optimizer = gs.Adam({"w": self.w, "layers": [self.b]}, lr=0.5)
        self.train()

    def train(self) -> None:
        self.optimizer.step(like({"w": self.w, "layers": [self.b]}, self.optimizer.step_count))


@twins
def test_arrays_that_are_attributes_are_found_again(twin: Callable[[Any], Any]) -> None:
    model = Holder()
    other = twin(model)
    assert other.optimizer.params["w"] is other.w
    assert other.optimizer.params["layers"][0] is other.b
    other.train()
    model.train()
    assert_same_bits(other.w, model.w, "w")
    assert_same_bits(other.b, model.b, "b")


@twins
def test_optimizers_of_the_same_arrays(twin: Callable[[Any], Any]) -> None:
    w, b = np.ones(3), np.ones(2)
    both = [gs.Adam({"w": w, "b": b}, lr=0.5), gs.SGD([w], lr=0.5, momentum=0.5)]

    def train(optimizers: Any) -> None:
        optimizers[0].step({"w": np.ones(3), "b": np.ones(2)})
        optimizers[1].step([np.ones(3)])

    train(both)
    others = twin(both)
    assert others[0].params["w"] is others[1].params[0]
    train(both)
    train(others)
    assert_same_bits(others[1].params[0], w, "w")


@twins
def test_axes_in_any_order(twin: Callable[[Any], Any]) -> None:
    params = {"w": normal(3, 7, 40, 300).transpose(1, 0, 2)}
    opt = gs.Adam(params, lr=0.5, ema=0.5, clip_norm=1.0)
    opt.step(like(params, 0))
    other, copies = twin((opt, params))
    for slot, array in opt.state["w"].items():
        assert_same_bits(other.state["w"][slot], array, slot)
    # Some picklers bring arrays back in C order: what goes by element is the same, norms but for rounding.
    opt.clip_norm = other.clip_norm = None
    for one, arrays in ((opt, params), (other, copies)):
        one.step(like(arrays, 1))
    assert_same_bits(copies["w"], params["w"], "w")
    opt.clip_norm = other.clip_norm = 1.0
    for one, arrays in ((opt, params), (other, copies)):
        one.step(like(arrays, 2))
    np.testing.assert_allclose(copies["w"], params["w"], rtol=1e-12, atol=1e-14)


def test_a_shallow_copy_is_a_deep_one() -> None:
    model = Model("dict")
    opt = copy.copy(model.optimizer)
    assert not any(map(np.shares_memory, leaves(opt.params), leaves(model.params)))
    assert not np.shares_memory(opt.state["w"]["exp_avg"], model.optimizer.state["w"]["exp_avg"])


@twins
def test_groups(twin: Callable[[Any], Any]) -> None:
    model: dict[str, Any] = {"w": {"a": np.ones(2)}, "b": [np.ones(3)]}
    groups = [{"params": model["w"], "lr": 0.5}, {"params": model["b"], "lr": gs.schedules.Constant(0.25)}]
    model["opt"] = opt = gs.SGD(groups, lr=1.0, momentum=0.5, clip_norm=9.0)
    opt.lr = (0.125, 0.25)
    other = twin(model)
    assert other["opt"].hyperparameters == opt.hyperparameters
    assert other["opt"].params[0]["a"] is other["w"]["a"]
    assert other["opt"].params[1][0] is other["b"][0]
    other["opt"].step([{"a": np.ones(2)}, [np.ones(3)]])
    assert other["w"]["a"][0] == 0.875


@twins
def test_groups_by_name_keep_their_patterns(twin: Callable[[Any], Any]) -> None:
    groups = {"*.b": {"weight_decay": 0.5}, "x*": {"lr": 0.5}}
    params = {"x": {"w": np.ones(2), "b": np.ones(2)}, "y": np.ones(2)}
    for opt in (gs.Adam(params, groups=groups), gs.Adam(groups=groups)):
        other = twin(opt)
        assert other.hyperparameters == opt.hyperparameters
        other.bind(copied(params))
        assert other._owners == [1, 0, 2]


@twins
def test_without_parameters_of_its_own(twin: Callable[[Any], Any]) -> None:
    params = STRUCTURES["nested"]()
    opt = gs.Adam(lr=0.5, ema=0.5)
    assert twin(opt).hyperparameters == opt.hyperparameters
    for seed in range(3):
        params = opt.apply_gradients(like(params, seed), params)
    other = twin(opt)
    with pytest.raises(ValueError, match="no parameters of its own"):
        other.step(like(params, 4))
    got, want = (one.apply_gradients(like(params, 4), params) for one in (other, opt))
    mapped(lambda a, b: assert_same_bits(a, b, "p"), got, want)


def rate(t: int) -> float:
    return 0.5 / (t + 1)


@twins
def test_functions_with_a_name_go_by_it(twin: Callable[[Any], Any]) -> None:
    opt = twin(gs.SGD(np.ones(2), lr=gs.schedules.Lambda(rate).warmup(3)))
    assert opt.hyperparameters[0]["lr"] == gs.schedules.Lambda(rate).warmup(3)


def test_functions_without_a_name_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    nameless = gs.schedules.Lambda(lambda t: 0.5 + t)
    opt = gs.SGD(np.ones(2), lr=nameless.warmup(3))
    assert copy.deepcopy(opt).lr == opt.lr
    for name in [name for name in sys.modules if name.endswith(("cloudpickle", "dill"))]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(pickle.PicklingError, match="define it with def at the top of a module"):
        pickle.dumps(opt)
    # They pickle the code itself.
    monkeypatch.setitem(sys.modules, "joblib.externals.cloudpickle", pickle)
    assert nameless.__reduce__()[1] == (nameless.params["function"],)


@twins
def test_schedules_that_are_shared_stay_shared(twin: Callable[[Any], Any]) -> None:
    shared = gs.feedback.Plateau(gs.schedules.Constant(0.5), patience=0)
    both = twin({"rate": shared, "opt": gs.SGD(np.ones(2), lr=shared, clip_norm=shared.every(2))})
    assert both["rate"] is not shared
    assert len(both["opt"].feedback_state) == 1
    for loss in (1.0, 2.0):
        both["opt"].observe(loss)
    assert both["rate"].state["scale"] == 0.1
    assert shared.state["scale"] == 1.0


class Own(gs.AdamW):
    """One that takes something else to be made, and remembers more."""

    def __init__(self, size: int) -> None:
        super().__init__(np.ones(size), lr=0.5)
        self._size = [size]


@twins
def test_subclasses_with_attributes(twin: Callable[[Any], Any]) -> None:
    opt = Own(3)
    other = twin(opt)
    assert type(other) is Own
    assert other._size == [3]
    assert other._size is not opt._size


def test_not_while_the_parameters_are_averages() -> None:
    opt = gs.SGD(np.ones(2), ema=0.5)
    message = "no optimizer is copied or pickled inside swap_averaged: the parameters are averages"
    with opt.swap_averaged(), refuses(RuntimeError, message):
        pickle.dumps(opt)
    pickle.dumps(opt)


def trained(opt: gs.SGD) -> gs.SGD:
    opt.step(np.ones(2))
    return opt


def test_another_process_that_was_spawned() -> None:
    opt = gs.SGD(np.ones(2), lr=gs.schedules.Lambda(rate), momentum=0.5)
    opt.step(np.ones(2))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        other = pool.apply(trained, (opt,))
    trained(opt)
    assert_same_bits(np.asarray(other.params), np.asarray(opt.params), "p")
    assert other.step_count == 2
