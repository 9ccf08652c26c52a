"""`gradstep demo`: train a network on real data with six rules, and time its step against textbook NumPy."""

import argparse
import sys

from gradstep.cli.arguments import add_json, integer, picture_path
from gradstep.cli.command import Command, Example
from gradstep.cli.output import STDOUT, complain, write_json
from gradstep.cli.terminals import table_width
from gradstep.demo import digits, figure, timing
from gradstep.demo.recipes import RECIPES
from gradstep.demo.report import Report, Row
from gradstep.demo.training import train
from gradstep.progress import ProgressBar

DEFAULT_EPOCHS = 30
MOST_EPOCHS = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--epochs",
        type=epochs,
        default=DEFAULT_EPOCHS,
        metavar="N",
        help="passes over the training set (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of the initial weights and the order of the mini-batches (default: %(default)s)",
    )
    parser.add_argument(
        "--require",
        type=accuracy,
        metavar="ACCURACY",
        help="fail if a rule stays below this test accuracy, such as 0.95",
    )
    add_json(parser, "the tables and the curves")
    parser.add_argument(
        "--plot",
        type=picture_path,
        metavar="FILE.png",
        help="draw learning curves and learning rates (needs matplotlib: pip install matplotlib)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train and time every recipe, write what was asked for, and print the tables."""
    data = digits.split()
    rows = []
    with ProgressBar(len(RECIPES) * arguments.epochs, sys.stderr) as bar:
        for recipe in RECIPES:
            bar.label = f"{recipe.rule} ({recipe.schedule_name})"
            trained = train(recipe, data, epochs=arguments.epochs, seed=arguments.seed, on_epoch=bar.advance)
            times, _, _ = timing.compare(recipe, data, seed=arguments.seed)
            rows.append(Row(recipe, trained, times))
    report = Report(data, arguments.epochs, arguments.seed, arguments.require, rows)
    failures = report.failures()
    try:
        if arguments.json:
            write_json(arguments.json, report.as_json())
        if arguments.plot:
            figure.draw(report, arguments.plot)
    except OSError as error:
        failures.append(f"cannot write the results: {error}")
    if arguments.json != STDOUT:
        width = table_width()
        print(report.heading(width), report.tables(width), sep="\n\n")
    for failure in failures:
        complain(f"gradstep demo: {failure}")
    return 1 if failures else 0


def accuracy(text: str) -> float:
    """Parse a share from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def epochs(text: str) -> int:
    """Parse a number of epochs."""
    return integer(text, 1, MOST_EPOCHS)


def seed(text: str) -> int:
    """Parse a seed."""
    return integer(text, 0, 2**63 - 1)


COMMAND = Command(
    name="demo",
    summary="Train a network on real data with six rules, and time its step against textbook NumPy.",
    add_arguments=add_arguments,
    run=run,
    examples=(
        Example("Train and compare, in a few seconds", "gradstep demo"),
        Example(
            "Draw the learning curves, and keep them", "gradstep demo --plot curves.png --json curves.json"
        ),
        Example("Check that every rule learns", "gradstep demo --require 0.95"),
    ),
    failure="a rule stays below --require, or the results cannot be written",
)
