"""Gradients of some rows: `gradstep.Rows` against what NumPy, torch and numba do with indices and values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import gradstep as gs
from gradstep.bench import hypers
from gradstep.bench.contenders import OWN, TOLERANCE, DisagreementError, is_installed
from gradstep.bench.rounds import Samples, race

Floats: TypeAlias = npt.NDArray[np.float32]
Integers: TypeAlias = npt.NDArray[np.int64]
Batch: TypeAlias = tuple[Integers, Floats]
Step: TypeAlias = Callable[[Integers, Floats], object]

BATCHES = 32
"""So many are taken in turn: the rows of one are out of the caches when it comes again."""

TITLES = {
    "numpy": "NumPy, rows",
    "torch": "torch, sparse",
    "numba-parallel": "numba ∥, duplicates not summed",
    "dense": "gradstep, dense",
}


@dataclass(frozen=True)
class Case:
    """What is updated.

    Attributes:
        key: its name.
        title: its name in the report.
        adam: whether by Adam, or by SGD.
        shape: of the parameter.
        given: how many rows a gradient has, of which some come twice.
    """

    key: str
    title: str
    adam: bool
    shape: tuple[int, int]
    given: int

    @property
    def label(self) -> str:
        """The title with the sizes."""
        return f"{self.title}: {self.given:,} of {self.shape[0]:,} × {self.shape[1]}"

    def draw(self, seed: int, *, repeated: bool = True) -> Batch:
        """Draw indices, a fifth of which are there twice if they are to be repeated, and their values."""
        rng = np.random.default_rng(seed)
        indices = rng.choice(self.shape[0], self.given, replace=False)
        if repeated:
            again = rng.choice(self.given, (2, self.given // 5))
            indices[again[0]] = indices[again[1]]
        return indices, rng.standard_normal((self.given, self.shape[1]), np.float32)


CASES = (
    Case("adam-rows", "Adam", adam=True, shape=(1_100_000, 64), given=2048),
    Case("sgd-rows", "SGD, as word2vec", adam=False, shape=(50_000, 100), given=5000),
)


@dataclass(frozen=True)
class RowTimes:
    """What was found.

    Attributes:
        case: what was updated.
        samples: by contender.
    """

    case: Case
    samples: Samples

    def microseconds(self, name: str) -> float:
        """Return the median time of one step."""
        return self.samples.median(name) * 1e6

    def against(self, name: str) -> float | None:
        """Return a contender's time over gradstep's, or None if it did not run."""
        return self.samples.ratio(name, to=OWN) if name in self.samples else None


def measure(rounds: int, rows: list[RowTimes]) -> None:
    """Measure all cases, and add them to the rows."""
    for case in CASES:
        check(case)
        rows.append(measure_case(case, rounds))


def measure_case(case: Case, rounds: int) -> RowTimes:
    """Time a step of each contender."""
    batches = [case.draw(seed) for seed in range(BATCHES)]
    own, others = Table(case), Table(case)
    calls = {name: taking(step, batches) for name, step in contenders(own, others).items()}
    calls["dense"] = dense(own)
    return RowTimes(case, race(calls, rounds))


def taking(step: Step, batches: list[Batch]) -> Callable[[], object]:
    """Make a call that takes the next of some batches, and begins again after the last."""
    turns = cycle(batches)
    return lambda: step(*next(turns))


class Table:
    """A parameter and its moments."""

    def __init__(self, case: Case) -> None:
        self.case = case
        # Written once, so that no page is new to the step that is timed.
        self.p, self.m, self.v = (np.full(case.shape, x, np.float32) for x in (1.0, 0.0, 0.0))
        self.steps = 0
        self.optimizer: gs.Optimizer = (
            gs.Adam(self.p, lr=hypers.LR, beta1=hypers.BETA1, beta2=hypers.BETA2, eps=hypers.EPS)
            if case.adam
            else gs.SGD(self.p, lr=hypers.LR)
        )


def contenders(own: Table, others: Table) -> dict[str, Step]:
    """List who takes the step: gradstep on a table of its own, all others on another."""
    adam = own.case.adam
    found: dict[str, Step] = {
        OWN: lambda indices, values: own.optimizer.step(gs.Rows(indices, values)),
        "numpy": in_numpy(others),
    }
    if is_installed("torch"):
        from gradstep.bench import pytorch_rows

        found["torch"] = pytorch_rows.step(others.p, adam=adam)
    if is_installed("numba"):
        from gradstep.bench import compiled_rows

        found["numba-parallel"] = compiled_rows.step(others.p, others.m, others.v, adam=adam)
    return found


def in_numpy(table: Table) -> Step:
    """Make the step of NumPy: rows are sorted and summed, gathered, updated and put back; or one ufunc."""
    if not table.case.adam:
        lr = np.float32(hypers.LR)
        return lambda indices, values: np.subtract.at(table.p, indices, lr * values)
    beta1, beta2, eps = (np.float32(x) for x in (hypers.BETA1, hypers.BETA2, hypers.EPS))

    def step(indices: Integers, values: Floats) -> None:
        table.steps += 1
        order = np.argsort(indices, kind="stable")
        ordered = indices[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        rows, g = ordered[starts], np.add.reduceat(values[order], starts, axis=0)
        m, v = table.m[rows], table.v[rows]
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        np.multiply(g, g, out=g)
        g *= 1 - beta2
        v += g
        table.m[rows], table.v[rows] = m, v
        rate = hypers.LR / (1 - hypers.BETA1**table.steps)
        np.multiply(v, np.float32(1 / (1 - hypers.BETA2**table.steps)), out=v)
        np.sqrt(v, out=v)
        v += eps
        m *= np.float32(rate)
        m /= v
        table.p[rows] -= m

    return step


def dense(table: Table) -> Callable[[], object]:
    """Make the dense step of gradstep on all rows."""
    g = np.full(table.case.shape, 1e-3, np.float32)
    return lambda: table.optimizer.step(g)


def check(case: Case) -> None:
    """Let every contender take three steps on a small table, and compare with gradstep.

    Raises:
        DisagreementError: if a parameter differs by more than rounding explains.
    """
    small = Case(case.key, case.title, case.adam, (100, 7), 40)
    for name in contenders(Table(small), Table(small)):
        # numba's kernel adds up no duplicates.
        batches = [small.draw(seed, repeated=name != "numba-parallel") for seed in range(3)]
        ours, theirs = Table(small), Table(small)
        steps: Iterator[Any] = (contenders(ours, theirs)[key] for key in (OWN, name))
        for step in steps:
            for indices, values in batches:
                step(indices, values)
        other = ours if name == OWN else theirs
        difference = float(np.max(np.abs(ours.p - other.p)))
        if not difference <= TOLERANCE:
            raise DisagreementError(
                f"{name} is not the same {case.title} of rows: it differs by {difference:.1e} after three "
                f"steps, and {TOLERANCE:.0e} is allowed"
            )
