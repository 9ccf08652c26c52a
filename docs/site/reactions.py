"""What schedules that react make of a training that is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import gradstep as gs
from gradstep.feedback import GradNormScaled, LossScaled, NormGuard, Plateau
from gradstep.schedules import Constant

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 300


def by_loss() -> tuple[np.ndarray, str]:
    """Feed a loss that falls."""
    rate, values = LossScaled(Constant(0.1), beta=1.0), []
    for t in range(STEPS):
        rate.observe(10 * np.exp(-t / 60))
        values.append(rate(t))
    return np.array(values), "LossScaled(Constant(0.1), beta=1.0), while a loss falls as 10·exp(−t/60)"


def by_norm() -> tuple[np.ndarray, str]:
    """Take steps with gradients that get shorter."""
    w, values = np.zeros(1), []
    opt = gs.SGD(w, lr=GradNormScaled(Constant(0.1), beta=1.0))
    for t in range(STEPS):
        opt.step(np.array([np.exp(-t / 60)]))
        values.append(opt.lr)
    return np.array(values), "GradNormScaled(Constant(0.1), beta=1.0), while gradients shrink as exp(−t/60)"


def on_plateau() -> tuple[np.ndarray, str]:
    """Feed a loss that stalls twice."""
    rate, values = Plateau(Constant(0.1), factor=0.5, patience=20), []
    for t in range(STEPS):
        rate.observe(max(1.0 - t / 100, 0.5) if t < 150 else max(0.5 - (t - 150) / 200, 0.2))
        values.append(rate(t))
    return (
        np.array(values),
        "Plateau(Constant(0.1), factor=0.5, patience=20); the loss stalls from step 50 and from 210 on",
    )


def guarded() -> tuple[np.ndarray, str]:
    """Take steps, some with gradients much too long, and tell the norms that came through."""
    random = np.random.default_rng(0)
    w, values = np.zeros(1), []
    opt = gs.SGD(w, lr=1.0, clip_norm=NormGuard(window=50, quantile=0.9, factor=2.0))
    for t in range(STEPS):
        before = w[0]
        opt.step(np.array([random.uniform(0.5, 1.0) * (20.0 if t % 60 == 59 else 1.0)]))
        values.append(abs(w[0] - before))
    return (
        np.array(values),
        "Norms under NormGuard(window=50, quantile=0.9, factor=2.0); every 60th is 20 times too large",
    )


REACTIONS: dict[str, Callable[[], tuple[np.ndarray, str]]] = {
    "LossScaled": by_loss,
    "GradNormScaled": by_norm,
    "Plateau": on_plateau,
    "NormGuard": guarded,
}
