"""`gradstep plot`: draw schedules given as text, into a file or into the terminal."""

import argparse
import re
import shutil
import sys

from gradstep import expressions
from gradstep.cli.arguments import integer, picture_path
from gradstep.cli.chart import chart
from gradstep.cli.command import Command
from gradstep.cli.output import complain
from gradstep.horizons import MOST_STEPS, default_steps
from gradstep.plots.schedules import save_schedules
from gradstep.schedules import Schedule

NEGATIVE = re.compile(r"-(?!o|-[a-z]).*\(", re.DOTALL)
"""An expression that begins with a minus, and not an option with a file such as `-o"curves(1).png"`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "schedules",
        type=named_schedule,
        nargs="+",
        metavar="SCHEDULE",
        help="""an expression such as "Cosine(0.1, 1000).warmup(100)", of the classes and compositions of
        gradstep.schedules and gradstep.feedback""",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=picture_path,
        metavar="FILE.png",
        help="draw into a file (needs matplotlib: pip install matplotlib); by default, the terminal",
    )
    parser.add_argument(
        "--steps",
        type=number_of_steps,
        metavar="N",
        help="how many steps to draw (default: enough to show every schedule whole, else 1000)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw."""
    schedules: dict[str, Schedule] = dict(arguments.schedules)
    steps: int = arguments.steps or max(map(default_steps, schedules.values()))
    if arguments.output:
        try:
            save_schedules(schedules, steps, arguments.output)
        except OSError as error:
            complain(f"gradstep plot: cannot write {str(arguments.output)!r}: {error.strerror}")
            return 2
        return 0
    width = shutil.get_terminal_size().columns
    encoding = sys.stdout.encoding or "ascii"
    print("\n\n".join(f"{name}\n{chart(one, steps, width, encoding)}" for name, one in schedules.items()))
    return 0


def named_schedule(text: str) -> tuple[str, Schedule]:
    """Parse an expression, and keep it as the schedule's name."""
    try:
        return " ".join(text.split()), expressions.parse(text)
    except expressions.ExpressionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def number_of_steps(text: str) -> int:
    """Parse a number of steps."""
    return integer(text, 1, MOST_STEPS)


def shielded(word: str) -> str:
    """Put a space before an expression that begins with a minus, or argparse would take it for an option.

    Example:
        >>> shielded("-0.5*Constant(1)"), shielded("--steps"), shielded("-o(1).png")
        (' -0.5*Constant(1)', '--steps', '-o(1).png')
    """
    return f" {word}" if NEGATIVE.match(word) else word


COMMAND = Command(
    name="plot",
    summary="Draw learning-rate schedules into a file or into the terminal.",
    add_arguments=add_arguments,
    run=run,
)
