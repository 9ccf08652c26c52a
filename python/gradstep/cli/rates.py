"""`gradstep rates`: find a rate for four rules, and hold each against a sweep."""

import argparse

from gradstep.cli.arguments import integer
from gradstep.cli.command import Command
from gradstep.cli.output import complain
from gradstep.demo.rates import MOST_BEHIND, RATES, RULES, compare, table

MOST = 10_000


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


def count(text: str) -> int:
    """Parse a count."""
    return integer(text, 1, MOST)


def run(arguments: argparse.Namespace) -> int:
    """Find, sweep, and print the table; fail if a found rate is too far behind."""
    rows = [compare(rule, epochs=arguments.epochs, seeds=arguments.seeds) for rule in RULES]
    print(
        f"Test accuracy on the digits after {arguments.epochs} epochs at a constant rate (mean of "
        f"{arguments.seeds} seeds):\nthe suggestion of find_lr, and the best of {len(RATES)} rates from "
        f"{RATES[0]:g} to {RATES[-1]:g}\n\n{table(rows)}"
    )
    behind = [row for row in rows if not row.behind <= MOST_BEHIND]
    for row in behind:
        complain(f"gradstep rates: {row.rule} at {row.lr:.3g} is {100 * row.behind:.2f} points behind")
    return 1 if behind else 0


COMMAND = Command(
    name="rates",
    summary="Find a learning rate for four rules on real data, and hold it against a sweep of 20 rates.",
    add_arguments=add_arguments,
    run=run,
)
