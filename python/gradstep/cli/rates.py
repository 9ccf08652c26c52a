"""`gradstep rates`: find a rate for four rules, and hold each against a sweep."""

import argparse
import textwrap

from gradstep.cli.arguments import add_json, integer
from gradstep.cli.command import Command, Example
from gradstep.cli.output import STDOUT, complain, finite, write_json
from gradstep.cli.terminals import table_width
from gradstep.demo.rates import MOST_BEHIND, RATES, RULES, Found, compare, table

MOST = 10_000
WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--epochs",
        type=count,
        default=15,
        metavar="N",
        help="passes over the training set (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds", type=count, default=3, metavar="N", help="runs with each rate (default: %(default)s)"
    )
    add_json(parser, "the table")


def count(text: str) -> int:
    """Parse a count."""
    return integer(text, 1, MOST)


def run(arguments: argparse.Namespace) -> int:
    """Find, sweep, and print the table; fail if a found rate is too far behind."""
    rows = [compare(rule, epochs=arguments.epochs, seeds=arguments.seeds) for rule in RULES]
    failures = []
    try:
        if arguments.json:
            write_json(arguments.json, as_json(rows, arguments))
    except OSError as error:
        failures.append(f"cannot write the results: {error}")
    if arguments.json != STDOUT:
        width = table_width()
        lines = (
            f"Test accuracy on the digits after {arguments.epochs} epochs at a constant rate (mean of "
            f"{arguments.seeds} seeds): the suggestion of find_lr, and the best of {len(RATES)} rates from "
            f"{RATES[0]:g} to {RATES[-1]:g}"
        )
        print(textwrap.fill(lines, width or WIDTH), table(rows, width), sep="\n\n")
    behind = [row for row in rows if not row.behind <= MOST_BEHIND]
    failures += [f"{row.rule} at {row.lr:.3g} is {100 * row.behind:.2f} points behind" for row in behind]
    for failure in failures:
        complain(f"gradstep rates: {failure}")
    return 1 if failures else 0


def as_json(rows: list[Found], arguments: argparse.Namespace) -> dict[str, object]:
    """Collect all that the table says."""
    return {
        "epochs": arguments.epochs,
        "seeds": arguments.seeds,
        "rates": list(RATES),
        "rules": [
            {
                "rule": row.rule,
                "lr": row.lr,
                "reached": finite(row.reached),
                "best_lr": row.best_lr,
                "best": finite(row.best),
                "behind": finite(row.behind),
            }
            for row in rows
        ],
    }


COMMAND = Command(
    name="rates",
    summary="Find a learning rate for four rules on real data, and hold it against a sweep of 20 rates.",
    add_arguments=add_arguments,
    run=run,
    examples=(
        Example("Find and sweep, in some minutes", "gradstep rates"),
        Example("More of both, and for programs", "gradstep rates --epochs 30 --seeds 5 --json rates.json"),
    ),
    failure=f"a found rate is {100 * MOST_BEHIND:g} point or more behind, or the results cannot be written",
)
