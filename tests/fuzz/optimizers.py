"""Optimizers as the fuzzed bytes have them: their class, options, parameters, and steps so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import gradstep as gs
from reference import RULES
from settings import OPTIONS, known

if TYPE_CHECKING:
    from atheris import FuzzedDataProvider

SHAPES = [(), (0,), (1,), (3,), (17,), (2, 3), (3, 2), (600,)]
DTYPES = ["float32", "float64", "complex64"]
FORMATS = ["bfloat16", "8bit"]
RATES: list[Callable[[], Any]] = [
    lambda: gs.feedback.Plateau(gs.schedules.Constant(0.5)),
    lambda: gs.feedback.LossScaled(gs.schedules.Constant(0.5), beta=0.9),
    lambda: gs.schedules.Lambda(lambda t: 0.5 / (t + 1)),
    lambda: gs.schedules.Table([0.5, 0.25]).every(2),
]


def drawn(data: FuzzedDataProvider) -> Callable[..., Any]:
    """A function that makes the same one at each call, but for options that are given then."""
    name = data.PickValueInList(sorted(RULES))
    options: dict[str, Any] = {}
    for _ in range(data.ConsumeIntInRange(0, 2)):
        options |= known(name, OPTIONS[data.PickValueInList(sorted(OPTIONS))])
    rate = data.PickValueInList(RATES) if data.ConsumeBool() else None
    shapes = [data.PickValueInList(SHAPES) for _ in range(data.ConsumeIntInRange(1, 3))]
    dtypes = [data.PickValueInList(DTYPES) for _ in shapes]
    if data.ConsumeIntInRange(0, 2) == 0:
        options["state_dtype"] = data.PickValueInList(FORMATS)
        shapes[0] = (70, 61) if options["state_dtype"] == "8bit" else shapes[0]
        dtypes = ["float32" for _ in shapes]
    steps, missing = data.ConsumeIntInRange(0, 3), data.ConsumeBool()
    if data.ConsumeBool():
        options["groups"] = {"p0": {"weight_decay": 0.25}}

    def make(**others: Any) -> Any:
        params = {f"p{i}": np.ones(shapes[i], dtypes[i]) for i in range(len(shapes))}
        opt = getattr(gs, name)(params, **options | others, **({"lr": rate()} if rate else {}))
        for t in range(steps):
            step(opt, t + 1.0, missing)
        return opt

    return make


def step(opt: Any, value: float, missing: bool = False) -> None:
    """Make a step with gradients of this value, or with none for the first parameter."""
    grads = {name: np.full_like(p, value) for name, p in opt.params.items()}
    opt.step(grads | {"p0": None} if missing else grads, loss=1.0)
