"""Updates of some rows compiled by numba. Imported only where numba is.

A row that is given twice is updated twice, by whichever threads: what one writes in a loop in numba.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

import gradstep as gs
from gradstep.bench import hypers
from gradstep.bench.compiled import jit


def sgd_of_rows(p: Any, indices: Any, values: Any, lr: Any) -> None:
    """Step downhill."""
    for i in numba.prange(indices.size):
        row = indices[i]
        for k in range(p.shape[1]):
            p[row, k] -= lr * values[i, k]


def adam_of_rows(
    p: Any, m: Any, v: Any, indices: Any, values: Any, beta1: Any, beta2: Any, rate: Any, eps: Any
) -> None:
    """Step by moments; the bias corrections are in `rate` and `eps`."""
    one = np.float32(1)
    for i in numba.prange(indices.size):
        row = indices[i]
        for k in range(p.shape[1]):
            g = values[i, k]
            m[row, k] = beta1 * m[row, k] + (one - beta1) * g
            v[row, k] = beta2 * v[row, k] + (one - beta2) * g * g
            p[row, k] -= rate * m[row, k] / (np.sqrt(v[row, k]) + eps)


def step(p: Any, m: Any, v: Any, *, adam: bool) -> Callable[[Any, Any], object]:
    """Make the step on these arrays."""
    numba.set_num_threads(min(gs.get_num_threads(), numba.config.NUMBA_NUM_THREADS))
    kernel, steps = jit(adam_of_rows if adam else sgd_of_rows, parallel=True), 0
    if not adam:
        return lambda indices, values: kernel(p, indices, values, np.float32(hypers.LR))

    def take(indices: Any, values: Any) -> None:
        nonlocal steps
        steps += 1
        root = np.sqrt(1 - hypers.BETA2**steps)
        rate, eps = hypers.LR * root / (1 - hypers.BETA1**steps), hypers.EPS * root
        constants = (np.float32(x) for x in (hypers.BETA1, hypers.BETA2, rate, eps))
        kernel(p, m, v, indices, values, *constants)

    return take
