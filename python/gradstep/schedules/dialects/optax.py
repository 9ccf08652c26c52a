"""The schedules of ``optax.schedules``, and ``optax.contrib.reduce_on_plateau``.

jax computes them in float32 by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import mul
from typing import Any, Literal

from gradstep.schedules.base import Schedule
from gradstep.schedules.compositions import Constant
from gradstep.schedules.decays import Exponential, Linear, Polynomial
from gradstep.schedules.joins import Join
from gradstep.schedules.milestones import Interpolated, Piecewise
from gradstep.schedules.waves import Cosine


def constant_schedule(value: float) -> Schedule:
    """Always the same."""
    return Constant(value)


def linear_schedule(
    init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    """A line."""
    if transition_steps <= 0:
        return Constant(init_value)
    return _begun(transition_begin, init_value, Linear(init_value, end_value, transition_steps))


def polynomial_schedule(
    init_value: float, end_value: float, power: float, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    """(η₀ − η_T)(1 − t/T)^p + η_T."""
    if transition_steps <= 0:
        return Constant(init_value)
    return _begun(transition_begin, init_value, Polynomial(init_value, end_value, transition_steps, power))


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """η₀ times the scales of all boundaries b ≤ t."""
    return Piecewise(*_scaled(init_value, boundaries_and_scales))


def piecewise_interpolate_schedule(
    interpolate_type: Literal["linear", "cosine"],
    init_value: float,
    boundaries_and_scales: Mapping[int, float] | None = None,
) -> Schedule:
    """Lines or half waves between the values of a piecewise constant one, from η₀ at t = 0."""
    boundaries, values = _scaled(init_value, boundaries_and_scales)
    return Interpolated([0, *boundaries], values, interpolate_type)


def exponential_decay(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """η₀·r^(t/T), or with ⌊t/T⌋, which stops at a last value."""
    if transition_steps <= 0 or decay_rate == 0:
        return Constant(init_value)
    decay = _begun(
        transition_begin, init_value, Exponential(init_value, decay_rate, transition_steps, staircase)
    )
    if end_value is None:
        return decay
    if decay_rate < 1:
        return decay.clip(end_value, max(init_value, end_value))
    return decay.clip(min(init_value, end_value), end_value)


def cosine_decay_schedule(
    init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0
) -> Schedule:
    """η₀((1 − α)((1 + cos πt/T)/2)^p + α)."""
    if exponent == 1:
        return Cosine(init_value, decay_steps, alpha * init_value)
    wave = Cosine(1.0, decay_steps) ** exponent * ((1 - alpha) * init_value)
    return wave if alpha == 0 else wave + alpha * init_value


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Schedule:
    """A line, then its last value."""
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    """A line, then a cosine; ``decay_steps`` are those of both."""
    alpha = 0.0 if peak_value == 0 else end_value / peak_value
    decay = cosine_decay_schedule(peak_value, decay_steps - warmup_steps, alpha, exponent)
    return _warmed_up(init_value, peak_value, warmup_steps, decay)


def warmup_exponential_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """A line, then an exponential decay."""
    decay = exponential_decay(
        peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value
    )
    return _warmed_up(init_value, peak_value, warmup_steps, decay)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Several of ``warmup_cosine_decay_schedule``, one after another."""
    each = [dict(kwargs) for kwargs in cosine_kwargs]
    ends = accumulate(kwargs["decay_steps"] for kwargs in each)
    return Join([warmup_cosine_decay_schedule(**kwargs) for kwargs in each], list(ends)[:-1])


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Half waves to the peak at ⌊p·N⌋ and to the last value at N."""
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(transition_steps): 1 / (div_factor * final_div_factor),
    }
    return piecewise_interpolate_schedule("cosine", peak_value / div_factor, scales)


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """Lines to the peak at ⌊p·N⌋, back down at ⌊q·N⌋, and to the last value at N."""
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1 / div_factor,
        transition_steps: 1 / final_div_factor,
    }
    return piecewise_interpolate_schedule("linear", peak_value / div_factor, scales)


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """One after another, each from its own beginning."""
    return Join(schedules, boundaries)


def reduce_on_plateau(
    lr: float,
    factor: float = 0.1,
    patience: int = 10,
    rtol: float = 1e-4,
    atol: float = 0.0,
    cooldown: int = 0,
    accumulation_size: int = 1,
    min_scale: float = 0.0,
) -> Schedule:
    """A rate that falls when the mean of several losses no longer improves."""
    # Feedback is made of schedules, and so not there yet while this module is imported.
    from gradstep.feedback import Plateau

    if rtol and atol:
        raise ValueError(f"one of rtol and atol must be 0, got {rtol} and {atol}")
    mode: Literal["rel", "abs"] = "abs" if atol else "rel"
    return Plateau(
        Constant(lr),
        factor,
        patience - 1,
        atol or rtol,
        mode,
        cooldown,
        min_scale * lr,
        mean_of=accumulation_size,
    )


def _begun(begin: int, before: float, schedule: Schedule) -> Schedule:
    """Let it begin at a step above 0."""
    return Constant(before).then(schedule, at=begin) if begin > 0 else schedule


def _warmed_up(start: float, peak: float, steps: int, schedule: Schedule) -> Schedule:
    return Linear(start, peak, steps).then(schedule, at=steps) if steps > 0 else schedule


def _scaled(value: float, scales: Mapping[int, float] | None) -> tuple[list[int], list[float]]:
    """Give the boundaries in order, and the values before, between and after them."""
    pairs = sorted((scales or {}).items())
    return [boundary for boundary, _ in pairs], list(
        accumulate((scale for _, scale in pairs), mul, initial=value)
    )


SCHEDULERS: dict[str, Callable[..., Schedule]] = {
    scheduler.__name__.removesuffix("s").removesuffix("_schedule"): scheduler
    for scheduler in (
        constant_schedule,
        cosine_decay_schedule,
        cosine_onecycle_schedule,
        exponential_decay,
        join_schedules,
        linear_onecycle_schedule,
        linear_schedule,
        piecewise_constant_schedule,
        piecewise_interpolate_schedule,
        polynomial_schedule,
        reduce_on_plateau,
        sgdr_schedule,
        warmup_constant_schedule,
        warmup_cosine_decay_schedule,
        warmup_exponential_decay_schedule,
    )
}
