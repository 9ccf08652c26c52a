"""State dicts: what is in them, and what is refused before anything is changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from bits import assert_same_bits
from refusals import refuses

PLAIN = (str, int, float, bool, type(None))


def trained(kind: Any = gs.Adam, params: Any = None, **options: Any) -> Any:
    params = {"w": np.ones((2, 3)), "b": np.ones(3, np.float32)} if params is None else params
    opt = kind(params, **options)
    for t in range(3):
        opt.step({name: np.full(p.shape, t + 1.0, p.dtype) for name, p in params.items()})
    return opt


def plain(value: Any) -> Any:
    """The same without its arrays, if it holds nothing but plain things."""
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if type(value) is np.ndarray:
        return None
    assert type(value) in PLAIN, type(value)
    return value


def test_all_of_it_is_plain() -> None:
    rate = gs.feedback.Plateau(gs.schedules.Constant(0.5))
    opt = trained(gs.DoG, lr=rate, accumulate=2, ema=0.5, bounds=(None, 9.0), clip_norm=np.float32(2))
    state = plain(opt.state_dict())
    assert json.loads(json.dumps(state)) == state
    assert list(state["parameters"]) == ["w", "b"]
    assert state["window"]["count"] == opt.micro_step == 1


def test_arrays_are_copies() -> None:
    opt = trained()
    saved = opt.state_dict()["parameters"]["w"]["slots"]["exp_avg"]
    before = saved.copy()
    assert not np.shares_memory(saved, opt.state["w"]["exp_avg"])
    opt.step({"w": np.ones((2, 3)), "b": np.ones(3)})
    assert_same_bits(saved, before, "exp_avg")


def test_without_parameters_there_is_none() -> None:
    with pytest.raises(ValueError, match="no parameters of its own as yet"):
        gs.Adam().state_dict()
    # It is enough to know what they are like.
    opt = gs.Adam()
    opt.apply_gradients(np.ones(2), np.ones(2))
    again = gs.Adam(np.ones(2))
    again.load_state_dict(opt.state_dict())
    assert_same_bits(again.state["0"]["exp_avg"], opt.state["0"]["exp_avg"], "exp_avg")


def test_all_differences_come_at_once_and_nothing_is_changed() -> None:
    saved = trained(gs.Adam, {"w": np.ones((2, 3)), "old": np.ones(2), "d": np.ones(2)}).state_dict()
    opt = trained(gs.RMSprop, {"w": np.ones((3, 2)), "new": np.ones(2), "d": np.ones(2, np.float32)}, ema=0.5)
    before = opt.state_dict()
    with refuses(
        ValueError,
        "the state dict does not fit this optimizer:\n"
        "  class is 'Adam', but the optimizer's is 'RMSprop'\n"
        "  rule is 'adam', but the optimizer's is 'rmsprop'\n"
        "  it has no 'new', but params has\n"
        "  it has 'old', but params has not\n"
        "  'w' has shape [2, 3], but params['w'] has [3, 2]\n"
        "  'd' has dtype float64, but params['d'] has float32",
    ):
        opt.load_state_dict(saved)
    np.testing.assert_equal(opt.state_dict(), before)


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Something that puts the last of these at the place that the others lead to; nothing to take it away."""

    def spoil(state: Any) -> None:
        *place, key, value = path
        for step in place:
            state = state[step]
        if value is ...:
            del state[key]
        else:
            state[key] = value

    return spoil


W = ("parameters", "w")

