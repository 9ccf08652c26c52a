"""Which contenders step what, and by which rule: chosen, checked and measured."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from gradstep.bench import contenders as everybody
from gradstep.bench import narrow, rows, schedules, steps, targets
from gradstep.bench.contenders import OWN, Contender
from gradstep.bench.results import Results
from gradstep.bench.rules import RULES, Rule
from gradstep.bench.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Race:
    """A row of a table to come.

    Attributes:
        contenders: by their keys.
        floor: whether the kernel that only moves memory runs too.
    """

    workload: Workload
    rule: Rule
    contenders: Mapping[str, Contender]
    floor: bool

    def run(self, rounds: int, results: Results) -> None:
        """Measure, and add a row to the results."""
        times = steps.measure(self.workload, self.rule, self.contenders, rounds, floor=self.floor)
        results.steps.append(times)


class NotPossibleError(RuntimeError):
    """Something that was asked for and cannot be measured here."""


def chosen(
    workloads: Collection[str], rules: Collection[str], names: Collection[str] | None, *, floor: bool
) -> Iterator[Race]:
    """List the races of some workloads and rules, by their keys.

    Args:
        workloads: what is stepped.
        rules: by which rules.
        names: who steps it besides gradstep; all that are installed by default.
        floor: whether the kernel that only moves memory runs on large workloads.

    Raises:
        NotPossibleError: if a contender that is named is not installed.
    """
    present = everybody.installed()
    absent = [name for name in names or () if name not in present]
    if absent:
        raise NotPossibleError(f"not installed: {', '.join(absent)} (here: {', '.join(present)})")
    contenders = {name: present[name] for name in present if names is None or name in {OWN, *names}}
    for workload in WORKLOADS.values():
        for rule in RULES.values():
            if workload.key in workloads and rule.key in rules:
                yield Race(workload, rule, contenders, floor and workload.is_large)


def of_targets() -> Iterator[Race]:
    """List what the targets need, and no more."""
    present = everybody.installed()
    for workload in WORKLOADS.values():
        for rule in RULES.values():
            named = {
                name
                for target in targets.TARGETS
                if (target.workload, target.case) == (workload.key, rule.key)
                for name in target.against
            }
            contenders = {name: present[name] for name in present if name == OWN or name in named}
            if len(contenders) > 1 or steps.FLOOR in named:
                yield Race(workload, rule, contenders, steps.FLOOR in named)


def jobs(
    races: Collection[Race],
    *,
    rates: bool,
    sparse: bool = False,
    state: bool = False,
    rounds: int,
    results: Results,
) -> list[tuple[str, Callable[[], object]]]:
    """List what there is to do, each with a label: check that everybody computes the same, then measure.

    Args:
        races: what to measure.
        rates: whether to measure learning-rate schedules too.
        sparse: whether to measure gradients of some rows too.
        state: whether to measure state in fewer bits too.
        rounds: how often everything is timed.
        results: where the measurements go. A job raises DisagreementError if two contenders do not compute
            the same.

    Raises:
        NotPossibleError: if the memory would not suffice.
    """
    check_memory(races)
    compared: dict[str, dict[str, Contender]] = {}
    for race in races:
        compared.setdefault(race.rule.key, {}).update(race.contenders)
    listed: list[tuple[str, Callable[[], object]]] = [
        (f"comparing results: {RULES[key].title}", partial(everybody.check, RULES[key], contenders))
        for key, contenders in compared.items()
    ]
    listed += [
        (f"{race.workload.title}, {race.rule.title}", partial(race.run, rounds, results)) for race in races
    ]
    if rates:
        listed.append(("learning-rate schedules", partial(schedules.measure, rounds, results.schedules)))
    if sparse:
        listed.append(("gradients of some rows", partial(rows.measure, rounds, results.rows)))
    if state:
        listed.append(("state in fewer bits", partial(narrow.measure, rounds, results.narrow)))
    return listed


def check_memory(races: Collection[Race]) -> None:
    """Refuse what would not fit.

    Raises:
        NotPossibleError: if the memory would not suffice.
    """
    available = steps.memory_available()
    for race in races:
        needed = steps.memory_needed(race.workload, race.rule, len(race.contenders))
        if available is not None and needed > available:
            raise NotPossibleError(
                f"{race.workload.title} with {len(race.contenders)} contenders needs about "
                f"{needed / 1e9:.0f} GB, and {available / 1e9:.0f} GB are free: "
                "choose fewer with --contenders"
            )
