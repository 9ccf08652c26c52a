"""The way of each rule down Rosenbrock's valley, at the best of many rates."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from charts import Chart
from contourpy import contour_generator

import gradstep as gs

if TYPE_CHECKING:
    from collections.abc import Callable

START, GOAL = (-1.2, 1.0), (1.0, 1.0)
STEPS = 500
#: Tried for every rule; the one that comes nearest to the minimum is drawn.
RATES = tuple(digit * 10.0**power for power in range(-5, 2) for digit in (1, 2, 5))
ACROSS, UP = (-1.6, 1.6), (-0.6, 1.8)


def height(x: float, y: float) -> float:
    """Give Rosenbrock's function."""
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def walk(rule: Callable[..., gs.Optimizer], lr: float) -> list[tuple[float, float]]:
    """Go down from the start, and tell where the rule was; an average counts where the rule is about one."""
    point = np.array(START)
    opt, way = rule(point, lr=lr), [START]
    averaging = isinstance(opt, gs.ScheduleFreeSGD | gs.ScheduleFreeAdamW)
    for _ in range(STEPS):
        x, y = point.tolist()
        opt.step(np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]))
        at: Any = opt.averaged if averaging else point
        x, y = at.tolist()
        if not math.hypot(x, y) < 10:
            break
        way.append((x, y))
    return way


def best(rule: Callable[..., gs.Optimizer]) -> tuple[float, list[tuple[float, float]]]:
    """Find the rate that comes lowest in all steps, and its way."""
    ways = [(lr, walk(rule, lr)) for lr in RATES]
    return min(((lr, way) for lr, way in ways if len(way) > STEPS), key=lambda found: height(*found[1][-1]))


@cache
def levels() -> list[list[tuple[float, float]]]:
    """Draw the lines of equal height, each ten times the last."""
    xs, ys = np.linspace(*ACROSS, 161), np.linspace(*UP, 121)
    grid = contour_generator(xs, ys, [[height(x, y) for x in xs] for y in ys])
    return [line.tolist() for level in (0.1, 1, 10, 100, 1000) for line in grid.lines(level)]


def valley(rule: type[gs.Optimizer]) -> tuple[str, str]:
    """Draw the valley and the way of a rule, and say what is to be seen."""
    lr, way = best(rule)
    chart = Chart(ACROSS, UP, size=(440, 340))
    for line in levels():
        chart.line(line, "contour")
    inside = [(x, y) for x, y in way if ACROSS[0] <= x <= ACROSS[1] and UP[0] <= y <= UP[1]]
    chart.line(inside, "curve")
    chart.dot(*START, "start")
    chart.dot(*GOAL, "goal")
    away = math.dist(way[-1], GOAL)
    words = (
        f"{STEPS} steps of {rule.__name__}(lr={lr:g}) down Rosenbrock's valley, "
        "from the empty dot towards the full one"
    )
    return (
        chart.svg(words),
        f"{words}: {away:.2g} from it at the end. "
        f"The rate is the best of {len(RATES)}, from {RATES[0]:g} to {RATES[-1]:g}.",
    )
