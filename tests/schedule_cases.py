"""Every kind of schedule beside its closed form, in textbook notation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import ceil, cos, exp, pi, sqrt
from typing import NamedTuple

from gradstep.schedules import (
    Clip,
    Constant,
    Cooldown,
    Cosine,
    CosineRestarts,
    Cyclic,
    Every,
    Exponential,
    Interpolated,
    InverseSqrt,
    InverseTime,
    Join,
    Lambda,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Polynomial,
    Power,
    Product,
    Repeat,
    Schedule,
    Shift,
    StepDecay,
    Stride,
    Sum,
    Table,
    Warmup,
    WarmupStableDecay,
)

FAR = 10**12


class Case(NamedTuple):
    schedule: Schedule
    formula: Callable[[int], float]
    """The value at t, in plain Python floats."""
    boundaries: tuple[int, ...] = ()
    """Where the formula changes. The last one is the end, if it has one."""
    end: float | None = None
    """The value that holds exactly from the last boundary on."""


def inverse_step(t: int) -> float:
    """Something that pickles and has a name, for Lambda."""
    return 1.0 / (t + 1)


def cosine(a: float, b: float, x: float) -> float:
    return b + (a - b) * (1 + cos(pi * x)) / 2


def line(a: float, b: float, x: float) -> float:
    return a + (b - a) * x


def keras_polynomial(t: int, a: float, b: float, n: int, power: float) -> float:
    n = n * max(1, ceil(t / n))
    return float((a - b) * (1 - t / n) ** power + b)


def sgdr(t: float, start: float, period: float, mult: float, peak_mult: float, end: float) -> float:
    peak = start
    while t >= period:
        t -= period
        period *= mult
        peak *= peak_mult
        if mult == 1 and peak_mult == 1:
            t %= period
    return cosine(peak, end, t / period)


def torch_one_cycle(
    t: int, peak: float, n: int, p: float, div: float, final_div: float, anneal: str, three_phase: bool
) -> float:
    """`torch.optim.lr_scheduler.OneCycleLR.get_lr`, and the last value after it."""
    low = peak / div
    end = low / final_div
    if three_phase:
        phases = [(p * n - 1, low, peak), (2 * p * n - 2, peak, low), (n - 1, low, end)]
    else:
        phases = [(p * n - 1, low, peak), (n - 1, peak, end)]
    t = min(t, n - 1)
    begin = 0.0
    while len(phases) > 1 and t > phases[0][0]:
        begin = phases.pop(0)[0]
    finish, a, b = phases[0]
    x = (t - begin) / (finish - begin)
    return cosine(a, b, x) if anneal == "cos" else line(a, b, x)


def torch_cyclic(t: int, low: float, high: float, up: int, down: int, mode: str, gamma: float) -> float:
    """`torch.optim.lr_scheduler.CyclicLR.get_lr`, its phase computed in integers."""
    cycle, phase = divmod(t, up + down)
    scale = phase / up if phase <= up else 1 - (phase - up) / down
    height: float = {"triangular": 1.0, "triangular2": 2.0 ** -min(cycle, 1100), "exp_range": gamma**t}[mode]
    return low + (high - low) * scale * height


def interpolated(t: int, steps: list[int], values: list[float], shape: str) -> float:
    points = list(zip(steps, values, strict=True))
    for (begin, a), (end, b) in pairwise(points):
        if begin <= t < end:
            x = (t - begin) / (end - begin)
            return line(a, b, x) if shape == "linear" else cosine(a, b, x)
    return values[0] if t < steps[0] else values[-1]


def wsd(t: int, peak: float, w: int, stable: int, decay: int, end: float, shape: str) -> float:
    if t < w:
        return peak * (t + 1) / (w + 1)
    x = min(max(t - w - stable, 0) / decay, 1.0)
    return end + (peak - end) * fall(x, shape)


def fall(x: float, shape: str) -> float:
    return {"linear": 1 - x, "cosine": (1 + cos(pi * x)) / 2, "sqrt": 1 - sqrt(x)}[shape]


def ramp(t: int, n: int, f: float, shape: str) -> float:
    x = t / n
    if shape == "exponential":
        return float(f ** (1 - x))
    return f + (1 - f) * {"linear": x, "cosine": (1 - cos(pi * x)) / 2, "sqrt": 1 - sqrt(1 - x)}[shape]


COSINE = Cosine(0.1, 100, 0.01)
LINE = Linear(1.0, 0.25, 30)


def cosine_100(t: int) -> float:
    return cosine(0.1, 0.01, min(t, 100) / 100)


def line_30(t: int) -> float:
    return line(1.0, 0.25, min(t, 30) / 30)


def _one_cycle(n: int, p: float, anneal: str = "cos", three_phase: bool = False) -> Case:
    arguments = (0.5, n, p, 25.0, 1e4, anneal, three_phase)
    turns = (p * n - 1, 2 * p * n - 2) if three_phase else (p * n - 1,)
    boundaries = (*(int(turn) for turn in turns if turn >= 1), n - 1)
    end = None if three_phase and p > 0.5 else 0.5 / 25.0 / 1e4
    return Case(OneCycle(*arguments), lambda t: torch_one_cycle(t, *arguments), boundaries, end)  # type: ignore[arg-type]


def _cyclic(up: int, down: int, mode: str, gamma: float = 1.0, invert: bool = False) -> Case:
    arguments = (0.1, 0.7, up, down, mode, gamma)
    return Case(
        Cyclic(*arguments, invert),  # type: ignore[arg-type]
        lambda t: 0.8 - torch_cyclic(t, *arguments) if invert else torch_cyclic(t, *arguments),
        (up, up + down, 2 * up + down),
    )


def _interpolated(shape: str) -> Case:
    arguments = ([5, 20, 21, 50], [1.0, 0.3, 0.5, 0.1], shape)
    return Case(
        Interpolated(*arguments),  # type: ignore[arg-type]
        lambda t: interpolated(t, *arguments),
        (5, 20, 21, 50),
        0.1,
    )


def _cooldown(shape: str) -> Case:
    return Case(
        Cooldown(COSINE, 80, 0.3, 0.02, shape),  # type: ignore[arg-type]
        lambda t: (
            cosine_100(t) if t < 56 else 0.02 + (cosine_100(56) - 0.02) * fall((min(t, 80) - 56) / 24, shape)
        ),
        (56, 80),
        0.02,
    )


def _wsd(w: int, stable: int, decay: int, end: float, shape: str) -> Case:
    arguments = (0.3, w, stable, decay, end, shape)
    return Case(
        WarmupStableDecay(*arguments),  # type: ignore[arg-type]
        lambda t: wsd(t, *arguments),
        (w, w + stable, w + stable + decay),
        end,
    )


def _warmup(start: float, shape: str) -> Case:
    return Case(
        Warmup(COSINE, 20, start, shape),  # type: ignore[arg-type]
        lambda t: 0.1 * ramp(t, 20, start, shape) if t < 20 else cosine_100(t - 20),
        (20, 120),
        0.01,
    )


CASES: dict[str, Case] = {
    "Constant": Case(Constant(0.1), lambda _: 0.1, (1,), 0.1),
    "Linear": Case(Linear(0.1, 0.7, 30), lambda t: line(0.1, 0.7, min(t, 30) / 30), (30,), 0.7),
    "Linear, one step": Case(Linear(3.0, 0.1, 1), lambda t: 0.1 if t else 3.0, (1,), 0.1),
    "Linear, from 0": Case(Linear(0.0, 1.0, 10**6), lambda t: min(t, 10**6) / 10**6, (10**6,), 1.0),
    "Polynomial": Case(
        Polynomial(0.1, 0.01, 50, 2.5), lambda t: 0.09 * (1 - min(t, 50) / 50) ** 2.5 + 0.01, (50,), 0.01
    ),
    "Polynomial, cycle": Case(
        Polynomial(0.1, 0.01, 50, 0.5, cycle=True),
        lambda t: keras_polynomial(t, 0.1, 0.01, 50, 0.5),
        (50, 100, 150),
    ),
    "Exponential": Case(Exponential(0.1, 0.9, 7), lambda t: 0.1 * 0.9 ** (t / 7), (7,)),
    "Exponential, staircase": Case(
        Exponential(0.1, 0.9, 7, staircase=True), lambda t: 0.1 * 0.9 ** (t // 7), (7, 14)
    ),
    "Exponential.with_rate": Case(Exponential.with_rate(0.1, 0.003), lambda t: 0.1 * exp(-0.003 * t)),
    "StepDecay": Case(StepDecay(0.3, 0.1, 30), lambda t: 0.3 * 0.1 ** (t // 30), (30, 60)),
    "MultiStep": Case(
        MultiStep(0.3, [10, 20, 20, 40], 0.1),
        lambda t: 0.3 * 0.1 ** sum(m <= t for m in (10, 20, 20, 40)),
        (10, 20, 40),
    ),
    "MultiStep, none": Case(MultiStep(0.3, [], 0.1), lambda _: 0.3, (1,), 0.3),
    "Piecewise": Case(
        Piecewise([5, 9], [1.0, 0.3, 0.1]), lambda t: (1.0, 0.3, 0.1)[(t >= 5) + (t >= 9)], (5, 9), 0.1
    ),
    "InverseTime": Case(InverseTime(0.1, 0.5, 10), lambda t: 0.1 / (1 + 0.5 * t / 10), (10,)),
    "InverseTime, staircase": Case(
        InverseTime(0.1, 0.5, 10, staircase=True), lambda t: 0.1 / (1 + 0.5 * (t // 10)), (10, 20)
    ),
    "InverseSqrt": Case(InverseSqrt(0.1, 100), lambda t: 0.1 * sqrt(100 / max(t, 100)), (100,)),
    "Cosine": Case(COSINE, cosine_100, (50, 100), 0.01),
    "Cosine, periodic": Case(
        Cosine(0.1, 50, 0.01, periodic=True),
        lambda t: cosine(0.1, 0.01, (t % 100) / 50),
        (50, 100, 150, 200),
    ),
    "CosineRestarts": Case(CosineRestarts(0.1, 10), lambda t: sgdr(t, 0.1, 10, 1, 1.0, 0.0), (10, 20)),
    "CosineRestarts, doubled": Case(
        CosineRestarts(0.1, 10, 2, 0.5, 0.001),
        lambda t: sgdr(t, 0.1, 10, 2, 0.5, 0.001),
        (10, 30, 70, 10 * (2**30 - 1)),
    ),
    "CosineRestarts, between steps": Case(
        CosineRestarts(0.1, 10, 1.5, 0.5, 0.001, rounded=False),
        lambda t: sgdr(t, 0.1, 10, 1.5, 0.5, 0.001),
        (10, 25, 47, 48, 81),
    ),
    "OneCycle": _one_cycle(100, 0.3),
    "OneCycle, between steps": _one_cycle(101, 0.25),
    "OneCycle, linear": _one_cycle(100, 0.3, "linear"),
    "OneCycle, three phases": _one_cycle(100, 0.4, three_phase=True),
    "OneCycle, three phases past the end": _one_cycle(100, 0.75, "linear", three_phase=True),
    "OneCycle, no rise": _one_cycle(50, 0.0),
    "OneCycle, one step": _one_cycle(1, 0.3),
    "Cyclic": _cyclic(4, 4, "triangular"),
    "Cyclic, triangular2": _cyclic(4, 7, "triangular2"),
    "Cyclic, exp_range": _cyclic(7, 4, "exp_range", 0.99),
    "Cyclic, inverted": _cyclic(4, 7, "triangular2", invert=True),
    "WarmupStableDecay": _wsd(10, 50, 20, 0.02, "linear"),
    "WarmupStableDecay, cosine": _wsd(10, 0, 20, 0.0, "cosine"),
    "WarmupStableDecay, sqrt": _wsd(0, 50, 20, 0.02, "sqrt"),
    "Interpolated": _interpolated("linear"),
    "Interpolated, cosine": _interpolated("cosine"),
    "Interpolated, one step": Case(Interpolated([7], [0.3]), lambda _: 0.3, (7,), 0.3),
    "Table": Case(Table([0.5, 0.1, 0.2]), lambda t: (0.5, 0.1, 0.2)[min(t, 2)], (1, 2), 0.2),
    "Lambda": Case(Lambda(inverse_step), inverse_step),
    "Join": Case(
        Join([LINE, Constant(0.5), COSINE], at=[20, 45]),
        lambda t: line_30(t) if t < 20 else 0.5 if t < 45 else cosine_100(t - 45),
        (20, 45, 145),
        0.01,
    ),
    "Join, one": Case(Join([LINE], at=[]), line_30, (30,), 0.25),
    "Product": Case(Product(LINE, COSINE), lambda t: line_30(t) * cosine_100(t), (30, 100)),
    "Product, number": Case(Product(LINE, 0.5), lambda t: line_30(t) * 0.5, (30,), 0.125),
    "Sum": Case(Sum(LINE, COSINE), lambda t: line_30(t) + cosine_100(t), (30, 100)),
    "Sum, number": Case(Sum(LINE, 0.5), lambda t: line_30(t) + 0.5, (30,), 0.75),
    "Power": Case(Power(COSINE, 1.5), lambda t: cosine_100(t) ** 1.5, (100,)),
    "Warmup": _warmup(0.0, "linear"),
    "Warmup, sqrt": _warmup(0.2, "sqrt"),
    "Warmup, cosine": _warmup(0.2, "cosine"),
    "Warmup, exponential": _warmup(0.01, "exponential"),
    "Warmup, default start": Case(
        Warmup(COSINE, 20), lambda t: 0.1 * (t + 1) / 21 if t < 20 else cosine_100(t - 20), (20, 120), 0.01
    ),
    "Warmup, none": Case(Warmup(COSINE, 0), cosine_100, (100,), 0.01),
    "Cooldown": _cooldown("linear"),
    "Cooldown, cosine": _cooldown("cosine"),
    "Cooldown, sqrt": _cooldown("sqrt"),
    "Cooldown, whole": Case(
        Cooldown(Constant(0.3), 10, 1.0), lambda t: 0.3 * (1 - min(t, 10) / 10), (10,), 0.0
    ),
    "Clip": Case(Clip(COSINE, 0.02, 0.08), lambda t: min(max(cosine_100(t), 0.02), 0.08), (100,), 0.02),
    "Every": Case(Every(COSINE, 3), lambda t: cosine_100(t // 3), (3, 300), 0.01),
    "Stride": Case(Stride(COSINE, 3), lambda t: cosine_100(3 * t), (34,), 0.01),
    "Shift": Case(Shift(COSINE, 40), lambda t: cosine_100(t + 40), (60,), 0.01),
    "Repeat": Case(Repeat(COSINE, 70), lambda t: cosine_100(t % 70), (70, 140)),
}
