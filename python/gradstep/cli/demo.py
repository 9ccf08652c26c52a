"""`gradstep demo`: train a network on real data with every rule, and time its step against textbook NumPy."""

import argparse
import json
import sys

from gradstep.cli.arguments import integer, plot_path
from gradstep.cli.command import Command
from gradstep.cli.output import writable_path
from gradstep.cli.progress import ProgressBar
from gradstep.demo import digits, figure, timing
from gradstep.demo.recipes import RECIPES
from gradstep.demo.report import Report, Row
from gradstep.demo.training import train

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
        "--json", type=writable_path, metavar="FILE", help="write the table and the curves as JSON"
    )
    parser.add_argument(
        "--plot",
        type=lambda text: plot_path(text, "demo"),
        metavar="FILE.png",
        help="draw learning curves and learning rates (needs matplotlib: pip install gradstep[demo])",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train and time every recipe, print the table, and write what was asked for."""
    data = digits.split()
    rows = []
    with ProgressBar(len(RECIPES) * arguments.epochs, sys.stderr) as bar:
        for recipe in RECIPES:
            bar.label = f"{recipe.rule} ({recipe.schedule_name})"
            history = train(recipe, data, epochs=arguments.epochs, seed=arguments.seed, on_epoch=bar.advance)
            times, _, _ = timing.compare(recipe, data, seed=arguments.seed)
            rows.append(Row(recipe, history, times))
    report = Report(data, arguments.epochs, arguments.seed, rows)
    print(report.heading(), report.table(), sep="\n\n")
    failures = report.failures()
    if failures and arguments.epochs < DEFAULT_EPOCHS:
        failures.append(f"--epochs {arguments.epochs} is less than the usual {DEFAULT_EPOCHS}")
    try:
        if arguments.json:
            text = json.dumps(report.as_json(), indent=1, allow_nan=False) + "\n"
            arguments.json.write_text(text, encoding="utf-8")
        if arguments.plot:
            figure.draw(report, arguments.plot)
    except OSError as error:
        failures.append(f"cannot write the results: {error}")
    for failure in failures:
        print(f"gradstep demo: {failure}", file=sys.stderr)
    return 1 if failures else 0


def epochs(text: str) -> int:
    """Parse a number of epochs."""
    return integer(text, 1, MOST_EPOCHS)


def seed(text: str) -> int:
    """Parse a seed."""
    return integer(text, 0, 2**63 - 1)


COMMAND = Command(
    name="demo",
    summary="Train a network on real data with every rule, and time its step against textbook NumPy.",
    add_arguments=add_arguments,
    run=run,
)
