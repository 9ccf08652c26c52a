"""What the benchmark found, as tables to read and as JSON to compute with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from gradstep.bench import rounds
from gradstep.bench.contenders import OWN, TITLES
from gradstep.bench.schedules import ScheduleTimes
from gradstep.bench.steps import FLOOR, StepTimes

Render = Callable[..., str]
"""`gradstep.tables.as_text` or `as_markdown`."""


@dataclass
class Report:
    """A whole run.

    Attributes:
        machine: facts by name.
        versions: of the packages that took part.
        rounds: how many samples each time is the median of.
        steps: in the order of the workloads.
        schedules: the rows about learning rates.
    """

    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    steps: list[StepTimes] = field(default_factory=list)
    schedules: list[ScheduleTimes] = field(default_factory=list)

    def heading(self) -> str:
        """Say in a few lines what ran on what."""
        facts = self.machine
        packages = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{facts['CPU']}, {facts['cores']} cores, {facts['platform']}\n"
            f"Python {facts['Python']}, {packages}; "
            f"SIMD tier {facts['SIMD tier']}, threads: {facts['threads']}\n"
            f"float32; µs a step, medians of {self.rounds} interleaved rounds; "
            f"× is the time over gradstep's, the median of the rounds' ratios"
        )

    def sections(self, render: Render) -> Iterator[tuple[str, str]]:
        """Lay out one table for each workload, the floor's where it was measured, and the schedules'.

        Returns:
            Pairs of a title and a table.
        """
        for workload, group in groupby(self.steps, lambda times: times.workload):
            rows = list(group)
            yield workload.label, _steps_table(rows, render)
            limited = [times for times in rows if FLOOR in times.samples]
            if limited:
                yield f"{workload.title}: memory traffic", _floor_table(limited, render)
        if self.schedules:
            yield (
                "Learning-rate schedules: linear warmup, then cosine",
                _schedules_table(self.schedules, render),
            )

    def against(self, case: str, workload: str, contender: str) -> float | None:
        """Return how a contender compares with gradstep, or None if that was not measured.

        Args:
            case: a rule's key, or for the schedules the row's.
            workload: its key, or "schedules".
            contender: its key.
        """
        if workload == "schedules":
            return next((row.against(contender) for row in self.schedules if row.key == case), None)
        for times in self.steps:
            if (times.rule.key, times.workload.key) == (case, workload):
                return times.against(contender)
        return None

    def as_json(self) -> dict[str, object]:
        """Collect all that the tables say, with every sample, in types that JSON knows."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "rounds": self.rounds,
            "settle_seconds": rounds.SETTLE_SECONDS,
            "sample_seconds": rounds.SAMPLE_SECONDS,
            "steps": [
                {
                    "workload": times.workload.key,
                    "tensors": len(times.workload.shapes),
                    "elements": times.workload.elements,
                    "rule": times.rule.key,
                    "microseconds": {name: times.microseconds(name) for name in times.samples.seconds},
                    "ratio": {name: times.samples.ratio(name, to=OWN) for name in times.samples.seconds},
                    **(
                        {
                            "gigabytes_per_second": times.bandwidth,
                            "attainable_gigabytes_per_second": times.attainable,
                            "achieved": times.achieved,
                        }
                        if FLOOR in times.samples
                        else {}
                    ),
                    "samples": times.samples.seconds,
                }
                for times in self.steps
            ],
            "schedules": [
                {
                    "case": times.key,
                    "microseconds": {name: times.microseconds(name) for name in times.samples.seconds},
                    "ratio": {name: times.samples.ratio(name, to=OWN) for name in times.samples.seconds},
                }
                for times in self.schedules
            ],
        }


def _steps_table(rows: list[StepTimes], render: Render) -> str:
    present = [name for name in TITLES if any(name in times.samples for times in rows)]
    lines = []
    for times in rows:
        cells = [times.rule.title]
        for name in present:
            ratio = times.against(name)
            microseconds = "–" if ratio is None else number(times.microseconds(name))
            cells.append(microseconds if ratio is None or name == OWN else f"{microseconds}  {ratio:5.2f}×")
        lines.append(cells)
    return render(("rule", *(TITLES[name] for name in present)), lines)


def _floor_table(rows: list[StepTimes], render: Render) -> str:
    head = ("rule", "gradstep µs", "floor µs", "bytes/element", "GB/s", "attainable GB/s", "achieved")
    lines = [
        (
            times.rule.title,
            number(times.microseconds(OWN)),
            number(times.microseconds(FLOOR)),
            str(times.rule.bytes_per_element),
            f"{times.bandwidth:.1f}",
            f"{times.attainable:.1f}",
            f"{times.achieved:.0%}",
        )
        for times in rows
    ]
    return render(head, lines)


def _schedules_table(rows: list[ScheduleTimes], render: Render) -> str:
    lines = []
    for times in rows:
        cells = [times.title, number(times.microseconds(OWN))]
        for name in ("torch", "numpy"):
            ratio = times.against(name)
            cells.append("–" if ratio is None else f"{number(times.microseconds(name))}  {ratio:5.1f}×")
        lines.append(cells)
    return render(("schedule", "gradstep µs", "torch scheduler.step()", "NumPy, vectorised"), lines)


def number(x: float) -> str:
    """Write a time with three digits, or all of its whole ones.

    Example:
        >>> number(0.0712), number(6.43), number(17123.4)
        ('0.071', '6.43', '17,123')
    """
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.{3 if x < 1 else 2 if x < 10 else 1}f}"
