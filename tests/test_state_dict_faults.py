"""State dicts that somebody has been at: anything in the place of anything."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import gradstep as gs
from refusals import refuses
from trees import copied, like, normal

Place = tuple[Any, ...]

#: What may stand where something else should.
INTRUDERS: dict[str, Any] = {
    "None": None,
    "a text": "x",
    "a list": [1.0],
    "a dict": {"x": 1},
    "an array": np.ones(5),
    "nan": float("nan"),
    "below zero": -1,
    "huge": 2**70,
    "True": True,
    "bytes": b"x",
    "an object": object(),
    "nothing": ...,
}


def made() -> gs.Optimizer:
    """It has everything that a state dict can have."""
    params = {"w": normal(1, 2, 3), "b": normal(2, 3, dtype=np.float32)}
    rate = gs.feedback.Plateau(gs.schedules.Constant(0.5), patience=1)
    return gs.Prodigy(
        params, lr=rate, accumulate=3, ema=0.5, groups={"b": {"weight_decay": 0.1}}, clip_norm=9.0
    )


def trained(steps: int) -> gs.Optimizer:
    opt = made()
    for t in range(steps):
        opt.step(like({"w": np.ones((2, 3)), "b": np.ones(3, np.float32)}, t), loss=float(t))
    return opt


def places(part: Any, path: Place = ()) -> Iterator[Place]:
    """The way to everything that is in a state dict."""
    if isinstance(part, dict | list):
        for key, inner in part.items() if isinstance(part, dict) else enumerate(part):
            yield (*path, key)
            yield from places(inner, (*path, key))


def put(saved: Any, place: Place, value: Any) -> None:
    for step in place[:-1]:
        saved = saved[step]
    if value is ...:
        del saved[place[-1]]
    else:
        saved[place[-1]] = value


SAVED = trained(5).state_dict()


#: Where a number may be another one: what a rule remembers knows no bounds.
ANY_NUMBER = ("nan", "below zero", "huge")
IN_FEEDBACK = {"best": ("None", "below zero", "huge"), "bad": ("huge",), "cooldown": ("huge",)}


def taken(place: Place, intruder: str, hyperparameters: bool) -> bool:
    """Whether it is as good as what was there."""
    match place:
        case ("groups", _, "hyperparameters", _):
            # Of schedules made of functions there is no text. Texts are read only if they are to be taken.
            return intruder in ("None", "nothing") or (intruder == "a text" and not hyperparameters)
        case ("groups", _, "switches", "state_dtype"):
            return intruder in ("None", "nothing")
        case ("groups", _, "switches", "seed"):
            return intruder == "nothing"  # as in files that are older than it
        case ("groups", _, "scalars", _):
            return intruder in ANY_NUMBER
        case ("feedback", _, name):
            return intruder in IN_FEEDBACK.get(name, ())
        case ("window", "loss_sum"):
            return intruder == "nan"
        case ("parameters", _, "waiting"):
            return intruder == "True"
    return False


@pytest.mark.parametrize("intruder", INTRUDERS)
@pytest.mark.parametrize("place", list(places(SAVED)), ids=lambda place: ".".join(map(str, place)))
def test_anything_in_the_place_of_anything(place: Place, intruder: str) -> None:
    for hyperparameters in (False, True):
        opt = trained(2)
        before, params = opt.state_dict(), copied(opt.params)
        saved = copy.deepcopy(SAVED)
        put(saved, place, INTRUDERS[intruder])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", gs.CheckpointWarning)
                opt.load_state_dict(saved, hyperparameters=hyperparameters)
        except (TypeError, ValueError):
            np.testing.assert_equal(opt.state_dict(), before)
            np.testing.assert_equal(opt.params, params)
            assert not taken(place, intruder, hyperparameters)
        else:
            assert taken(place, intruder, hyperparameters)


def test_all_faults_come_at_once() -> None:
    opt = trained(2)
    saved = copy.deepcopy(SAVED)
    del saved["skipped"]
    saved["step_count"] = -1
    saved["parameters"]["w"]["slots"]["exp_avg"] = [1.0]
    saved["parameters"]["b"]["count"] = None
    saved["groups"][1]["hyperparameters"]["lr"] = 0.5
    saved["feedback"] = [None]
    saved["window"]["scale"] = float("inf")
    before = opt.state_dict()
    with refuses(
        TypeError,
        "this is no state dict:\n"
        "  the state dict['step_count'] must be in [0, 2**63), got -1\n"
        "  the state dict has no 'skipped'\n"
        "  parameters['w']['slots']['exp_avg'] must be an ndarray, got list\n"
        "  parameters['b']['count'] must be an int, got None\n"
        "  groups[1]['hyperparameters']['lr'] must be a str or None, got float\n"
        "  feedback[0] must be a dict, got None\n"
        "  window['scale'] must be finite, got inf",
    ):
        opt.load_state_dict(saved)
    np.testing.assert_equal(opt.state_dict(), before)


@pytest.mark.parametrize("name", [0.5, None, ("exp_avg",)])
def test_a_name_of_a_slot_is_a_text(name: Any) -> None:
    opt, saved = trained(2), copy.deepcopy(SAVED)
    slots = saved["parameters"]["w"]["slots"]
    slots[name] = slots.pop("exp_avg")
    before = opt.state_dict()
    message = f"parameters['w']['slots']: the name {name!r} must be a str, got "
    with pytest.raises(TypeError, match=re.escape(message)):
        opt.load_state_dict(saved)
    np.testing.assert_equal(opt.state_dict(), before)


class Interrupted(gs.SGD):
    """Another thread makes a step while somebody reads."""

    _steps = 0

    @property  # type: ignore[misc]
    def scalars(self) -> Any:
        if self._steps:
            self._steps -= 1
            self.step(np.ones(2))
        return super().scalars


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"nonfinite": "skip"}])
def test_a_step_that_comes_between_is_noticed(options: dict[str, Any]) -> None:
    opt = Interrupted(np.ones(2), momentum=0.5, **options)
    opt._steps = 1
    with refuses(RuntimeError, "another thread made a step of this optimizer while its state was read"):
        opt.state_dict()
    assert opt.state_dict()["format"] == 1
