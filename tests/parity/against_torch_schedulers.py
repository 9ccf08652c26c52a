"""The schedulers of torch, which are stepped."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from rates import STEPS, Case, adapter, cases, compare
from torch.optim import lr_scheduler

import gradstep as gs
from gradstep.schedules import like

CASES = [
    *cases("ConstantLR", {}, {"factor": 0.5, "total_iters": 400}, {"total_iters": 1}, lr=0.1),
    *cases("LinearLR", {}, {"start_factor": 0.01, "total_iters": 999}, lr=0.1),
    *cases("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 500}, lr=0.3),
    *cases("ExponentialLR", {"gamma": 0.99}, {"gamma": 1.001}, lr=0.1),
    *cases(
        "StepLR", {"step_size": 30}, {"step_size": 250, "gamma": 0.5}, {"step_size": 1, "gamma": 0.99}, lr=0.1
    ),
    *cases("MultiStepLR", {"milestones": [30, 80]}, {"milestones": [500, 100, 500], "gamma": 0.5}, lr=0.1),
    *cases("PolynomialLR", {}, {"total_iters": 700}, {"total_iters": 900, "power": 2.5}, lr=0.1),
    *cases("CosineAnnealingLR", {"T_max": 1000}, {"T_max": 300}, {"T_max": 77, "eta_min": 0.01}, lr=0.1),
    *cases("CosineAnnealingWarmRestarts", {"T_0": 100}, {"T_0": 10, "T_mult": 2, "eta_min": 1e-3}, lr=0.1),
    *cases("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}, lr=0.1),
    *cases(
        "OneCycleLR",
        {"total_steps": 1000},
        {"epochs": 10, "steps_per_epoch": 100, "pct_start": 0.25},
        max_lr=0.1,
    ),
    *cases("OneCycleLR", {"anneal_strategy": "linear", "pct_start": 0.333}, max_lr=0.1, total_steps=1000),
    *cases(
        "OneCycleLR",
        {"three_phase": True, "div_factor": 10.0, "final_div_factor": 100.0},
        max_lr=0.5,
        total_steps=1001,
    ),
    *cases(
        "CyclicLR",
        {"step_size_up": 100},
        {"step_size_up": 70, "step_size_down": 200},
        base_lr=0.01,
        max_lr=0.1,
    ),
    *cases(
        "CyclicLR",
        {"mode": "triangular2"},
        {"mode": "exp_range", "gamma": 0.995},
        base_lr=0.01,
        max_lr=0.1,
        step_size_up=64,
    ),
]


def optimizer(lr: float) -> Any:
    # Those of OneCycleLR and CyclicLR want a momentum to move.
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=lr, momentum=0.9)


def stepped(make: Callable[[Any], Any], lr: float, key: str = "lr", steps: int = STEPS) -> Iterator[float]:
    """Give the rate of each step."""
    opt = optimizer(lr)
    scheduler = make(opt)
    for _ in range(steps):
        yield opt.param_groups[0][key]
        opt.step()
        scheduler.step()


def made(case: Case) -> Callable[[Any], Any]:
    arguments = {name: value for name, value in case.arguments.items() if name != "lr"}
    return lambda opt: getattr(lr_scheduler, case.name)(opt, **arguments)


def follow(case: Case) -> Iterator[float]:
    return stepped(made(case), case.arguments.get("lr", 0.1))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # Of torch, about its own ways.
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch(case: Case, record_property: Any) -> None:
    compare("torch", case.name, like("torch", case.name, **case.arguments), follow(case), record_property)


def halved(t: int) -> float:
    return 0.5 ** (t // 100)


def nearly(t: int) -> float:
    return 1.0 - 1.0 / (t + 10)


@pytest.mark.parametrize(
    ("name", "function"), [("LambdaLR", halved), ("LambdaLR", nearly), ("MultiplicativeLR", nearly)]
)
def test_functions(name: str, function: Callable[[int], float], record_property: Any) -> None:
    ours = like("torch", name, lr=0.3, lr_lambda=function)
    theirs = stepped(lambda opt: getattr(lr_scheduler, name)(opt, function), 0.3)
    compare("torch", name, ours, theirs, record_property)


@pytest.mark.parametrize("mode", ["cycle", "iterations"])
def test_a_scale_of_cycles(mode: Any, record_property: Any) -> None:
    arguments = {
        "base_lr": 0.01,
        "max_lr": 0.1,
        "step_size_up": 50,
        "step_size_down": 30,
        "scale_fn": nearly,
        "scale_mode": mode,
    }
    theirs = stepped(lambda opt: lr_scheduler.CyclicLR(opt, **arguments), 0.1)
    compare("torch", "CyclicLR", like("torch", "CyclicLR", **arguments), theirs, record_property)


PARTS = [
    Case("ConstantLR", {"factor": 0.2, "total_iters": 40}),
    Case("LinearLR", {"start_factor": 0.5, "total_iters": 100}),
    Case("ExponentialLR", {"gamma": 0.995}),
    Case("CosineAnnealingWarmRestarts", {"T_0": 50, "T_mult": 2}),
    Case("StepLR", {"step_size": 30, "gamma": 0.5}),
]


@pytest.mark.parametrize("milestones", [[1], [100, 400], [30, 60, 700], [10, 20, 30, 40]], ids=str)
def test_sequences(milestones: list[int], record_property: Any) -> None:
    parts = PARTS[: len(milestones) + 1]
    children = [like("torch", part.name, lr=0.1, **part.arguments) for part in parts]
    ours = like("torch", "SequentialLR", schedulers=children, milestones=milestones)
    theirs = stepped(
        lambda opt: lr_scheduler.SequentialLR(opt, [made(part)(opt) for part in parts], milestones), 0.1
    )
    compare("torch", "SequentialLR", ours, theirs, record_property)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_chains(count: int, record_property: Any) -> None:
    parts = [*PARTS[:3]][:count]
    children = [like("torch", part.name, lr=1.0, **part.arguments) for part in parts]
    ours = like("torch", "ChainedScheduler", lr=0.1, schedulers=children)
    theirs = stepped(lambda opt: lr_scheduler.ChainedScheduler([made(part)(opt) for part in parts]), 0.1)
    compare("torch", "ChainedScheduler", ours, theirs, record_property)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "patience": 2, "cooldown": 3},
        {"threshold_mode": "abs", "threshold": 0.1, "min_lr": 0.01},
    ],
    ids=str,
)
def test_plateaus(options: dict[str, Any], record_property: Any) -> None:
    ours = like("torch", "ReduceLROnPlateau", lr=0.1, factor=0.5, **options)
    opt = optimizer(0.1)
    theirs = lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, eps=0.0, **options)
    worst = 0.0
    for t in range(STEPS):
        metric = ((t * 2654435761) % 1000) / 1000 + 10 / (t + 1)
        ours.observe(metric)
        theirs.step(metric)
        worst = max(worst, abs(ours(t) / opt.param_groups[0]["lr"] - 1))
    assert worst < 1e-12
    for key, value in {
        "library": "torch",
        "rule": "ReduceLROnPlateau",
        "dtype": "float64",
        "error": worst,
    }.items():
        record_property(key, value)


CYCLES = [case for case in CASES if case.name in ("OneCycleLR", "CyclicLR")]


@pytest.mark.parametrize("case", CYCLES, ids=str)
def test_momenta(case: Case, record_property: Any) -> None:
    rate = like("torch", case.name, **case.arguments)
    assert isinstance(rate, gs.schedules.OneCycle | gs.schedules.Cyclic)
    case = case._replace(arguments=case.arguments | {"base_momentum": 0.7, "max_momentum": 0.97})
    theirs = stepped(made(case), 0.1, "momentum")
    compare("torch", f"{case.name} momentum", rate.momentum(0.7, 0.97), theirs, record_property)


def test_ours_in_torch() -> None:
    names = adapter("torch")
    schedule = gs.schedules.Cosine(1e-3, steps=1000).warmup(100)
    for t in range(1200):
        assert names["opt"].param_groups[0]["lr"] == schedule(t)
        names["opt"].step()
        names["scheduler"].step()
