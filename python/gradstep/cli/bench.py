"""`gradstep bench`: time an optimizer step against NumPy, torch and numba."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gradstep.bench import contenders as everybody
from gradstep.bench import document, figure, machine, schedules, steps, targets
from gradstep.bench.contenders import OWN, TITLES, Contender
from gradstep.bench.report import Report
from gradstep.bench.rules import RULES
from gradstep.bench.workloads import USUAL, WORKLOADS
from gradstep.cli.arguments import integer, plot_path
from gradstep.cli.command import Command
from gradstep.cli.output import writable_path
from gradstep.cli.progress import ProgressBar
from gradstep.tables import as_text

ROUNDS = 21
QUICK_ROUNDS = 3
QUICK_WORKLOADS = ("tensor", "policy", "mlp")
MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class Race:
    """A row of a table to come: who steps what by which rule."""

    workload: str
    rule: str
    contenders: Mapping[str, Contender]
    floor: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.set_defaults(refuse=parser.error)
    for option, choices, default in (
        ("--rules", RULES, "all"),
        ("--workloads", WORKLOADS, ", ".join(USUAL)),
        ("--contenders", TITLES, "all that are installed"),
    ):
        parser.add_argument(
            option,
            nargs="+",
            choices=list(choices),
            metavar=option[2:-1].upper(),
            help=f"some of {', '.join(choices)} (default: {default})",
        )
    parser.add_argument(
        "--rounds",
        type=lambda text: integer(text, 1, MOST_ROUNDS),
        metavar="N",
        help=f"how often everything is timed (default: {ROUNDS})",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_ROUNDS} rounds, and the workloads {', '.join(QUICK_WORKLOADS)}: for a first look",
    )
    parser.add_argument(
        "--limit",
        action="store_true",
        help="also time a kernel that only moves the memory of large workloads, and tell the share of its "
        "bandwidth that is achieved",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure what the project's performance targets name, judge it, and exit 1 if one is missed",
    )
    parser.add_argument(
        "--json", type=writable_path, metavar="FILE", help="write the table and all samples as JSON"
    )
    parser.add_argument("--markdown", type=writable_path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument(
        "--plot",
        type=lambda text: plot_path(text, "bench"),
        metavar="FILE.png",
        help="draw the speed-ups (needs matplotlib: pip install gradstep[bench])",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the tables, and write what was asked for."""
    for name in ("rules", "workloads", "contenders", "quick", "limit"):
        if arguments.check and getattr(arguments, name):
            arguments.refuse(f"--check chooses what is measured: leave out --{name}")
    busy = machine.is_busy()
    try:
        races = list(target_races() if arguments.check else chosen_races(arguments))
        rates = schedule_measurements(arguments)
        report = measure(races, rates, arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS))
    except (everybody.DisagreementError, NotPossibleError) as error:
        print(f"gradstep bench: {error}", file=sys.stderr)
        return 1
    if busy:
        print("gradstep bench: other programs were busy; expect different numbers without", file=sys.stderr)
    print(report.heading())
    for title, table in report.sections(as_text):
        print(f"\n{title}", table, sep="\n")
    failures = []
    if arguments.check:
        verdicts = list(targets.judge(report))
        print("\nTargets", targets.table(verdicts, as_text), sep="\n")
        missed = sum(verdict.missed for verdict in verdicts)
        if missed:
            failures.append(f"{missed} of {len(verdicts)} targets missed")
    try:
        if arguments.json:
            text = json.dumps(report.as_json(), indent=1, allow_nan=False) + "\n"
            arguments.json.write_text(text, encoding="utf-8")
        if arguments.plot:
            figure.draw(report, arguments.plot)
        if arguments.markdown:
            text = document.render(report, command(arguments), picture(arguments))
            arguments.markdown.write_text(text, encoding="utf-8")
    except OSError as error:
        failures.append(f"cannot write the results: {error}")
    for failure in failures:
        print(f"gradstep bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


class NotPossibleError(RuntimeError):
    """Something that was asked for and cannot be measured here."""


def chosen_races(arguments: argparse.Namespace) -> Iterable[Race]:
    """List what the options ask for.

    Raises:
        NotPossibleError: if a contender that is named is not installed.
    """
    present = everybody.installed()
    names = arguments.contenders or list(present)
    absent = [name for name in names if name not in present]
    if absent:
        raise NotPossibleError(f"not installed: {', '.join(absent)} (here: {', '.join(present)})")
    chosen = {name: present[name] for name in present if name in {OWN, *names}}
    workloads = arguments.workloads or (QUICK_WORKLOADS if arguments.quick else USUAL)
    for workload in WORKLOADS:
        for rule in RULES:
            if workload in workloads and rule in (arguments.rules or RULES):
                yield Race(workload, rule, chosen, arguments.limit and WORKLOADS[workload].is_large)


def target_races() -> Iterable[Race]:
    """List what the targets need, and no more."""
    present = everybody.installed()
    for workload in WORKLOADS:
        for rule in RULES:
            named = {
                name
                for target in targets.TARGETS
                if (target.workload, target.case) == (workload, rule)
                for name in target.against
            }
            chosen = {name: present[name] for name in present if name == OWN or name in named}
            if len(chosen) > 1 or steps.FLOOR in named:
                yield Race(workload, rule, chosen, steps.FLOOR in named)


def schedule_measurements(
    arguments: argparse.Namespace,
) -> list[Callable[[int], schedules.ScheduleTimes]]:
    """List the measurements of schedules: all, unless one asks for some rules or workloads only."""
    if (arguments.rules or arguments.workloads) and not arguments.check:
        return []
    return [schedules.measure_scalar, schedules.measure_array]


def measure(races: list[Race], rates: list[Callable[[int], schedules.ScheduleTimes]], rounds: int) -> Report:
    """Check that everybody computes the same, then measure, with a progress bar.

    Raises:
        NotPossibleError: if the memory would not suffice.
        DisagreementError: if two contenders do not compute the same.
    """
    available = steps.memory_available()
    for race in races:
        needed = steps.memory_needed(WORKLOADS[race.workload], RULES[race.rule], len(race.contenders))
        if available is not None and needed > available:
            raise NotPossibleError(
                f"{WORKLOADS[race.workload].title} with {len(race.contenders)} contenders needs about "
                f"{needed / 1e9:.0f} GB, and {available / 1e9:.0f} GB are free: "
                "choose fewer with --contenders"
            )
    compared: dict[str, dict[str, Contender]] = {}
    for race in races:
        compared.setdefault(race.rule, {}).update(race.contenders)
    report = Report(machine.facts(), everybody.versions(), rounds)
    with ProgressBar(len(compared) + len(races) + len(rates), sys.stderr) as bar:
        for rule, contenders in compared.items():
            bar.label = f"comparing results: {RULES[rule].title}"
            everybody.check(RULES[rule], contenders)
            bar.advance()
        for race in races:
            bar.label = f"{WORKLOADS[race.workload].title}, {RULES[race.rule].title}"
            report.steps.append(
                steps.measure(
                    WORKLOADS[race.workload], RULES[race.rule], race.contenders, rounds, floor=race.floor
                )
            )
            bar.advance()
        for rate in rates:
            report.schedules.append(rate(rounds))
            bar.advance()
    return report


def command(arguments: argparse.Namespace) -> str:
    """Spell the command that measures the same again."""
    words = ["gradstep bench"]
    for name in ("rules", "workloads", "contenders"):
        if value := getattr(arguments, name):
            words += [f"--{name}", *value]
    if arguments.rounds:
        words.append(f"--rounds {arguments.rounds}")
    words += [f"--{name}" for name in ("quick", "limit", "check") if getattr(arguments, name)]
    return " ".join(words)


def picture(arguments: argparse.Namespace) -> Path | None:
    """Return where the plot is, seen from the Markdown file."""
    if arguments.plot is None:
        return None
    plot: Path = arguments.plot.resolve()
    folder: Path = arguments.markdown.resolve().parent
    return plot.relative_to(folder) if plot.is_relative_to(folder) else plot


COMMAND = Command(
    name="bench",
    summary="Time an optimizer step against the same step in NumPy, and in torch and numba where installed.",
    add_arguments=add_arguments,
    run=run,
)
