"""One optimizer step: a rule on a workload, by every contender."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from gradstep import _core
from gradstep.bench import training
from gradstep.bench.contenders import OWN, Contender
from gradstep.bench.rounds import Samples, race
from gradstep.bench.rules import Rule
from gradstep.bench.workloads import Floats, Workload

Call: TypeAlias = Callable[[], object]

FLOOR = "floor"
"""The kernel that moves a rule's streams and does nothing else, among the samples."""


@dataclass(frozen=True)
class StepTimes:
    """What `measure` found.

    Attributes:
        samples: by the contender's key; with the floor kernel's as `FLOOR`, if it was asked for.
    """

    workload: Workload
    rule: Rule
    samples: Samples

    def microseconds(self, name: str) -> float:
        """Return the median time of a step."""
        return self.samples.median(name) * 1e6

    @property
    def bandwidth(self) -> float:
        """The memory traffic of gradstep's step, in GB/s."""
        return self.rule.bytes_per_element * self.workload.elements / self.samples.median(OWN) / 1e9

    @property
    def attainable(self) -> float:
        """The memory traffic of the floor kernel, in GB/s."""
        return floor_bytes(self.rule) * self.workload.elements / self.samples.median(FLOOR) / 1e9

    @property
    def achieved(self) -> float:
        """The share of the attainable bandwidth that gradstep's step reaches, paired round by round."""
        return self.samples.ratio(FLOOR, to=OWN) * self.rule.bytes_per_element / floor_bytes(self.rule)

    def against(self, name: str) -> float | None:
        """Return a contender's time over gradstep's, or for `FLOOR` `achieved`; None if it did not run."""
        if name not in self.samples:
            return None
        return self.achieved if name == FLOOR else self.samples.ratio(name, to=OWN)


def floor_bytes(rule: Rule) -> int:
    """Return what the floor kernel moves for an element: one array is read, the written ones both ways."""
    return 4 * (1 + 2 * rule.written)


def measure(
    workload: Workload, rule: Rule, contenders: Mapping[str, Contender], rounds: int, *, floor: bool
) -> StepTimes:
    """Time a step of every contender that has the rule, each on its own copy of the parameters."""
    made = steps(workload, rule, contenders)
    calls = dict(made.calls)
    if floor:
        calls[FLOOR] = floor_call(workload, rule)
    return StepTimes(workload, rule, race(calls, rounds, before=made.before or None))


class Steps(NamedTuple):
    """A step of each contender, by its key.

    Attributes:
        calls: the steps.
        before: what goes before each of them, if the workload is in training.
        params: the parameters, which who steps them has too.
    """

    calls: Mapping[str, Call]
    before: Mapping[str, Call]
    params: Mapping[str, list[Floats]]


def steps(workload: Workload, rule: Rule, contenders: Mapping[str, Contender]) -> Steps:
    """Make a step of every contender that has the rule, from equal parameters and gradients."""
    drawn, grads = workload.draw(1), workload.draw(2)
    # Some contenders clip the gradients where they are, and in training each has its own.
    shared = rule.read == 1 and workload.batch is None
    calls: dict[str, Call] = {}
    before: dict[str, Call] = {}
    params: dict[str, list[Floats]] = {}
    for key, contender in contenders.items():
        if rule.key not in contender.steps:
            continue
        own = [p.copy() for p in drawn], grads if shared else [g.copy() for g in grads]
        if workload.batch is not None:
            before[key] = training.passes(*own, workload.batch)
        calls[key] = contender.steps[rule.key](*own)
        params[key] = own[0]
    return Steps(calls, before, params)


def floor_call(workload: Workload, rule: Rule) -> Callable[[], object]:
    """Make a call of the floor kernel with the rule's streams, each one contiguous array."""
    read = np.ones(workload.elements, np.float32)
    return partial(_core.floor, read, [np.zeros_like(read) for _ in range(rule.written)])


def memory_needed(workload: Workload, rule: Rule, contenders: int) -> int:
    """Estimate the bytes that `measure` will hold at once."""
    own_arrays = rule.written + (rule.read > 1 or workload.batch is not None)
    # Two drawn sets, the floor's streams, and up to four sets of temporaries.
    return 4 * workload.elements * (contenders * own_arrays + rule.written + 1 + 2 + 4)


def memory_available() -> int | None:
    """Return the bytes that can be had without swapping, where the system says it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    facts = dict(line.split(":", 1) for line in lines)
    return int(facts["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in facts else None
