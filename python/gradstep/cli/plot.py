"""`gradstep plot`: draw schedules given as text, into a file or into the terminal."""

import argparse
import shutil
import sys
from pathlib import Path

from gradstep import expressions
from gradstep.cli.chart import chart
from gradstep.cli.command import Command
from gradstep.cli.output import writable_path
from gradstep.horizons import MOST_STEPS, default_steps
from gradstep.plots.canvas import file_formats
from gradstep.plots.schedules import save_schedules
from gradstep.schedules import Schedule


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
        help="draw into a file (needs matplotlib: pip install 'gradstep[plot]'); by default, the terminal",
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
            print(f"gradstep plot: cannot write {str(arguments.output)!r}: {error.strerror}", file=sys.stderr)
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
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 1 <= value <= MOST_STEPS:
        raise argparse.ArgumentTypeError(f"expected an integer from 1 to 2**53, got {text!r}")
    return value


def picture_path(text: str) -> Path:
    """Check that matplotlib is there, that it knows the file's format, and that the file can be written."""
    try:
        formats = file_formats()
    except ImportError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if Path(text).suffix.removeprefix(".").lower() not in formats:
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of .{', .'.join(sorted(formats))}")
    return writable_path(text)


COMMAND = Command(
    name="plot",
    summary="Draw learning-rate schedules into a file or into the terminal.",
    add_arguments=add_arguments,
    run=run,
)
