"""Where training ends with state in fewer bits: ``python benches/convergence.py [seeds]`` prints the table.
With ``OPENBLAS_NUM_THREADS=1`` it is faster, as the threads of NumPy's small products wait for each other.

Three tasks, each trained by Adam with a cosine rate: a network on handwritten digits; a matrix factorisation
whose rows are seen more or less often, so that most gradients are 0; and a quadratic whose curvatures lie
between 10⁻⁴ and 1, under noise with heavy tails. What is compared is the mean training loss of the last tenth
of the steps, in pairs: of the same seed, with state in float32 and in fewer bits.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gradstep as gs
from gradstep.demo.digits import split
from gradstep.demo.network import initial_params, loss_and_grads

Array = NDArray[Any]
Task = Callable[[int, Any], list[float]]

FORMATS: list[Any] = [None, "bfloat16", "8bit"]


def adam(params: gs.Params, steps: int, form: Any, seed: int, lr: float = 1e-3) -> gs.Adam:
    rate = gs.schedules.Cosine(lr, steps)
    return gs.Adam(params, lr=rate, state_dtype=form, seed=seed)


def digits(seed: int, form: Any, steps: int = 10_000) -> list[float]:
    """A network of 64, 128, 64 and 10 units; noise is added to its input."""
    random = np.random.default_rng(seed)
    data = split()
    x, y = data.train_images, data.train_labels
    params = initial_params(random, (64, 128, 64, 10))
    opt = adam(params, steps, form, seed)
    losses = []
    for _ in range(steps):
        chosen = random.integers(0, len(x), 64)
        noisy = x[chosen] + random.standard_normal((64, 64), np.float32)
        loss, grads = loss_and_grads(params, noisy, y[chosen])
        opt.step(grads)
        losses.append(loss)
    return losses


def factors(seed: int, form: Any, steps: int = 20_000) -> list[float]:
    """600 × 500 entries of rank 16 with noise, their rows drawn by a power law."""
    random = np.random.default_rng(seed)
    rank = 16
    u, v = (random.standard_normal((n, rank)).astype(np.float32) / 2 for n in (600, 500))
    truth = u @ v.T + 0.2 * random.standard_normal((600, 500), np.float32)
    params = {"u": np.float32(0.1) * u[::-1].copy(), "v": np.float32(0.1) * v[::-1].copy()}
    opt = adam(params, steps, form, seed, lr=1e-2)
    share = 1 / np.arange(1, 601)
    rows = random.choice(600, (steps, 64), p=share / share.sum())
    columns = random.integers(0, 500, (steps, 64))
    losses = []
    for i, j in zip(rows, columns, strict=True):
        error = np.einsum("nk,nk->n", params["u"][i], params["v"][j]) - truth[i, j]
        losses.append(float((error**2).mean()))
        scaled = (error / np.float32(32))[:, None]
        grads = {name: np.zeros_like(p) for name, p in params.items()}
        np.add.at(grads["u"], i, scaled * params["v"][j])
        np.add.at(grads["v"], j, scaled * params["u"][i])
        opt.step(grads)
    return losses


def quadratic(seed: int, form: Any, steps: int = 20_000) -> list[float]:
    """4,096 dimensions, curvatures from 10⁻⁴ to 1 in random order, noise of Student's t with 3 degrees."""
    random = np.random.default_rng(seed)
    curvature = random.permutation(np.logspace(-4, 0, 4096)).astype(np.float32)
    w = np.ones(4096, np.float32)
    opt = adam({"w": w}, steps, form, seed, lr=1e-2)
    losses = []
    for _ in range(steps):
        losses.append(float(np.dot(curvature, w * w)) / 2)
        noise = random.standard_t(3, 4096).astype(np.float32)
        opt.step({"w": curvature * w + np.float32(0.1) * np.sqrt(curvature) * noise})
    return losses


TASKS: dict[str, Task] = {"digits": digits, "factors": factors, "quadratic": quadratic}


def last(losses: list[float]) -> float:
    return mean(losses[-len(losses) // 10 :])


def told(ends: list[float], whole: list[float]) -> str:
    """Tell by how much ends differ from others of the same seeds, and the standard error of that."""
    changes = [a / b - 1 for a, b in zip(ends, whole, strict=True)]
    if len(changes) < 2:
        return f"{mean(changes):+.1%}"
    return f"{mean(changes):+.1%} ± {stdev(changes) / len(changes) ** 0.5:.1%}"


def lines(seeds: int) -> Iterator[str]:
    """A row for each task: the loss with float32 and its spread, and the differences in pairs."""
    yield "| task | float32 | spread of seeds | bfloat16 | 8bit |"
    yield "|---|--:|--:|--:|--:|"
    for name, task in TASKS.items():
        ends = {form: [last(task(seed, form)) for seed in range(seeds)] for form in FORMATS}
        whole = ends[None]
        spread = stdev(whole) / mean(whole) if seeds > 1 else 0.0
        changes = " | ".join(told(ends[form], whole) for form in FORMATS[1:])
        yield f"| {name} | {mean(whole):.4f} | {spread:.1%} | {changes} |"


def main() -> None:
    """Print the table."""
    began = time.perf_counter()
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 12):
        print(line, flush=True)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
