"""The command line: `gradstep`, and `python -m gradstep`."""

import argparse
import sys
from collections.abc import Sequence

import gradstep as gs
from gradstep import starting
from gradstep.cli import bench, demo, info, inspect, plot, rates
from gradstep.cli.output import complain, open_streams, settle_streams

COMMANDS = (demo.COMMAND, bench.COMMAND, plot.COMMAND, rates.COMMAND, inspect.COMMAND, info.COMMAND)
SUMMARY = "Fast in-place optimizer steps and learning-rate schedules for NumPy training code."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Without a command it prints the help.

    Args:
        argv: the arguments without the program's name; `sys.argv[1:]` by default.

    Returns:
        The exit status: 0 for success, 1 for failure, of which writing the output is one, 130 for Ctrl-C.
        Wrong usage raises SystemExit(2).
    """
    open_streams()
    try:
        starting.let_interrupt()
        try:
            return run(sys.argv[1:] if argv is None else argv)
        finally:
            # Also what `--help` prints, which ends by SystemExit.
            sys.stdout.flush()
    except KeyboardInterrupt:
        complain("gradstep: interrupted")
        return starting.INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `gradstep info | head -1`.
        return 1
    except OSError as error:
        if error.filename is not None:
            raise
        complain(f"gradstep: cannot write the output: {error.strerror}")
        return 1
    finally:
        starting.end_when_interrupted()
        settle_streams()


def run(argv: Sequence[str]) -> int:
    """Find the command, and run it."""
    parser = argparse.ArgumentParser(prog="gradstep", description=SUMMARY)
    parser.add_argument("--version", action="version", version=f"gradstep {gs.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    arguments = parser.parse_args([plot.shielded(word) for word in argv])
    if "run" not in arguments:
        parser.print_help()
        return 0
    status: int = arguments.run(arguments)
    return status
