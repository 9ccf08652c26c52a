"""`gradstep plot`: draw schedules given as text, or runs, into a file or into the terminal."""

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from gradstep import expressions
from gradstep.charts import output_encoding
from gradstep.cli.arguments import integer, picture_path
from gradstep.cli.chart import chart, series_chart
from gradstep.cli.command import Command, Example
from gradstep.cli.output import STDOUT, complain, finite, write_json
from gradstep.cli.terminals import columns
from gradstep.history import History
from gradstep.horizons import MOST_STEPS, default_steps
from gradstep.plots.histories import is_rate, save_runs, shown_by_default
from gradstep.plots.schedules import save_schedules
from gradstep.schedules import Schedule

Series: TypeAlias = dict[str, tuple[list[int], list[float]]]
"""The steps and values of a run's columns."""

MOST_POINTS = 1000
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
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "-o",
        "--output",
        type=picture_path,
        metavar="FILE.png",
        help="draw into a file (needs matplotlib: pip install matplotlib); by default, the terminal",
    )
    ways.add_argument(
        "--json",
        action="store_true",
        help=f"print steps and values as JSON instead, of schedules at most {MOST_POINTS:,}",
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
        if histories and arguments.steps:
            raise ValueError("--steps is for schedules; a run has its own")
        if schedules and arguments.columns:
            raise ValueError("--columns is for runs; a schedule has only its rate")
        runs = {
            name: chosen_series(name, one, arguments.columns, len(drawn)) for name, one in histories.items()
        }
        steps = arguments.steps or max(map(default_steps, schedules.values()), default=0)
        if arguments.json:
            write_json(STDOUT, runs_as_json(runs) if runs else schedules_as_json(schedules, steps))
        elif arguments.output:
            if runs:
                save_runs(runs, arguments.output)
            else:
                save_schedules(schedules, steps, arguments.output)
        else:
            width, encoding = columns(), output_encoding()
            print("\n\n".join(charts(schedules, runs, steps, width, encoding)))
    except ValueError as error:
        complain(f"gradstep plot: {error}")
        return 2
    except OSError as error:
        if not arguments.output:
            raise
        complain(f"gradstep plot: cannot write {str(arguments.output)!r}: {error.strerror}")
        return 1
    return 0


def chosen_series(name: str, history: History, chosen: list[str] | None, count: int) -> Series:
    """Give the columns of a run that are to be drawn, with their steps and values.

    Args:
        name: of the run, for errors.
        history: the run.
        chosen: names of columns.
        count: how many runs there are.

    Raises:
        ValueError: it has not got the columns, or nothing.
    """
    names = chosen or shown_by_default(history.columns)
    if not chosen and count > 1:
        # Their rates would hide the losses.
        names = [column for column in names if not is_rate(column)] or names
    try:
        series = {column: history.series(column) for column in names}
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not series:
        raise ValueError(f"{name}: there is nothing to draw")
    return series


def charts(
    schedules: dict[str, Schedule], runs: dict[str, Series], steps: int, width: int, encoding: str
) -> Iterator[str]:
    """Draw with characters, one chart for each schedule and each column of a run."""
    for name, schedule in schedules.items():
        yield f"{name}\n{broken(chart(schedule, steps, width, encoding), width)}"
    for name, series in runs.items():
        for column, points in series.items():
            yield f"{name}: {column}\n{broken(series_chart(*points, width, encoding), width)}"


def broken(drawn: str, width: int) -> str:
    """Break the line above a chart, of words, where the terminal ends."""
    facts, _, bars = drawn.partition("\n")
    return f"{textwrap.fill(facts, width)}\n{bars}"


def schedules_as_json(schedules: dict[str, Schedule], steps: int) -> dict[str, object]:
    """Evaluate schedules at steps that are evenly spread."""
    t = np.linspace(0, steps - 1, min(steps, MOST_POINTS)).astype(np.int64)
    values = {name: one(t).tolist() for name, one in schedules.items()}
    return {"steps": t.tolist(), "schedules": {name: [*map(finite, of)] for name, of in values.items()}}


def runs_as_json(runs: dict[str, Series]) -> dict[str, object]:
    """Collect what runs have recorded."""
    return {
        "runs": {
            name: {
                column: {"steps": steps, "values": [*map(finite, values)]}
                for column, (steps, values) in series.items()
            }
            for name, series in runs.items()
        }
    }


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
    examples=(
        Example("A schedule in the terminal", 'gradstep plot "Cosine(0.1, 1000).warmup(100)"'),
        Example(
            "Two in one picture",
            'gradstep plot "Linear(0.1, 0, 500)" "Exponential(0.1, 0.99)" --steps 500 -o rates.png',
        ),
        Example(
            "Losses of runs that gradstep.History logged",
            "gradstep plot first.jsonl second.csv --columns loss",
        ),
        Example("The values, for programs", 'gradstep plot "OneCycle(0.1, 1000)" --json'),
    ),
)
