"""Kinds of arguments that several commands take, for argparse's `type=`."""

import argparse
from pathlib import Path

from gradstep import figures
from gradstep.cli.output import writable_path


def integer(text: str, low: int, high: int) -> int:
    """Parse an integer from `low` to `high`."""
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"expected an integer from {low} to {high}, got {text!r}")
    return value


def plot_path(text: str, command: str) -> Path:
    """Check that matplotlib is there, that it knows the file's format, and that the file can be written.

    Args:
        text: the path.
        command: whose `--plot` it is; the extra that brings matplotlib has the same name.
    """
    try:
        formats = figures.formats()
    except ImportError:
        raise argparse.ArgumentTypeError(
            f"gradstep {command} --plot needs matplotlib: pip install gradstep[{command}]"
        ) from None
    suffix = Path(text).suffix.removeprefix(".").lower()
    if suffix not in formats:
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of .{', .'.join(sorted(formats))}")
    return writable_path(text)
