"""The schedules of ``transformers.optimization``.

Their names are those of ``lr_scheduler_type`` or of their functions. ``lr`` is the rate of the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from gradstep.schedules.base import Schedule
from gradstep.schedules.compositions import Constant
from gradstep.schedules.decays import InverseSqrt, Linear, Polynomial
from gradstep.schedules.dialects.torch import ReduceLROnPlateau
from gradstep.schedules.phases import WarmupStableDecay
from gradstep.schedules.waves import Cosine

if TYPE_CHECKING:
    from fractions import Fraction

Shape = Literal["linear", "cosine", "1-sqrt"]


def get_constant_schedule(lr: float) -> Schedule:
    """Always the same."""
    return Constant(lr)


def get_constant_schedule_with_warmup(lr: float, num_warmup_steps: int) -> Schedule:
    """A line from 0 to lr."""
    return _warmed_up(Constant(lr), num_warmup_steps)


def get_linear_schedule_with_warmup(lr: float, num_warmup_steps: int, num_training_steps: int) -> Schedule:
    """A line from 0 to lr, and one to 0."""
    return _warmed_up(Linear(lr, 0.0, num_training_steps - num_warmup_steps), num_warmup_steps)


def get_cosine_schedule_with_warmup(
    lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5
) -> Schedule:
    """A line from 0, and a cosine of so many whole waves, which goes on past the end."""
    return _warmed_up(_waves(lr, num_training_steps - num_warmup_steps, num_cycles), num_warmup_steps)


def get_cosine_with_hard_restarts_schedule_with_warmup(
    lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 1
) -> Schedule:
    """A line from 0, and so many half waves from lr to 0; then 0."""
    steps = num_training_steps - num_warmup_steps
    cycles = _fraction(num_cycles)
    # Half a wave of each t is the same of `cycles`·t, which is counted in integers.
    long = steps * cycles.denominator
    waves = Cosine(lr, long).repeat(long).stride(cycles.numerator).then(Constant(0.0), at=steps)
    return _warmed_up(Cosine(lr, steps) if cycles == 1 else waves, num_warmup_steps)


def get_cosine_with_min_lr_schedule_with_warmup(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Schedule:
    """The cosine, down to a least rate."""
    end = _least(lr, min_lr, min_lr_rate)
    return _warmed_up(_waves(lr, num_training_steps - num_warmup_steps, num_cycles, end), num_warmup_steps)


def get_cosine_with_min_lr_schedule_with_warmup_lr_rate(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    """The same one step ahead, after a rise from lr/w (or what is given) to lr at step w − 1."""
    end = _least(lr, min_lr, min_lr_rate)
    waves = _waves(lr, num_training_steps - num_warmup_steps, num_cycles, end).shift(1)
    if num_warmup_steps <= 0:
        return waves
    first = lr / num_warmup_steps if warmup_lr_rate is None else lr * warmup_lr_rate
    rise = Linear(first, lr, num_warmup_steps - 1) if num_warmup_steps > 1 else Constant(first)
    return rise.then(waves, at=num_warmup_steps)


def get_polynomial_decay_schedule_with_warmup(
    lr: float, num_warmup_steps: int, num_training_steps: int, lr_end: float = 1e-7, power: float = 1.0
) -> Schedule:
    """A line from 0, and (lr − η_T)(1 − t/T)^p + η_T."""
    decay = Polynomial(lr, lr_end, num_training_steps - num_warmup_steps, power)
    return _warmed_up(decay, num_warmup_steps)


def get_inverse_sqrt_schedule(lr: float, num_warmup_steps: int, timescale: int | None = None) -> Schedule:
    """A line from 0, and lr·√(τ/(t + τ)), t being counted from the end of the warmup."""
    if timescale is None:
        timescale = num_warmup_steps or 10_000
    return _warmed_up(InverseSqrt(lr, timescale).shift(timescale), num_warmup_steps)


def get_wsd_schedule(
    lr: float,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: Shape = "linear",
    decay_type: Shape = "cosine",
    min_lr_ratio: float = 0.0,
    num_cycles: float = 0.5,
) -> Schedule:
    """A rise from the least rate, a plateau, a fall to the least rate."""
    if num_stable_steps is None:
        if num_training_steps is None:
            raise ValueError("num_training_steps or num_stable_steps must be given")
        num_stable_steps = num_training_steps - num_warmup_steps - num_decay_steps
    end = lr * min_lr_ratio
    rest: Schedule
    if decay_type == "cosine" and num_cycles != 0.5:
        waves = _waves(lr, num_decay_steps, num_cycles, end).then(Constant(end), at=num_decay_steps)
        rest = Constant(lr).then(waves, at=num_stable_steps) if num_stable_steps else waves
    else:
        rest = WarmupStableDecay(lr, 0, num_stable_steps, num_decay_steps, end, _shape(decay_type))
    return rest.warmup(num_warmup_steps, min_lr_ratio, _shape(warmup_type))


#: Numbers of cycles are taken for fractions with denominators up to this one.
MOST = 1_000_000


def _fraction(cycles: float) -> Fraction:
    # Not with the package: to import it takes as long as all schedules.
    from fractions import Fraction

    return Fraction(cycles).limit_denominator(MOST)


def _waves(lr: float, steps: int, cycles: float, end: float = 0.0) -> Schedule:
    """Give so many whole waves in so many steps, for ever."""
    halves = _fraction(cycles) * 2
    waves = Cosine(lr, steps * halves.denominator, end, periodic=True)
    return waves if halves.numerator == 1 else waves.stride(halves.numerator)


def _warmed_up(schedule: Schedule, steps: int) -> Schedule:
    return schedule.warmup(steps, start=0.0)


def _least(lr: float, min_lr: float | None, min_lr_rate: float | None) -> float:
    if min_lr is not None and min_lr_rate is None:
        return min_lr
    if min_lr is None and min_lr_rate is not None:
        return lr * min_lr_rate
    raise ValueError("one of min_lr and min_lr_rate must be given")


def _shape(name: str) -> Literal["linear", "cosine", "sqrt"]:
    shapes: dict[str, Literal["linear", "cosine", "sqrt"]] = {
        "linear": "linear",
        "cosine": "cosine",
        "1-sqrt": "sqrt",
    }
    if name not in shapes:
        raise ValueError(
            f"warmup_type and decay_type must be one of {', '.join(map(repr, shapes))}, got {name!r}"
        )
    return shapes[name]


SCHEDULERS: dict[str, Callable[..., Schedule]] = {
    "constant": get_constant_schedule,
    "constant_with_warmup": get_constant_schedule_with_warmup,
    "cosine": get_cosine_schedule_with_warmup,
    "cosine_warmup_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup_lr_rate,
    "cosine_with_min_lr": get_cosine_with_min_lr_schedule_with_warmup,
    "cosine_with_restarts": get_cosine_with_hard_restarts_schedule_with_warmup,
    "inverse_sqrt": get_inverse_sqrt_schedule,
    "linear": get_linear_schedule_with_warmup,
    "polynomial": get_polynomial_decay_schedule_with_warmup,
    "reduce_lr_on_plateau": ReduceLROnPlateau,
    "warmup_stable_decay": get_wsd_schedule,
    "wsd": get_wsd_schedule,
}
