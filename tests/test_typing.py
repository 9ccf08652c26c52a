"""What type checkers say about a user's code, and that gradstep itself says the same.

mypy and basedpyright read this file in `make lint`. A misuse carries a comment for each of them; where one of
them no longer finds it, the comment is unused, and that is an error.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Any, assert_type, get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray

import gradstep as gs
from gradstep import functional
from gradstep.types import Arrays


def two() -> NDArray[np.float64]:
    return np.ones(2)


def test_params_and_grads_in_every_structure() -> None:
    lone: NDArray[np.float32] = np.ones(2, np.float32)
    gs.SGD(lone).step(lone)
    gs.SGD(np.array(1.0)).step(0.5)
    gs.SGD(np.array(1.0)).step(np.float32(0.5))
    gs.SGD([two(), two()]).step([two(), two()])
    gs.SGD((two(), two())).step((two(), two()))
    weights: dict[str, NDArray[np.float64]] = {"w": two(), "b": two()}
    gs.SGD(weights).step({"w": two(), "b": two()})
    nested = {"blocks": [{"w": two()}, (two(), two())], "head": two()}
    gs.SGD(nested).step({"blocks": [{"w": two()}, (two(), two())], "head": two()}, loss=np.float64(1.0))
    groups = [{"params": two(), "lr": 0.1}, {"params": [two()], "nesterov": False}]
    gs.SGD(groups).step([two(), [two()]])


def test_what_annotations_of_ones_own_are_made_of() -> None:
    def train(params: gs.Params, grads: gs.Grads, lr: gs.Rate | None = None) -> gs.Optimizer:
        opt = gs.AdamW(params, lr=0.1 if lr is None else lr)
        opt.step(grads)
        return opt

    assert_type(train({"w": two()}, {"w": two()}, gs.schedules.Constant(0.1)), gs.Optimizer)
    assert get_type_hints(train)["lr"] == gs.Rate | None


def test_rates() -> None:
    cosine = gs.schedules.Cosine(0.1, steps=10).warmup(2)
    assert_type(cosine, gs.schedules.Schedule)
    assert_type(cosine(3), float)
    assert_type(cosine(np.arange(3)), NDArray[np.float64])
    opt = gs.Adam(two(), lr=cosine, beta1=np.float32(0.5), weight_decay=cosine * 0.5, clip_norm=cosine)
    opt.lr = 0.1
    opt.lr = gs.feedback.Plateau(cosine, patience=3)
    opt.beta1 = np.float64(0.5)
    opt.clip_norm = None
    groups = gs.Adam([{"params": two()}, {"params": two()}])
    groups.lr = (0.1, cosine)


def test_what_is_read() -> None:
    opt = gs.Adam({"w": two()}, clip_norm=1.0, amsgrad=True)
    assert_type(opt.step({"w": two()}), bool)
    assert_type(opt.step_count, int)
    assert_type(opt.grad_norm, float | None)
    assert_type(opt.clip_norm, float | None)
    assert_type(opt.state["w"]["exp_avg"], NDArray[np.floating[Any]] | Any)
    assert_type(opt.feedback_state, tuple[dict[str, Any], ...])
    assert_type(opt.scalars, tuple[dict[str, float], ...])
    assert_type(opt.hyperparameters, tuple[dict[str, gs.Rate | bool | None], ...])
    assert_type(opt.params, Arrays)
    # With one group these are numbers, with several they are tuples.
    rate: float = opt.lr
    amsgrad: bool = opt.amsgrad
    assert (rate, amsgrad) == (0.001, True)


def test_a_class_of_ones_own() -> None:
    class Counting(gs.Adam):
        calls = 0

        def __init__(self, params: gs.Params, lr: gs.Rate = 0.1) -> None:
            super().__init__(params, lr=lr)
            self._began = self.step_count

        def step(self, grads: gs.Grads, **options: Any) -> bool:
            self.calls += 1
            return super().step(grads, **options)

    opt = Counting(two())
    opt.step(two())
    assert_type(opt.calls, int)


def test_what_is_assigned_to_resume() -> None:
    opt = gs.Adam(two(), lr=gs.feedback.Plateau(gs.schedules.Constant(0.1)))
    opt.step_count = np.int64(3)
    opt.feedback_state = opt.feedback_state
    opt.scalars = list(opt.scalars)
    opt.state["0"]["exp_avg"][...] = 0.0


def test_functions() -> None:
    cosine = gs.schedules.Cosine(0.1, steps=10)
    assert_type(functional.adam(two(), two(), two(), two(), step=0, lr=cosine, beta1=0.5), None)
    functional.adam(two(), two(), two(), two(), two(), step=0, amsgrad=True)
    functional.sgd(two(), two(), step=0, lr=np.float32(0.1))
    functional.sgd(np.array(1.0), 0.5, np.array(0.0), step=0, momentum=0.9)
    functional.rmsprop(two(), two(), two(), two(), two(), step=0, centered=True, momentum=0.9)


def test_misuse_of_functions() -> None:
    a, b, c, d = two(), two(), two(), two()
    with pytest.raises(AttributeError, match="has no attribute 'adamm'"):
        functional.adamm(a, b, c, d, step=0)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'beta_1'"):
        functional.adam(a, b, c, d, step=0, beta_1=0.9)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'clip_norm'"):
        functional.adam(a, b, c, d, step=0, clip_norm=1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'step'"):
        functional.adam(a, b, c, d)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'exp_avg_sq'"):
        functional.adam(a, b, c, step=0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="positional-only arguments passed as keyword arguments"):
        functional.adam(p=a, g=b, exp_avg=c, exp_avg_sq=d, step=0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="lr must be a float or a schedule, got str"):
        functional.adam(a, b, c, d, step=0, lr="fast")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="p is a list"):
        functional.sgd([1.0], b, step=0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_misuse_of_constructors() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'betas'"):
        gs.Adam(two(), betas=(0.9, 0.999))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'momentum'"):
        gs.Adam(two(), momentum=0.9)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'clip_nrom'"):
        gs.SGD(two(), clip_nrom=1.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="lr must be a float or a schedule, got str"):
        gs.SGD(two(), lr="fast")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="nesterov must be a bool, got str"):
        gs.SGD(two(), momentum=0.9, nesterov="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="params is a str"):
        gs.SGD("w")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError, match="has no attribute 'Newton'"):
        gs.Newton(two())  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


def test_misuse_of_an_optimizer() -> None:
    w = two()
    opt = gs.Adam(w)
    with pytest.raises(TypeError, match="grads is a str"):
        opt.step("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'grads'"):
        opt.step()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="positional arguments but 2 were given"):
        opt.step(two(), two())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="loss must be a number, got str"):
        opt.step(two(), loss="small")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'loss'"):
        opt.observe()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="lr must be a float or a schedule, got str"):
        opt.lr = "fast"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="lr must be a float or a schedule, got None"):
        opt.lr = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="clip_norm must be a float or a schedule, got str"):
        opt.clip_norm = "1"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="step_count must be an integer, got float"):
        opt.step_count = 1.5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match=r"Adam\.amsgrad cannot be changed"):
        opt.amsgrad = True  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match="grad_norm cannot be changed"):
        opt.grad_norm = 1.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match=r"Adam\.learning_rate does not exist"):
        opt.learning_rate = 0.1  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError, match="has no attribute 'zero_grad'"):
        opt.zero_grad()  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="state cannot be replaced"):
        opt.state = {}  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="cannot be replaced, only written into"):
        opt.state["0"]["exp_avg"] = two()  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]


def test_misuse_of_schedules() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'step'"):
        gs.schedules.Cosine(0.1, step=10)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="start must be a number, got str"):
        gs.schedules.Cosine("0.1", steps=10)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(AttributeError, match="has no attribute 'warm_up'"):
        gs.schedules.Cosine(0.1, steps=10).warm_up(5)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    with pytest.raises(TypeError, match="t must be an integer or an integer array, got float"):
        gs.schedules.Cosine(0.1, steps=10)(0.5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
