"""The schedules of transformers, which are factors of a torch optimizer's rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import transformers
from rates import STEPS, Case, cases, compare
from transformers.optimization import TYPE_TO_SCHEDULER_FUNCTION

from gradstep.schedules import like
from gradstep.schedules.dialects.transformers import SCHEDULERS

BOTH = {"num_warmup_steps": 100, "num_training_steps": 900}
NONE = {"num_warmup_steps": 0, "num_training_steps": 500}
STABLE = {"num_warmup_steps": 100, "num_stable_steps": 500, "num_decay_steps": 300}

CASES = [
    *cases("constant", {}, lr=0.1),
    *cases("constant_with_warmup", {"num_warmup_steps": 100}, {"num_warmup_steps": 0}, lr=0.1),
    *cases("linear", BOTH, NONE, lr=0.1),
    *cases(
        "cosine",
        BOTH,
        NONE,
        BOTH | {"num_cycles": 2},
        BOTH | {"num_cycles": 0.75},
        BOTH | {"num_cycles": 0.37},
        lr=0.1,
    ),
    *cases("cosine_with_restarts", BOTH, NONE, BOTH | {"num_cycles": 3}, BOTH | {"num_cycles": 5}, lr=0.1),
    *cases(
        "cosine_with_min_lr", BOTH | {"min_lr": 0.01}, NONE | {"min_lr_rate": 0.2, "num_cycles": 1.5}, lr=0.1
    ),
    *cases(
        "cosine_warmup_with_min_lr",
        BOTH | {"min_lr": 0.01},
        BOTH | {"min_lr_rate": 0.2, "warmup_lr_rate": 0.3},
        lr=0.1,
    ),
    *cases(
        "cosine_warmup_with_min_lr",
        NONE | {"min_lr": 0.01},
        BOTH | {"min_lr": 0.01, "num_warmup_steps": 1},
        lr=0.1,
    ),
    *cases("polynomial", BOTH, NONE | {"lr_end": 0.01, "power": 2.5}, lr=0.1),
    *cases(
        "inverse_sqrt",
        {"num_warmup_steps": 100},
        {"num_warmup_steps": 0},
        {"num_warmup_steps": 50, "timescale": 300},
        lr=0.1,
    ),
    *cases(
        "warmup_stable_decay",
        STABLE,
        STABLE | {"min_lr_ratio": 0.1, "warmup_type": "cosine", "decay_type": "1-sqrt"},
        lr=0.1,
    ),
    *cases(
        "warmup_stable_decay",
        STABLE | {"warmup_type": "1-sqrt", "decay_type": "linear", "min_lr_ratio": 0.05},
        lr=0.1,
    ),
    *cases("warmup_stable_decay", STABLE | {"num_cycles": 1.5, "min_lr_ratio": 0.05}, lr=0.1),
    *cases(
        "warmup_stable_decay",
        {"num_warmup_steps": 0, "num_decay_steps": 300, "num_training_steps": 900},
        lr=0.1,
    ),
]


def follow(case: Case) -> Iterator[float]:
    arguments = dict(case.arguments)
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=arguments.pop("lr"))
    scheduler = TYPE_TO_SCHEDULER_FUNCTION[transformers.SchedulerType(case.name)](opt, **arguments)
    for _ in range(STEPS):
        yield opt.param_groups[0]["lr"]
        opt.step()
        scheduler.step()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_transformers(case: Case, record_property: Any) -> None:
    ours = like("transformers", case.name, **case.arguments)
    compare("transformers", case.name, ours, follow(case), record_property)


def test_all_but_one_are_there() -> None:
    theirs = {kind.value: function.__name__ for kind, function in TYPE_TO_SCHEDULER_FUNCTION.items()}
    # It goes up and down by the loss.
    del theirs["greedy"]
    ours = {name: function.__name__ for name, function in SCHEDULERS.items()}
    del ours["wsd"]
    assert ours == theirs | {"reduce_lr_on_plateau": "ReduceLROnPlateau"}
