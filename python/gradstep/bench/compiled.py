"""The update rules compiled by numba, one call a tensor. Imported only where numba is.

The loops are in float32. numba's default is to check every division for zero, as Python does, which keeps
LLVM from vectorising the loop; `error_model="numpy"` leaves that out. `fastmath=True` gives up IEEE
arithmetic: sums are reordered, and divisions and roots may become approximations.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

import gradstep as gs
from gradstep.bench import hypers
from gradstep.bench.workloads import Floats

Make = Callable[[list[Floats], list[Floats]], Callable[[], object]]
F = np.float32


def sgd(p: Any, g: Any, lr: Any) -> None:
    for i in numba.prange(p.size):
        p[i] -= lr * g[i]


def momentum(p: Any, g: Any, b: Any, lr: Any, mu: Any) -> None:
    for i in numba.prange(p.size):
        b[i] = mu * b[i] + g[i]
        p[i] -= lr * b[i]


def adagrad(p: Any, g: Any, s: Any, lr: Any, eps: Any) -> None:
    for i in numba.prange(p.size):
        s[i] += g[i] * g[i]
        p[i] -= lr * g[i] / (np.sqrt(s[i]) + eps)


def rmsprop(p: Any, g: Any, v: Any, lr: Any, alpha: Any, rest: Any, eps: Any) -> None:
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
def jit(loop: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile a loop; without `parallel`, a prange is a range."""
    compiled: Callable[..., Any] = numba.njit(**options)(loop)
    return compiled


def steps(*, parallel: bool, error_model: str = "python", fastmath: bool = False) -> dict[str, Make]:
    """Make the steps, with numba's options.

    Args:
        parallel: whether to use gradstep's number of threads instead of one.
        error_model: "python" (numba's default) or "numpy".
        fastmath: whether results may differ from those of IEEE arithmetic.
    """
    options = {"parallel": parallel, "error_model": error_model, "fastmath": fastmath}

    def plain(loop: Callable[..., Any], state: int, *constants: float) -> Make:
        def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
            kernel, tensors = prepare(loop, params, grads, state)
            scalars = [F(x) for x in (hypers.LR, *constants)]

            def step() -> None:
                for tensor in tensors:
                    kernel(*tensor, *scalars)

            return step

        return make

    def adaptive(*, weight_decay: float | None = None, max_norm: float | None = None) -> Make:
        def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
            kernel, tensors = prepare(adam if weight_decay is None else adamw, params, grads, 2)
            norm, t = jit(square_sum, **options), 0
            shrink = () if weight_decay is None else (F(1 - hypers.LR * weight_decay),)

            def step() -> None:
                nonlocal t
                t += 1
                scale = 1.0
                if max_norm is not None:
                    scale = min(1.0, max_norm / (math.sqrt(sum(norm(g) for _, g, *_ in tensors)) + 1e-6))
                beta1, beta2 = hypers.BETA1, hypers.BETA2
                correction = math.sqrt(1 - beta2**t)
                moments = (beta1, (1 - beta1) * scale, beta2, (1 - beta2) * scale * scale)
                rate = hypers.LR * correction / (1 - beta1**t)
                scalars = [*map(F, moments), F(rate), F(hypers.EPS * correction), *shrink]
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
        return jit(loop, **options), tensors

    return {
        "sgd": plain(sgd, 0),
        "momentum": plain(momentum, 1, hypers.MOMENTUM),
        "adagrad": plain(adagrad, 1, hypers.ADAGRAD_EPS),
        "rmsprop": plain(rmsprop, 1, hypers.ALPHA, 1 - hypers.ALPHA, hypers.EPS),
        "adam": adaptive(),
        "adamw": adaptive(weight_decay=hypers.WEIGHT_DECAY),
        "adam-clip": adaptive(max_norm=hypers.MAX_NORM),
    }