BAD: dict[str, tuple[Callable[[dict[str, Any]], None], type[Exception], str]] = {
    "no format": (put("format", ...), ValueError, "the state dict has no 'format'"),
    "another format": (put("format", 2), ValueError, "format must be 1, got 2"),
    "no dict": (put("parameters", []), TypeError, "['parameters'] must be a dict, got list"),
    "a parameter": (put(*W, None), TypeError, "parameters['w'] must be a dict, got None"),
    "a count": (put(*W, "count", 4), ValueError, "counts must be at most step_count = 3, got 4"),
    "a text": (put("step_count", "3"), TypeError, "['step_count'] must be an int, got str"),
    "below 0": (put("step_count", -3), ValueError, "['step_count'] must be in [0, 2**63), got -3"),
    "too many steps": (put("step_count", 2**63), ValueError, "['step_count'] must be in [0, 2**63)"),
    "a list": (put(*W, "slots", "exp_avg", [1.0]), TypeError, "['exp_avg'] must be an ndarray, got list"),
    "a shape": (put(*W, "slots", "exp_avg", np.ones(2)), ValueError, "float64 of shape (2,)"),
    "a dtype": (put(*W, "slots", "exp_avg", np.ones((2, 3), np.float32)), ValueError, "of float32"),
    "a slot less": (put(*W, "slots", "exp_avg", ...), ValueError, "'w' has no slot 'exp_avg'"),
    "a slot more": (put(*W, "slots", "x", np.ones(2)), ValueError, "'w' has a slot 'x'"),
    "a switch": (put("groups", 0, "switches", "amsgrad", True), ValueError, "amsgrad is True"),
    "no groups": (put("groups", []), ValueError, "it has 0 groups, but the optimizer has 1"),
    "scalars": (put("groups", 0, "scalars", {"d": 1.0}), ValueError, "scalars has ['d']"),
    "feedback": (put("feedback", 0, {}), ValueError, "feedback has the states [[]]"),
    "a scale": (put("feedback", 0, "scale", -1.0), ValueError, "scale"),
    "a window": (put("window", "count", 1), ValueError, "must be below accumulate = 1, got 1"),
    "waiting": (put(*W, "waiting", True), ValueError, "waits for its update"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_state_of_it_is_refused_and_nothing_is_changed(case: str) -> None:
    spoil, error, message = BAD[case]

    def make() -> Any:
        return trained(lr=gs.feedback.Plateau(gs.schedules.Constant(0.5)))

    state, opt = make().state_dict(), make()
    spoil(state)
    before = opt.state_dict()
    with pytest.raises(error) as caught:
        opt.load_state_dict(state)
    assert message in str(caught.value)
    np.testing.assert_equal(opt.state_dict(), before)


def test_what_was_moved_already_goes_back() -> None:
    rate = gs.feedback.Plateau(gs.schedules.Constant(0.5))
    state, opt = (
        trained(lr=rate).state_dict(),
        gs.Adam({"w": np.ones((2, 3)), "b": np.ones(3, np.float32)}, lr=rate),
    )
    state["feedback"][0]["scale"] = -1.0
    before = opt.state_dict()
    with pytest.raises(ValueError, match="scale"):
        opt.load_state_dict(state)
    np.testing.assert_equal(opt.state_dict(), before)


def test_what_fits_is_taken_and_the_rest_comes_back() -> None:
    first = trained(gs.Adam, {"w": np.ones(2), "old": np.ones(2)}, ema=0.5)
    saved = first.state_dict()
    opt = gs.Adam({"w": np.ones(2), "new": np.ones(2)}, amsgrad=True)
    with pytest.warns(gs.CheckpointWarning, match="it has no 'new'"):
        rest = opt.load_state_dict(saved, strict=False)
    assert list(rest) == ["parameters"]
    assert list(rest["parameters"]["w"]["slots"]) == ["ema"]
    assert rest["parameters"]["old"] is saved["parameters"]["old"]
    assert (opt.step_count, opt.counts) == (3, {"w": 3, "new": 0})
    assert_same_bits(opt.state["w"]["exp_avg"], first.state["w"]["exp_avg"], "exp_avg")
    assert not opt.state["new"]["exp_avg"].any()


def test_gradients_that_wait_are_left_where_they_do_not_fit() -> None:
    saved = trained(accumulate=2).state_dict()
    opt = trained(accumulate=4)
    with pytest.warns(gs.CheckpointWarning, match="accumulate is 2, but the optimizer's is 4"):
        rest = opt.load_state_dict(saved, strict=False)
    assert list(rest) == ["window"]
    assert opt.micro_step == 0


def test_names_that_have_changed() -> None:
    first = trained(params={"fc1.w": np.ones(2), "fc1.b": np.ones(3), "out": np.ones(1)})
    opt = gs.Adam({"layers": {"w": np.ones(2), "b": np.ones(3)}, "out": np.ones(1)})
    opt.load_state_dict(first.state_dict(), rename={"fc1.*": "layers.*"})
    assert_same_bits(opt.state["layers.b"]["exp_avg"], first.state["fc1.b"]["exp_avg"], "exp_avg")
    with refuses(ValueError, "rename['x*'] matches no parameter; there are fc1.w, fc1.b, out"):
        opt.load_state_dict(first.state_dict(), rename={"x*": "y*"})
    with refuses(ValueError, "rename['fc1.*'] must have as many * as 'fc1.*', got 'a'"):
        opt.load_state_dict(first.state_dict(), rename={"fc1.*": "a"})
    with refuses(ValueError, "rename has two parameters for the name 'out', 'out' is one of them"):
        opt.load_state_dict(first.state_dict(), rename={"fc1.w": "out"})


HYPERS: dict[str, Any] = {
    "lr": gs.schedules.Linear(0.5, 0.0, 9),
    "clip_norm": 1.5,
    "bounds": (None, 2.0),
    "nonfinite": "skip",
    "decoupled": "after",
    "measure": True,
    "ema": gs.schedules.Constant(0.5),
}


@pytest.mark.parametrize("name", HYPERS)
def test_hyperparameters_are_the_constructors_unless_they_are_asked_for(name: str) -> None:
    common = {"ema": 0.25}
    saved = trained(**common | {name: HYPERS[name]}).state_dict()
    opt, plain = trained(**common), trained(**common)
    with pytest.warns(gs.CheckpointWarning, match=f"{name} = "):
        opt.load_state_dict(saved)
    assert opt.hyperparameters == plain.hyperparameters
    opt.load_state_dict(saved, hyperparameters=True)
    assert opt.hyperparameters == trained(**common | {name: HYPERS[name]}).hyperparameters


@pytest.mark.parametrize(
    ("make", "name", "value"), [(gs.Adagrad, "initial_accumulator_value", 0.5), (gs.Rprop, "lr", 0.25)]
)
def test_what_the_state_started_from_is_told_and_not_taken(make: Any, name: str, value: float) -> None:
    first, opt = make({"w": np.ones(2)}, maximize=True, **{name: value}), make({"w": np.ones(2)})
    first.step({"w": np.ones(2)})
    own = opt.hyperparameters[0][name]
    with pytest.warns(gs.CheckpointWarning, match=f"{name} = {value}: the optimizer's own stays, {own}"):
        opt.load_state_dict(first.state_dict(), hyperparameters=True)
    assert opt.hyperparameters[0][name] == own
    assert (opt.step_count, opt.maximize) == (1, True)
    np.testing.assert_equal(dict(opt.state["w"]), dict(first.state["w"]))


@pytest.mark.parametrize("text", ["(" * 5000, "(True)", "(0.5,)", "()", "'a", "'it\\'s'", "", "'" * 3])
def test_a_text_that_stands_for_no_hyperparameter(text: str) -> None:
    state, opt = trained().state_dict(), trained()
    state["groups"][0]["hyperparameters"]["lr"] = text
    before = opt.state_dict()
    with pytest.raises(ValueError, match=r"."):
        opt.load_state_dict(state, hyperparameters=True)
    np.testing.assert_equal(opt.state_dict(), before)


def test_hyperparameters_of_groups_and_their_feedback() -> None:
    def make(rate: Any) -> Any:
        opt = gs.SGD({"w": np.ones(2), "b": np.ones(2)}, lr=0.5, groups={"b": {"lr": rate}})
        opt.step({"w": np.ones(2), "b": np.ones(2)}, loss=3.0)
        return opt

    first, opt = make(gs.feedback.LossScaled(gs.schedules.Constant(0.5), beta=1.0)), make(0.25)
    opt.load_state_dict(first.state_dict(), hyperparameters=True)
    assert opt.hyperparameters == first.hyperparameters
    assert opt.lr == first.lr == (0.125, 0.5)


def test_functions_are_kept_and_said_so() -> None:
    def make() -> Any:
        return trained(lr=gs.schedules.Lambda(lambda t: 0.5 / (t + 1)).warmup(2))

    saved, opt = make().state_dict(), make()
    assert saved["groups"][0]["hyperparameters"]["lr"] is None
    before = opt.hyperparameters
    for hyperparameters in (False, True):
        with pytest.warns(gs.CheckpointWarning, match="lr, which is made of a function: the optimizer's own"):
            opt.load_state_dict(saved, hyperparameters=hyperparameters)
    assert opt.hyperparameters == before


def test_a_state_dict_is_not_changed() -> None:
    saved = trained().state_dict()
    before = copy.deepcopy(saved)
    opt = trained()
    opt.load_state_dict(saved)
    opt.step({"w": np.ones((2, 3)), "b": np.ones(3)})
    np.testing.assert_equal(saved, before)
