"""Whole training loops in NumPy, under three steps of Adam: what the loop gains.

    OPENBLAS_NUM_THREADS=1 GRADSTEP_NUM_THREADS=1 python benches/loops.py [ROUNDS] [--markdown FILE]

With more threads, those of the matrix products get into each other's way on a machine that has anything else
to do. What is measured is said in `HOW`.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

import gradstep as gs
from gradstep.bench import in_place, machine, textbook
from gradstep.bench.training import passes
from gradstep.bench.workloads import Floats
from gradstep.files import replacing
from gradstep.tables import as_markdown, as_text

LEAST_SECONDS = 5e-3
WARM_UP_ROUNDS = 3
HOW = """\
Whole training loops in NumPy, by three steps of Adam: textbook NumPy (a line of code per line of the paper),
careful NumPy (`out=` everywhere, scratch made beforehand, constants folded), and gradstep. All train copies
of the same parameters on the same data, and are compared before they are timed. In a round each goes round
its loop for at least 5 ms, in an order that rotates; a time is the median over the rounds, a ratio the median
of the ratios within each round. *The step's share* is that of the loop with textbook NumPy, and
with gradstep.
"""
KINDS = ("textbook", "careful", "gradstep")
LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
HEAD = (
    "loop",
    "textbook NumPy, µs",
    "careful NumPy, µs",
    "gradstep, µs",
    "step's share",
    "than textbook",
    "than careful",
)

Make = Callable[[list[Floats], list[Floats]], Callable[[], object]]
"""From parameters and the arrays for their gradients to what computes these."""


def perceptron(batch: int) -> Make:
    """Pass forward and backward through a network."""
    return lambda params, grads: passes(params, grads, batch)


def actor_and_critic(batch: int) -> Make:
    """Pass through two networks, as policy gradients with a critic do."""

    def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
        half = len(params) // 2
        actor = passes(params[:half], grads[:half], batch)
        critic = passes(params[half:], grads[half:], batch)
        return lambda: (actor(), critic())

    return make


def evolution(samples: int) -> Make:
    """Estimate a gradient from random directions, half of them the others' opposites."""

    def make(params: list[Floats], grads: list[Floats]) -> Callable[[], object]:
        rng = np.random.default_rng(4)
        (p,), (g,) = params, grads

        def run() -> None:
            noise = rng.standard_normal((samples, p.size), np.float32)
            above = (((p + 0.1 * noise) - 1) ** 2).sum(axis=1)
            below = (((p - 0.1 * noise) - 1) ** 2).sum(axis=1)
            np.divide((above - below) @ noise, 0.2 * samples, out=g)

        return run

    return make


def layers(*sizes: int) -> list[tuple[int, ...]]:
    """Give the shapes of a network's weights and biases."""
    return [shape for pair in pairwise(sizes) for shape in (pair, pair[1:])]


@dataclass(frozen=True)
class Loop:
    """A training loop: its name, the shapes of its parameters, and what computes their gradients."""

    name: str
    shapes: Sequence[tuple[int, ...]]
    make: Make


LOOPS = (
    Loop("784-256-128-10 network, batch of 64", layers(784, 256, 128, 10), perceptron(64)),
    Loop("the same, one sample at a time", layers(784, 256, 128, 10), perceptron(1)),
    Loop("64-64-32-10 network, batch of 32", layers(64, 64, 32, 10), perceptron(32)),
    Loop(
        "actor and critic, 8-64-64, batch of 64",
        layers(8, 64, 64, 4) + layers(8, 64, 64, 1),
        actor_and_critic(64),
    ),
    Loop("evolution strategy, 1,000 parameters, 8 pairs", [(1000,)], evolution(8)),
)  # fmt: skip


