"""The command line: `gradstep`, and `python -m gradstep`."""

import sys
from collections.abc import Sequence

from gradstep import starting
from gradstep.cli import bench, completion, demo, info, inspect, plot, rates
from gradstep.cli.output import complain, open_streams, settle_streams
from gradstep.cli.parsers import parser_of

COMMANDS = (
    demo.COMMAND,
    bench.COMMAND,
    plot.COMMAND,
    rates.COMMAND,
    inspect.COMMAND,
    info.COMMAND,
    completion.COMMAND,
)


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
        # A terminal has written ^C at the beginning of the line.
        complain("\rgradstep: interrupted" if sys.stderr.isatty() else "gradstep: interrupted")
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
    parser = parser_of(COMMANDS)
    arguments = parser.parse_args([plot.shielded(word) for word in argv])
    if "run" not in arguments:
        parser.print_help()
        return 0
    status: int = arguments.run(arguments)
    return status
