"""Optimizers that have made some steps, for tests of what is saved of them."""

from __future__ import annotations

from typing import Any

import gradstep as gs
from trees import like


def trained(params: Any, steps: int = 3, **options: Any) -> gs.Adam:
    opt = gs.Adam(params, lr=0.125, amsgrad=True, **options)
    for seed in range(steps):
        opt.step(like(params, seed))
    return opt
