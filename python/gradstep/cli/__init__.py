"""The command line: `gradstep`, and `python -m gradstep`."""

import argparse
import io
import os
import sys
from collections.abc import Sequence

import gradstep as gs
from gradstep.cli import bench, demo, info, plot

COMMANDS = (demo.COMMAND, bench.COMMAND, plot.COMMAND, info.COMMAND)
SUMMARY = "Fast in-place optimizer steps and learning-rate schedules for NumPy training code."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments without the program's name; `sys.argv[1:]` by default.

    Returns:
        The exit status: 0 for success, 1 for failure, 130 for Ctrl-C. Wrong usage raises SystemExit(2).
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show "µ" gets "?", not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="gradstep", description=SUMMARY)
    parser.add_argument("--version", action="version", version=f"gradstep {gs.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    try:
        arguments = parser.parse_args(argv)
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("gradstep: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader has gone, as in `gradstep info | head -1`; Python would flush again at exit and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
