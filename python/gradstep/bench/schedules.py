"""Learning rates: linear warmup, then a cosine, call by call and as a whole array."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from gradstep.bench.contenders import OWN, is_installed
from gradstep.bench.rounds import Samples, race
from gradstep.schedules import Cosine, Schedule

LR = 3e-4
WARMUP = 500
DECAY = 10_000
SCALAR_CALLS = 1000
ARRAY_STEPS = 10_000_000
TOLERANCE = 1e-12
"""The largest relative difference between the contenders' rates, in float64."""


@dataclass(frozen=True)
class ScheduleTimes:
    """What was found.

    Attributes:
        key: of the row: "scalar" or "array".
        title: of the row.
        calls: how often the schedule is evaluated in a sample of `samples`.
        samples: by contender.
    """

    key: str
    title: str
    calls: int
    samples: Samples

    def microseconds(self, name: str) -> float:
        """Return the median time of one evaluation."""
        return self.samples.median(name) * 1e6 / self.calls

    def against(self, name: str) -> float | None:
        """Return a contender's time over gradstep's, or None if it did not run."""
        return self.samples.ratio(name, to=OWN) if name in self.samples else None


def schedule() -> Schedule:
    """Make the schedule."""
    return Cosine(LR, steps=DECAY).warmup(WARMUP)


def in_numpy(t: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Compute the schedule in vectorised NumPy."""
    warmup = LR * (t + 1) / (WARMUP + 1)
    progress = np.minimum(t - WARMUP, DECAY) / DECAY
    return np.where(t < WARMUP, warmup, LR * 0.5 * (1 + np.cos(np.pi * progress)))


def measure(rounds: int, rows: list[ScheduleTimes]) -> None:
    """Measure both, and add them to the rows."""
    rows += [measure_scalar(rounds), measure_array(rounds)]


def measure_scalar(rounds: int) -> ScheduleTimes:
    """Time a rate computed in every step, by gradstep and by torch's `scheduler.step()`."""
    own = schedule()

    def evaluate() -> None:
        for t in range(SCALAR_CALLS):
            own(t)

    calls: dict[str, Callable[[], object]] = {OWN: evaluate}
    if is_installed("torch"):
        from gradstep.bench import pytorch

        step = pytorch.scheduler(LR, WARMUP, DECAY)

        def advance() -> None:
            for _ in range(SCALAR_CALLS):
                step()

        calls["torch"] = advance
    return ScheduleTimes("scalar", "one call, warmup + cosine", SCALAR_CALLS, race(calls, rounds))


def measure_array(rounds: int, steps: int = ARRAY_STEPS) -> ScheduleTimes:
    """Time the rates of so many steps at once, by gradstep and by vectorised NumPy.

    Raises:
        AssertionError: if the two differ.
    """
    # The cosine is at work in nearly all of them.
    t = np.arange(steps, dtype=np.int64) % (WARMUP + DECAY)
    own = schedule()
    np.testing.assert_allclose(
        own(t[: 2 * DECAY]), in_numpy(t[: 2 * DECAY]), rtol=TOLERANCE, atol=LR * TOLERANCE
    )
    calls = {OWN: partial(own, t), "numpy": partial(in_numpy, t)}
    return ScheduleTimes("array", f"array of {steps:,} steps", 1, race(calls, rounds))
