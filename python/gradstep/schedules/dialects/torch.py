"""The schedulers of ``torch.optim.lr_scheduler``.

``lr`` is the rate of the optimizer. torch computes most rates from the last one; the closed forms here are
the same but for its rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Literal

from gradstep.schedules.base import Schedule
from gradstep.schedules.compositions import Constant
from gradstep.schedules.decays import Exponential, Linear, Polynomial, StepDecay
from gradstep.schedules.functions import Lambda, RunningProduct
from gradstep.schedules.joins import Join
from gradstep.schedules.milestones import MultiStep, Piecewise
from gradstep.schedules.phases import OneCycle
from gradstep.schedules.waves import Cosine, CosineRestarts, Cyclic


def LambdaLR(lr: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """lr·λ(t)."""
    return Lambda(lr_lambda) * lr


def MultiplicativeLR(lr: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """lr·λ(1)·λ(2)·…·λ(t)."""
    return Lambda(RunningProduct(lr_lambda)) * lr


def StepLR(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """lr·γ^⌊t/n⌋."""
    return StepDecay(lr, gamma, step_size)


def MultiStepLR(lr: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """lr·γ^#{m ≤ t}."""
    return MultiStep(lr, sorted(milestones), gamma)


def ConstantLR(lr: float, factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """lr·f until T, then lr."""
    return Piecewise([total_iters], [lr * factor, lr])


def LinearLR(
    lr: float, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Schedule:
    """A line from lr·f₀ to lr·f₁."""
    return Linear(lr * start_factor, lr * end_factor, total_iters)


def ExponentialLR(lr: float, gamma: float) -> Schedule:
    """lr·γᵗ."""
    return Exponential(lr, gamma)


def PolynomialLR(lr: float, total_iters: int = 5, power: float = 1.0) -> Schedule:
    """lr·(1 − t/T)^p."""
    return Polynomial(lr, 0.0, total_iters, power)


def CosineAnnealingLR(lr: float, T_max: int, eta_min: float = 0.0) -> Schedule:
    """η + (lr − η)(1 + cos πt/T)/2, which rises again past T."""
    return Cosine(lr, T_max, eta_min, periodic=True)


def CosineAnnealingWarmRestarts(lr: float, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:
    """The same, begun anew after T₀, T₀ + mT₀ and so on."""
    return CosineRestarts(lr, T_0, T_mult, end=eta_min)


def OneCycleLR(
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> OneCycle:
    """One rise and one long fall; its momentum is ``OneCycle.momentum``."""
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise ValueError("total_steps must be given, or both epochs and steps_per_epoch")
        total_steps = epochs * steps_per_epoch
    return OneCycle(
        max_lr, total_steps, pct_start, div_factor, final_div_factor, anneal_strategy, three_phase
    )


def CyclicLR(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[int], float] | None = None,
    scale_mode: Literal["cycle", "iterations"] = "cycle",
) -> Schedule:
    """Triangles; their momentum is ``Cyclic.momentum``. ``scale_fn`` is asked for cycle 1, 2, … or for t."""
    if scale_fn is None:
        return Cyclic(base_lr, max_lr, step_size_up, step_size_down, mode, gamma)
    triangles = Cyclic(0.0, max_lr - base_lr, step_size_up, step_size_down)
    heights: Schedule = Lambda(scale_fn)
    if scale_mode == "cycle":
        heights = heights.shift(1).every(triangles.params["up"] + triangles.params["down"])
    return triangles * heights + base_lr


def SequentialLR(schedulers: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """One after another, each from its own beginning."""
    return Join(schedulers, milestones)


def ChainedScheduler(lr: float, schedulers: Sequence[Schedule]) -> Schedule:
    """The product of all: lr times what each makes of a rate of 1."""
    return reduce(mul, schedulers, Constant(lr))


def ReduceLROnPlateau(
    lr: float,
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float = 0.0,
) -> Schedule:
    """A rate that falls when a metric no longer improves; there is no ``eps``, every fall is made."""
    # Feedback is made of schedules, and so not there yet while this module is imported.
    from gradstep.feedback import Plateau

    return Plateau(Constant(lr), factor, patience, threshold, threshold_mode, cooldown, min_lr, mode)


SCHEDULERS: dict[str, Callable[..., Schedule]] = {
    scheduler.__name__: scheduler
    for scheduler in (
        ChainedScheduler,
        ConstantLR,
        CosineAnnealingLR,
        CosineAnnealingWarmRestarts,
        CyclicLR,
        ExponentialLR,
        LambdaLR,
        LinearLR,
        MultiStepLR,
        MultiplicativeLR,
        OneCycleLR,
        PolynomialLR,
        ReduceLROnPlateau,
        SequentialLR,
        StepLR,
    )
}