class Runner:
    """A loop under one kind of step, with stopwatches.

    Args:
        loop: the loop.
        kind: one of `KINDS`.
    """

    def __init__(self, loop: Loop, kind: str) -> None:
        rng = np.random.default_rng(0)
        params: list[Floats] = [rng.standard_normal(shape, np.float32) for shape in loop.shapes]
        grads: list[Floats] = [np.zeros_like(p) for p in params]
        self.gradients = loop.make(params, grads)
        if kind == "gradstep":
            opt = gs.Adam(params, lr=LR, beta1=BETA1, beta2=BETA2, eps=EPS)
            self.step: Callable[[], object] = lambda: opt.step(grads)
        else:
            module = textbook if kind == "textbook" else in_place
            theirs = module.Adam(params, BETA1, BETA2, EPS)
            self.step = lambda: theirs.step(grads, LR)
        self.params = params
        self.times: list[float] = []
        self.shares: list[float] = []

    def run(self, times: int) -> None:
        """Go round the loop, and note the time of a round and the step's share of it."""
        stepping, begin = 0, time.perf_counter_ns()
        for _ in range(times):
            self.gradients()
            before = time.perf_counter_ns()
            self.step()
            stepping += time.perf_counter_ns() - before
        whole = time.perf_counter_ns() - begin
        self.times.append(whole / times / 1e3)
        self.shares.append(stepping / whole)


def check(loop: Loop) -> None:
    """Make sure that all compute the same: who does not is no contender."""
    runners = [Runner(loop, kind) for kind in KINDS]
    for runner in runners:
        runner.run(3)
    for runner in runners[:-1]:
        for p, q in zip(runner.params, runners[-1].params, strict=True):
            np.testing.assert_allclose(p, q, atol=1e-5, err_msg=loop.name)


def measure(loop: Loop, rounds: int) -> tuple[str, ...]:
    """Measure a loop, and give its row of the table."""
    check(loop)
    runners = [Runner(loop, kind) for kind in KINDS]
    begin = time.perf_counter()
    runners[-1].run(10)
    times = max(1, round(LEAST_SECONDS / ((time.perf_counter() - begin) / 10)))
    for i in range(WARM_UP_ROUNDS + rounds):
        for k in range(3):
            runners[(i + k) % 3].run(times)
    kept = [runner.times[-rounds:] for runner in runners]
    middles = [f"{statistics.median(column):,.0f}" for column in kept]
    own = kept[-1]
    ratios = [
        f"{statistics.median(a / b for a, b in zip(theirs, own, strict=True)):.2f}×" for theirs in kept[:-1]
    ]
    before, _, after = (f"{statistics.median(runner.shares[-rounds:]):.0%}" for runner in runners)
    return (loop.name, *middles, f"{before} → {after}", *ratios)


def main(rounds: int, markdown: Path | None) -> None:
    """Measure all loops, print the table, and write it as a page."""
    rows = [measure(loop, rounds) for loop in LOOPS]
    facts = machine.facts()
    where = ", ".join(f"{key} {facts[key]}" for key in ("CPU", "cores", "SIMD tier", "threads"))
    blas = os.environ.get("OPENBLAS_NUM_THREADS", "as many as it likes")
    where += f", threads of OpenBLAS {blas}"
    versions = f"Python {facts['Python']}, NumPy {np.__version__}, gradstep {gs.__version__}"
    heading = f"{where}; {versions}; float32; medians of {rounds} rounds"
    print(heading)
    print(as_text(HEAD, rows))
    if markdown is not None:
        page = [
            "# Loops",
            "Made by `make loops` on",
            f"> {heading}",
            "<!-- the table -->",
            as_markdown(HEAD, rows),
            "<!-- how -->",
            HOW,
        ]
        with replacing(markdown) as file:
            file.write("\n\n".join(page).encode())


if __name__ == "__main__":
    words = sys.argv[1:]
    target = Path(words.pop(words.index("--markdown") + 1)) if "--markdown" in words else None
    numbers = [int(word) for word in words if word != "--markdown"]
    main(numbers[0] if numbers else 41, target)
