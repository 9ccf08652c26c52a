"""The first and the last instants of `gradstep` on the command line.

Python imports the package, and NumPy with it, before `gradstep.__main__` runs. In that tenth of a second
Ctrl-C, or an environment variable that the package refuses, would end in a traceback of imports. This module
comes first, and makes them end in a line. Where another program imports the package, it does nothing.

It imports next to nothing itself: until it is at work, Ctrl-C is Python's.
"""

# Not `signal`, whose enums would take most of the time until this is at work.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys
from itertools import pairwise

INTERRUPTED = 130
"""The exit status after Ctrl-C, as of a program that the signal itself has ended."""
WRONG_USAGE = 2


def is_command() -> bool:
    """Tell whether this process runs `gradstep` or `python -m gradstep`."""
    program: str = sys.argv[0] if getattr(sys, "argv", None) else ""
    if program == "-m":  # as long as Python imports the package that it was told to run
        return any(a[:1] + a[-1:] + b == "-mgradstep" for a, b in pairwise(sys.orig_argv))
    return os.path.splitext(os.path.basename(program))[0] == "gradstep"


def end_at_once(*_: object) -> None:
    """Answer Ctrl-C where there is nothing to clean up, and where an exception could get lost."""
    try:
        # A terminal has written ^C at the beginning of the line.
        os.write(2, b"\r" * os.isatty(2) + b"gradstep: interrupted\n")
    finally:
        os._exit(INTERRUPTED)


def tell(kind: type[BaseException], error: BaseException, traceback: object) -> None:
    """Report what ended the program: in a line if it is an environment variable."""
    if not str(error).startswith("GRADSTEP_"):
        sys.__excepthook__(kind, error, traceback)  # type: ignore[arg-type]
        return
    try:
        sys.stderr.write(f"gradstep: {error}\n")
    finally:  # standard error may be full or closed
        sys.exit(WRONG_USAGE)


def let_interrupt() -> None:
    """Make Ctrl-C a KeyboardInterrupt, for the time in which a command works."""
    if signal.getsignal(signal.SIGINT) is end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_when_interrupted() -> None:
    """Make Ctrl-C the end, at once; where it is ignored, as in a shell's background, it stays so."""
    if IS_COMMAND and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end_at_once)


IS_COMMAND = is_command()
end_when_interrupted()
if IS_COMMAND:
    sys.excepthook = tell
