"""What the demo trains with: six rules, each under a different schedule."""

from collections.abc import Callable
from dataclasses import dataclass

import gradstep as gs
from gradstep import schedules
from gradstep.bench import textbook
from gradstep.demo.network import Floats, Params
from gradstep.schedules import Schedule


@dataclass(frozen=True)
class Recipe:
    """A rule under a schedule.

    Attributes:
        rule: its name in the report.
        schedule_name: the schedule's name in the report.
        schedule: makes the schedule, for a number of steps in the whole run.
        optimizer: makes the optimizer, for the parameters and the schedule.
        textbook: makes the same optimizer in textbook NumPy.
    """

    rule: str
    schedule_name: str
    schedule: Callable[[int], Schedule]
    optimizer: Callable[[Params, Schedule], gs.Optimizer]
    textbook: Callable[[list[Floats]], textbook.Textbook]


RECIPES = (
    Recipe(
        "SGD",
        "StepDecay",
        lambda steps: schedules.StepDecay(0.2, gamma=0.3, every=max(1, steps // 3)),
        lambda params, lr: gs.SGD(params, lr=lr),
        textbook.SGD,
    ),
    Recipe(
        "SGD, momentum 0.9",
        "Cosine",
        lambda steps: schedules.Cosine(0.05, steps=steps),
        lambda params, lr: gs.SGD(params, lr=lr, momentum=0.9),
        lambda params: textbook.Momentum(params, momentum=0.9),
    ),
    Recipe(
        "Adagrad",
        "Exponential",
        lambda steps: schedules.Exponential(0.03, gamma=0.5, every=steps),
        lambda params, lr: gs.Adagrad(params, lr=lr),
        textbook.Adagrad,
    ),
    Recipe(
        "RMSprop",
        "CosineRestarts",
        # Cycles of 1/7, 2/7 and 4/7 of the run: the third ends with it.
        lambda steps: schedules.CosineRestarts(2e-3, period=max(1, -(-steps // 7)), period_mult=2, end=1e-5),
        lambda params, lr: gs.RMSprop(params, lr=lr),
        textbook.RMSprop,
    ),
    Recipe(
        "Adam",
        "OneCycle",
        lambda steps: schedules.OneCycle(5e-3, steps=steps),
        lambda params, lr: gs.Adam(params, lr=lr),
        textbook.Adam,
    ),
    Recipe(
        "AdamW",
        "Linear, warmup",
        lambda steps: schedules.Linear(3e-3, 0.0, steps=steps - steps // 10).warmup(steps // 10),
        lambda params, lr: gs.AdamW(params, lr=lr, weight_decay=0.01),
        lambda params: textbook.AdamW(params, weight_decay=0.01),
    ),
)
