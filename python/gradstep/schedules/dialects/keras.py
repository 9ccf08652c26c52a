"""The schedules of ``keras.optimizers.schedules``.

Keras computes them in the dtype of its backend, float32 by default. ``name``, which every one of them takes,
names an operation there and nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradstep.schedules.base import Schedule
from gradstep.schedules.compositions import Constant
from gradstep.schedules.decays import Exponential, InverseTime, Linear, Polynomial
from gradstep.schedules.milestones import Piecewise
from gradstep.schedules.waves import Cosine, CosineRestarts


def ExponentialDecay(
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
    name: str | None = None,
) -> Schedule:
    """η₀·r^(t/T), or with ⌊t/T⌋."""
    return Exponential(initial_learning_rate, decay_rate, _whole(decay_steps), staircase)


def InverseTimeDecay(
    initial_learning_rate: float,
    decay_steps: float,
    decay_rate: float,
    staircase: bool = False,
    name: str | None = None,
) -> Schedule:
    """η₀/(1 + r·t/T), or with ⌊t/T⌋."""
    return InverseTime(initial_learning_rate, decay_rate, _whole(decay_steps), staircase)


def PiecewiseConstantDecay(
    boundaries: Sequence[int], values: Sequence[float], name: str | None = None
) -> Schedule:
    """values[#{b < t}]: it changes at the step after each boundary."""
    return Piecewise([int(boundary) + 1 for boundary in boundaries], values)


def PolynomialDecay(
    initial_learning_rate: float,
    decay_steps: float,
    end_learning_rate: float = 1e-4,
    power: float = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Schedule:
    """(η₀ − η_T)(1 − t/T)^p + η_T."""
    return Polynomial(initial_learning_rate, end_learning_rate, _whole(decay_steps), power, cycle)


def CosineDecay(
    initial_learning_rate: float,
    decay_steps: float,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: float = 0,
    name: str | None = None,
) -> Schedule:
    """η((1 − α)(1 + cos πt/T)/2 + α) after a line from η₀ to η, whose steps are not part of T."""
    peak = initial_learning_rate if warmup_target is None else warmup_target
    decay = Cosine(peak, _whole(decay_steps), alpha * peak)
    if warmup_target is None or warmup_steps == 0:
        return decay
    steps = _whole(warmup_steps)
    return Linear(initial_learning_rate, warmup_target, steps).then(decay, at=steps)


def CosineDecayRestarts(
    initial_learning_rate: float,
    first_decay_steps: float,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str | None = None,
) -> Schedule:
    """η₀((1 − α)·mⁱ(1 + cos πx)/2 + α) in cycle i, whose beginning is not rounded."""
    waves = CosineRestarts(
        (1 - alpha) * initial_learning_rate,
        _whole(first_decay_steps),
        t_mul,
        m_mul,
        rounded=False,
    )
    return waves if alpha == 0 else waves + Constant(alpha * initial_learning_rate)


def _whole(steps: Any) -> Any:
    """Give the integer that a float stands for, as in Keras's own examples; what is none is refused later."""
    return int(steps) if isinstance(steps, float) and steps.is_integer() else steps


SCHEDULERS: dict[str, Callable[..., Schedule]] = {
    scheduler.__name__: scheduler
    for scheduler in (
        CosineDecay,
        CosineDecayRestarts,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
    )
}
