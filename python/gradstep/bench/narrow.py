"""State in fewer bits: a step of Adam by its format, against float32 in the same process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradstep as gs
from gradstep.bench.contenders import is_installed
from gradstep.bench.rounds import Samples, race

WHOLE = "float32"
"""What all others are compared with."""

SIZES = {"in cache": 100_000, "large": 25_600_000}
"""Elements of one array, by what bounds the step: arithmetic, or memory."""

KINDS: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "bfloat16": {"state_dtype": "bfloat16"},
    "bfloat16, gradients too": {"state_dtype": "bfloat16"},
    "8bit": {"state_dtype": "8bit"},
    '8bit, nonfinite="propagate"': {"state_dtype": "8bit", "nonfinite": "propagate"},
}
"""The options of Adam, by what the tables call them."""

FAST = 0.4
"""Nanoseconds an element, below which a step in float32 says that the memory is in its fast regime."""


@dataclass(frozen=True)
class NarrowTimes:
    """What was found.

    Attributes:
        size: a key of `SIZES`.
        samples: by the key of the kind.
    """

    size: str
    samples: Samples

    def nanoseconds(self, kind: str) -> float:
        """Return the median time of a step, an element."""
        return self.samples.median(kind) * 1e9 / SIZES[self.size]

    def times_as_fast(self, kind: str) -> float:
        """Return how many times as fast as with float32 a step is."""
        return 1 / self.samples.ratio(kind, to=WHOLE)

    @property
    def label(self) -> str:
        """The size, and for large arrays how fast the memory was just then."""
        elements = f"{SIZES[self.size]:,} elements, {self.size}"
        if self.size != "large":
            return elements
        return f"{elements}, memory {'fast' if self.nanoseconds(WHOLE) < FAST else 'slow'}"


def measure(rounds: int, found: list[NarrowTimes]) -> None:
    """Measure all sizes, and add them to what was found."""
    for size, elements in SIZES.items():
        found.append(NarrowTimes(size, race(calls(elements), rounds)))


def calls(elements: int) -> dict[str, Callable[[], object]]:
    """Make a step of each kind, on a parameter of its own."""
    g = np.random.default_rng(0).standard_normal(elements, np.float32)
    made: dict[str, Callable[[], object]] = {}
    for kind, options in KINDS.items():
        own = g if "gradients" not in kind else upper_halves(g)
        if own is None:
            continue
        made[kind] = step(own, options)
    if is_installed("torch"):
        from gradstep.bench import pytorch_narrow

        made |= pytorch_narrow.steps(g)
    return made


def step(g: Any, options: dict[str, Any]) -> Callable[[], object]:
    """Make a step of Adam with these options."""
    w = np.zeros(g.shape, np.float32)
    opt = gs.Adam(w, **options)
    opt.step(g)  # the memory of the state is there from the first step on
    return lambda: (opt.step(g), w)


def upper_halves(g: Any) -> Any:
    """Give bfloat16 gradients, or nothing where there is no such dtype."""
    if not is_installed("ml_dtypes"):
        return None
    import ml_dtypes

    return g.astype(ml_dtypes.bfloat16)
