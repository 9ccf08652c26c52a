"""What the benchmark found, as tables to read and as JSON to compute with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from gradstep.bench import rounds
from gradstep.bench import rows as sparse
from gradstep.bench.contenders import NOTES, OWN, TITLES
from gradstep.bench.narrow import SIZES, WHOLE, NarrowTimes
from gradstep.bench.rows import RowTimes
from gradstep.bench.schedules import ScheduleTimes
from gradstep.bench.steps import FLOOR, StepTimes

Render = Callable[..., str]
"""`gradstep.tables.as_text` or `as_markdown`."""


@dataclass
class Results:
    """A whole run.

    Attributes:
        machine: facts by name.
        versions: of the packages that took part.
        rounds: how many samples each time is the median of.
        steps: in the order of the workloads.
        schedules: the rows about learning rates.
        rows: those about gradients of some rows.
        narrow: those about state in fewer bits.
    """

    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    steps: list[StepTimes] = field(default_factory=list)
    schedules: list[ScheduleTimes] = field(default_factory=list)
    rows: list[RowTimes] = field(default_factory=list)
    narrow: list[NarrowTimes] = field(default_factory=list)

    def heading(self) -> list[str]:
        """Say in a few lines what ran on what, and how the tables are to be read."""
        facts = self.machine
        packages = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            f"{facts['CPU']}, {facts['cores']} cores, {facts['platform']}",
            f"Python {facts['Python']}, {packages}; "
            f"SIMD tier {facts['SIMD tier']}, threads: {facts['threads']}",
            f"float32; medians of {self.rounds} rounds, in which all take turns; "
            "× is the time of a step over gradstep's",
            *(note for package, note in NOTES.items() if package in self.versions),
        ]

    def sections(self, render: Render) -> Iterator[tuple[str, str]]:
        """Lay out one table for each workload, the floor's where it was measured, and the schedules'.

        Returns:
            Pairs of a title and a table.
        """
        for workload, group in groupby(self.steps, lambda times: times.workload):
            rows = list(group)
            yield workload.label, _steps_table(rows, render)
            if workload.batch is not None:
                yield f"{workload.title}: the step's share of the loop", _shares_table(rows, render)
            limited = [times for times in rows if FLOOR in times.samples]
            if limited:
                yield f"{workload.title}: memory traffic", _floor_table(limited, render)
        if self.schedules:
            yield (
                "Learning-rate schedules: linear warmup, then cosine",
                _schedules_table(self.schedules, render),
            )

        if self.rows:
            yield "Gradients of some rows", _rows_table(self.rows, render)
        if self.narrow:
            yield "State in fewer bits: Adam", _narrow_table(self.narrow, render)

    def against(self, case: str, workload: str, contender: str) -> float | None:
        """Return how a contender compares with gradstep, or None if that was not measured.

        Args:
            case: a rule's key, or for the schedules and the gradients of rows that of the row.
            workload: its key, or "schedules", or "rows".
            contender: its key.
        """
        if workload == "rows":
            return next((row.against(contender) for row in self.rows if row.case.key == case), None)
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
                    **(
                        {"share_of_loop": {name: times.samples.share(name) for name in times.samples.before}}
                        if times.samples.before
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
            "rows": [
                {
                    "case": times.case.key,
                    "microseconds": {name: times.microseconds(name) for name in times.samples.seconds},
                    "ratio": {name: times.samples.ratio(name, to=OWN) for name in times.samples.seconds},
                    "samples": times.samples.seconds,
                }
                for times in self.rows
            ],
            "narrow": [
                {
                    "elements": SIZES[times.size],
                    "nanoseconds": {kind: times.nanoseconds(kind) for kind in times.samples.seconds},
                    "times as fast": {kind: times.times_as_fast(kind) for kind in times.samples.seconds},
                    "samples": times.samples.seconds,
                }
                for times in self.narrow
            ],
        }


def _steps_table(rows: list[StepTimes], render: Render) -> str:
    """A column a rule: gradstep's time, and how many times as long everybody else takes."""
    lines = [("gradstep, µs", *(number(times.microseconds(OWN)) for times in rows))]
    for name in _present(rows):
        if name != OWN:
            ratios = [times.against(name) for times in rows]
            lines.append((TITLES[name], *("–" if x is None else f"{number(x, 2)}×" for x in ratios)))
    return render(("", *(times.rule.brief for times in rows)), lines)


def _shares_table(rows: list[StepTimes], render: Render) -> str:
    lines = []
    for name in _present(rows):
        shares = [f"{times.samples.share(name):.0%}" if name in times.samples else "–" for times in rows]
        lines.append((TITLES[name], *shares))
    return render(("", *(times.rule.brief for times in rows)), lines)


def _present(rows: list[StepTimes]) -> list[str]:
    return [name for name in TITLES if any(name in times.samples for times in rows)]


def _floor_table(rows: list[StepTimes], render: Render) -> str:
    head = ("rule", "µs", "floor µs", "B/element", "GB/s", "attainable", "achieved")
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
        ratios = [times.against(name) for name in ("torch", "numpy")]
        cells = ["–" if x is None else f"{number(x, 2)}×" for x in ratios]
        lines.append((times.title, number(times.microseconds(OWN)), *cells))
    return render(("", "gradstep, µs", "torch's scheduler", "NumPy, vectorised"), lines)


def _rows_table(rows: list[RowTimes], render: Render) -> str:
    """A column a case: gradstep's time, and how many times as long everybody else takes."""
    lines = [("gradstep, µs", *(number(times.microseconds(OWN)) for times in rows))]
    for name, title in sparse.TITLES.items():
        ratios = [times.against(name) for times in rows]
        lines.append((title, *("–" if x is None else f"{number(x, 2)}×" for x in ratios)))
    return render(("", *(times.case.label for times in rows)), lines)


def _narrow_table(found: list[NarrowTimes], render: Render) -> str:
    """A column a size: a step with float32, an element, and how many times as fast it is with the others."""
    lines = [(f"{WHOLE}, ns an element", *(number(times.nanoseconds(WHOLE)) for times in found))]
    others = [kind for kind in found[0].samples.seconds if kind != WHOLE]
    lines += [
        (kind, *(f"{number(times.times_as_fast(kind), 2)}× as fast" for times in found)) for kind in others
    ]
    return render(("", *(times.label for times in found)), lines)


def number(x: float, decimals: int = 3) -> str:
    """Write a number with three digits, or all of its whole ones.

    Args:
        x: the number.
        decimals: the most to write.

    Example:
        >>> number(0.0712), number(0.976, 2), number(6.43), number(17123.4)
        ('0.071', '0.98', '6.43', '17,123')
    """
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.{decimals if x < 1 else 2 if x < 10 else 1}f}"
