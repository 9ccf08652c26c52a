"""`gradstep plot`: draw schedules given as text, or runs, into a file or into the terminal."""

import argparse
import re
import shutil
from pathlib import Path

from gradstep import expressions
from gradstep.charts import output_encoding
from gradstep.cli.arguments import integer, picture_path
from gradstep.cli.chart import chart, series_chart
from gradstep.cli.command import Command
from gradstep.cli.output import complain
from gradstep.history import History
from gradstep.horizons import MOST_STEPS, default_steps
from gradstep.plots.histories import is_rate, save_runs, shown_by_default
from gradstep.plots.schedules import save_schedules
from gradstep.schedules import Schedule

RUNS = (".csv", ".jsonl")
NEGATIVE = re.compile(r"-(?!o|-[a-z]).*\(", re.DOTALL)
"""An expression that begins with a minus, and not an option with a file such as `-o"curves(1).png"`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "drawn",
        type=drawable,
        nargs="+",
        metavar="SCHEDULE",
        help="""an expression such as "Cosine(0.1, 1000).warmup(100)", of the classes and compositions of
        gradstep.schedules and gradstep.feedback; or runs instead, files such as run.jsonl and run.csv, as
        gradstep.History writes them""",
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
    parser.add_argument(
        "--columns",
        type=lambda text: text.split(","),
        metavar="A,B",
        help="which columns of runs to draw (default: the losses, or else all; of a single run the rate too)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw."""
    drawn: dict[str, Schedule | History] = dict(arguments.drawn)
    schedules = {name: one for name, one in drawn.items() if isinstance(one, Schedule)}
    histories = {name: one for name, one in drawn.items() if isinstance(one, History)}
    try:
        if schedules and histories:
            raise ValueError("schedules and runs cannot be drawn in one picture")
        if histories:
            draw_runs(histories, arguments.columns, arguments.output)
        else:
            draw_schedules(schedules, arguments.steps, arguments.output)
    except ValueError as error:
        complain(f"gradstep plot: {error}")
        return 2
    except OSError as error:
        if not arguments.output:
            raise
        complain(f"gradstep plot: cannot write {str(arguments.output)!r}: {error.strerror}")
        return 2
    return 0


def draw_schedules(schedules: dict[str, Schedule], steps: int | None, output: Path | None) -> None:
    """Draw schedules into a file, or print them one below the other."""
    steps = steps or max(map(default_steps, schedules.values()))
    if output:
        save_schedules(schedules, steps, output)
        return
    width = shutil.get_terminal_size().columns
    encoding = output_encoding()
    print("\n\n".join(f"{name}\n{chart(one, steps, width, encoding)}" for name, one in schedules.items()))


def draw_runs(histories: dict[str, History], columns: list[str] | None, output: Path | None) -> None:
    """Draw runs into a file, or print each of their columns.

    Raises:
        ValueError: a run has not got the columns, or nothing.
    """
    runs = {}
    for name, history in histories.items():
        chosen = columns or shown_by_default(history.columns)
        if not columns and len(histories) > 1:
            # Their rates would hide the losses.
            chosen = [column for column in chosen if not is_rate(column)] or chosen
        try:
            runs[name] = {column: history.series(column) for column in chosen}
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if not chosen:
            raise ValueError(f"{name}: there is nothing to draw")
    if output:
        save_runs(runs, output)
        return
    width = shutil.get_terminal_size().columns
    charts = [
        f"{name}: {column}\n{series_chart(*points, width, output_encoding())}"
        for name, series in runs.items()
        for column, points in series.items()
    ]
    print("\n\n".join(charts))


def drawable(text: str) -> tuple[str, Schedule | History]:
    """Read a run if this is the name of such a file, and parse an expression otherwise."""
    if Path(text).suffix.lower() not in RUNS:
        return named_schedule(text)
    try:
        return text, History.read(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text!r}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    summary="Draw learning-rate schedules or training runs into a file or into the terminal.",
    add_arguments=add_arguments,
    run=run,
)
