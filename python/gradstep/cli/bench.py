"""`gradstep bench`: time an optimizer step against NumPy, torch and numba."""

import argparse
import sys
import textwrap
from functools import partial
from pathlib import Path

from gradstep.bench import contenders, document, figure, machine, races, targets
from gradstep.bench.contenders import TITLES, DisagreementError
from gradstep.bench.results import Results
from gradstep.bench.rules import RULES
from gradstep.bench.workloads import USUAL, WORKLOADS
from gradstep.cli.arguments import add_json, integer, picture_path, writable_path
from gradstep.cli.command import Command, Example
from gradstep.cli.output import STDOUT, complain, write_json, write_text
from gradstep.cli.terminals import table_width
from gradstep.progress import ProgressBar
from gradstep.tables import as_text

ROUNDS = 21
QUICK_ROUNDS = 3
QUICK_WORKLOADS = ("tensor", "policy", "mlp", "training")
MOST_ROUNDS = 10_000
WIDTH = 80


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
        "--sparse",
        action="store_true",
        help="also time gradients of some rows, gradstep.Rows, of a table of 1,100,000 × 64 (3 GB)",
    )
    parser.add_argument(
        "--state",
        action="store_true",
        help="also time Adam with its state in fewer bits, in a cache and on 25,600,000 elements (1 GB)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure what the project's performance targets name, judge it, and exit 1 if one is missed",
    )
    add_json(parser, "the tables and all samples")
    parser.add_argument("--markdown", type=writable_path, metavar="FILE", help="write the table as Markdown")
    parser.add_argument(
        "--plot",
        type=picture_path,
        metavar="FILE.png",
        help="draw the speed-ups (needs matplotlib: pip install matplotlib)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, write what was asked for, and print the tables."""
    for name in ("rules", "workloads", "contenders", "quick", "limit", "sparse", "state"):
        if arguments.check and getattr(arguments, name):
            arguments.refuse(f"--check chooses what is measured: leave out --{name}")
    busy = machine.is_busy()
    try:
        results = measure(arguments)
    except (DisagreementError, races.NotPossibleError) as error:
        complain(f"gradstep bench: {error}")
        return 1
    if busy:
        complain("gradstep bench: other programs were busy; expect different numbers without")
    failures = []
    try:
        if arguments.json:
            write_json(arguments.json, results.as_json())
        if arguments.plot:
            figure.draw(results, arguments.plot)
        if arguments.markdown:
            text = document.render(results, command(arguments), picture(arguments))
            write_text(arguments.markdown, text)
    except OSError as error:
        failures.append(f"cannot write the results: {error}")
    verdicts = list(targets.judge(results)) if arguments.check else []
    if arguments.json != STDOUT:
        show(results, verdicts)
    if missed := sum(verdict.missed for verdict in verdicts):
        failures.append(f"{missed} of {len(verdicts)} targets missed")
    for failure in failures:
        complain(f"gradstep bench: {failure}")
    return 1 if failures else 0


def show(results: Results, verdicts: list[targets.Verdict]) -> None:
    """Print the tables."""
    width = table_width()
    render = partial(as_text, width=width)
    for line in results.heading():
        print(textwrap.fill(line, min(WIDTH, width or WIDTH)))
    for title, table in results.sections(render):
        print(f"\n{textwrap.fill(title, width or WIDTH)}", table, sep="\n")
    if verdicts:
        print("\nTargets", targets.table(verdicts, render), sep="\n")


def measure(arguments: argparse.Namespace) -> Results:
    """Measure what the options ask for, with a progress bar.

    Raises:
        NotPossibleError: if it cannot be measured here.
        DisagreementError: if two contenders do not compute the same.
    """
    if arguments.check:
        chosen = list(races.of_targets())
    else:
        workloads = arguments.workloads or (QUICK_WORKLOADS if arguments.quick else USUAL)
        rules = arguments.rules or RULES
        chosen = list(races.chosen(workloads, rules, arguments.contenders, floor=arguments.limit))
    # Whoever asks for some rules or workloads has no question about schedules.
    rates = arguments.check or not (arguments.rules or arguments.workloads)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    results = Results(machine.facts(), contenders.versions(), rounds)
    sparse = arguments.check or arguments.sparse
    state = arguments.state
    jobs = races.jobs(chosen, rates=rates, sparse=sparse, state=state, rounds=rounds, results=results)
    with ProgressBar(len(jobs), sys.stderr) as bar:
        for bar.label, job in jobs:
            job()
            bar.advance()
    return results


def command(arguments: argparse.Namespace) -> str:
    """Spell the command that measures the same again."""
    words = ["gradstep bench"]
    for name in ("rules", "workloads", "contenders"):
        if value := getattr(arguments, name):
            words += [f"--{name}", *value]
    if arguments.rounds:
        words.append(f"--rounds {arguments.rounds}")
    words += [
        f"--{name}" for name in ("quick", "limit", "sparse", "state", "check") if getattr(arguments, name)
    ]
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
    examples=(
        Example("A first look, in a minute", "gradstep bench --quick"),
        Example("One rule on one workload", "gradstep bench --rules adam --workloads mlp"),
        Example(
            "All of it, as a page with a picture",
            "gradstep bench --limit --markdown bench.md --plot bench.png",
        ),
    ),
    failure="contenders disagree, a target is missed, or the results cannot be written",
)
