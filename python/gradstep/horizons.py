"""How many steps show what a schedule does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradstep.schedules import Schedule

DEFAULT_STEPS = 1000
"""Shown of a schedule that has no length of its own, such as a constant."""
MOST_STEPS = 2**53
"""The largest number of steps that floats count exactly."""


def default_steps(schedule: Schedule) -> int:
    """Give a number of steps that shows a schedule whole.

    That is to its end, which is its last new value; three periods of one that repeats itself; the fall to a
    hundredth of one that decays exponentially and to about a tenth or a third of one that decays more slowly;
    past the last boundary by a quarter. 1,000 for what has no length, such as a constant.

    Example:
        >>> from gradstep.horizons import default_steps
        >>> from gradstep.schedules import Constant, Cosine
        >>> default_steps(Cosine(0.1, 1000).warmup(100))
        1101
        >>> default_steps(Constant(0.1))
        1000
    """
    last = horizon(schedule)
    if last is None:
        return DEFAULT_STEPS
    # A decay that hardly moves may have an infinite horizon. Rounded, a whole number that came out of
    # logarithms is whole.
    return math.ceil(round(last, 6)) + 1 if last < MOST_STEPS else MOST_STEPS


def horizon(schedule: Schedule) -> float | None:
    """Give the t until which a schedule should be seen, or None if it has no length of its own."""
    p = schedule.params
    inner = horizon(p["schedule"]) if "schedule" in p else None
    match type(schedule).__name__:
        case "Linear" | "OneCycle":
            return float(p["steps"])
        case "Polynomial":
            return float(p["steps"] * (3 if p["cycle"] else 1))
        case "Cosine":
            return float(p["steps"] * (6 if p["periodic"] else 1))
        case "Exponential" | "StepDecay":
            rate = p["rate"] if "rate" in p else log_rate(p["gamma"]) / p["every"]
            return math.log(100) / abs(rate) if rate else None
        case "InverseTime":
            return 10 * p["every"] / p["rate"] if p["rate"] else None
        case "InverseSqrt":
            return float(10 * p["timescale"])
        case "MultiStep" | "Piecewise":
            boundaries = p.get("milestones", p.get("boundaries"))
            return 1.25 * boundaries[-1] if boundaries else None
        case "Table":
            return float(len(p["values"]))
        case "CosineRestarts":
            return float(p["period"] * (1 + p["period_mult"] * (1 + p["period_mult"])))
        case "Cyclic":
            return float(3 * (p["up"] + p["down"]))
        case "WarmupStableDecay":
            return float(p["warmup"] + p["stable"] + p["decay"])
        case "Join":
            last = horizon(p["schedules"][-1])
            start = p["at"][-1] if p["at"] else 0
            return start + last if last is not None else 1.25 * start or None
        case "Product":
            return max((h for h in (horizon(p["a"]), horizon(p["b"])) if h is not None), default=None)
        case "Warmup":
            return p["steps"] + inner if inner is not None else 4 * p["steps"] or None
        case "Every":
            return None if inner is None else inner * p["k"]
        case "Shift":
            return None if inner is None else max(inner - p["n"], 1)
        case "Repeat":
            return float(3 * p["period"])
        case _:
            return inner


def log_rate(gamma: float) -> float:
    """Give the rate of decay that a factor stands for; that to 0 is as steep as one to the least float."""
    return math.log(max(gamma, 5e-324))
