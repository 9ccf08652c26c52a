"""The update rules compiled by numba, one call a tensor. Imported only where numba is.

The loops are strict IEEE arithmetic (no fastmath) in float32. numba's default is to check every division for
zero, as Python does, which keeps LLVM from vectorising the loop; `error_model="numpy"` leaves that out.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

import gradstep as gs
from gradstep.bench.rules import (
    ADAGRAD_EPS,
    ALPHA,
    BETA1,
    BETA2,
    EPS,
    LR,
    MAX_NORM,
    MOMENTUM,
    WEIGHT_DECAY,
)
from gradstep.bench.workloads import Floats

Make = Callable[[list[Floats], list[Floats]], Callable[[], object]]
F = np.float32


def sgd(p: Any, g: Any, lr: Any) -> None:
    """Update one array."""
    for i in numba.prange(p.size):
        p[i] -= lr * g[i]


def momentum(p: Any, g: Any, b: Any, lr: Any, mu: Any) -> None:
    """Update one array."""
    for i in numba.prange(p.size):
        b[i] = mu * b[i] + g[i]
        p[i] -= lr * b[i]


def adagrad(p: Any, g: Any, s: Any, lr: Any, eps: Any) -> None:
    """Update one array."""
    for i in numba.prange(p.size):
        s[i] += g[i] * g[i]
        p[i] -= lr * g[i] / (np.sqrt(s[i]) + eps)


def rmsprop(p: Any, g: Any, v: Any, lr: Any, alpha: Any, rest: Any, eps: Any) -> None:
    """Update one array."""
    for i in numba.prange(p.size):
        v[i] = alpha * v[i] + rest * g[i] * g[i]
        p[i] -= lr * g[i] / (np.sqrt(v[i]) + eps)


def adam(
    p: Any, g: Any, m: Any, v: Any, beta1: Any, rest1: Any, beta2: Any, rest2: Any, rate: Any, eps: Any
) -> None:
    """Update one array; the bias corrections are in `rate` and `eps`, a clipping scale in both rests."""
    for i in numba.prange(p.size):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i]
        p[i] -= rate * m[i] / (np.sqrt(v[i]) + eps)


def adamw(
    p: Any,
    g: Any,
    m: Any,
    v: Any,
    beta1: Any,
    rest1: Any,
    beta2: Any,
    rest2: Any,
    rate: Any,
    eps: Any,
    shrink: Any,
) -> None:
    """Update one array."""
    for i in numba.prange(p.size):
        m[i] = beta1 * m[i] + rest1 * g[i]
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i]
        p[i] = shrink * p[i] - rate * m[i] / (np.sqrt(v[i]) + eps)


def square_sum(g: Any) -> Any:
    """Sum the squares of one array in float64."""
    total = 0.0
    for i in numba.prange(g.size):
        total += np.float64(g[i]) * g[i]
    return total


@cache
def jit(loop: Callable[..., Any], parallel: bool, error_model: str) -> Callable[..., Any]:
    """Compile a loop; without `parallel`, a prange is a range."""
    compiled: Callable[..., Any] = numba.njit(parallel=parallel, error_model=error_model)(loop)
    return compiled


def steps(*, parallel: bool, error_model: str) -> dict[str, Make]:
    """Make the steps.

    Args:
        parallel: whether to use gradstep's number of threads instead of one.
        error_model: numba's option: "python" (numba's default) or "numpy".
    """

    def plain(loop: Callable[..., Any], state: int, *constants: float) -> Make:
        def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
            kernel, tensors = prepare(loop, params, grads, state)
            scalars = [F(x) for x in (LR, *constants)]

            def step() -> None:
                for tensor in tensors:
                    kernel(*tensor, *scalars)

            return step

        return make

    def adaptive(*, weight_decay: float | None = None, max_norm: float | None = None) -> Make:
        def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
            kernel, tensors = prepare(adam if weight_decay is None else adamw, params, grads, 2)
            norm, t = jit(square_sum, parallel, error_model), 0
            shrink = () if weight_decay is None else (F(1 - LR * weight_decay),)

            def step() -> None:
                nonlocal t
                t += 1
                scale = 1.0
                if max_norm is not None:
                    scale = min(1.0, max_norm / (math.sqrt(sum(norm(g) for _, g, *_ in tensors)) + 1e-6))
                correction = math.sqrt(1 - BETA2**t)
                moments = (BETA1, (1 - BETA1) * scale, BETA2, (1 - BETA2) * scale * scale)
                rate = LR * correction / (1 - BETA1**t)
                scalars = [*map(F, moments), F(rate), F(EPS * correction), *shrink]
                for tensor in tensors:
                    kernel(*tensor, *scalars)

            return step

        return make

    def prepare(loop: Callable[..., Any], params: list[Floats], grads: list[Floats], state: int) -> Any:
        numba.set_num_threads(min(gs.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
        tensors = [
            (p.ravel(), g.ravel(), *(np.zeros(p.size, p.dtype) for _ in range(state)))
            for p, g in zip(params, grads, strict=True)
        ]
        return jit(loop, parallel, error_model), tensors

    return {
        "sgd": plain(sgd, 0),
        "momentum": plain(momentum, 1, MOMENTUM),
        "adagrad": plain(adagrad, 1, ADAGRAD_EPS),
        "rmsprop": plain(rmsprop, 1, ALPHA, 1 - ALPHA, EPS),
        "adam": adaptive(),
        "adamw": adaptive(weight_decay=WEIGHT_DECAY),
        "adam-clip": adaptive(max_norm=MAX_NORM),
    }
