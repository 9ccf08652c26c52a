"""Kinds of arguments that several commands take, for argparse's `type=`."""

import argparse
from pathlib import Path

from gradstep import figures
from gradstep.cli.output import STDOUT
from gradstep.files import check_replaceable


def integer(text: str, low: int, high: int) -> int:
    """Parse an integer from `low` to `high`."""
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"expected an integer from {low} to {high}, got {text!r}")
    return value


def writable_path(text: str) -> Path:
    """Check that a file can be written, before the work is done that is to go into it."""
    path = Path(text)
    try:
        check_replaceable(path)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot write {text!r}: {error.strerror}") from None
    return path


def readable_path(text: str) -> str:
    """Check that a file can be read."""
    try:
        open(text, "rb").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text!r}: {error.strerror}") from None
    return text


def json_target(text: str) -> Path | str:
    """Check that a file can be written; `-` stands for standard output."""
    return text if text == STDOUT else writable_path(text)


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--json [FILE]`, for commands whose arguments are options only: no other word can be meant."""
    parser.add_argument(
        "--json",
        nargs="?",
        const=STDOUT,
        type=json_target,
        metavar="FILE",
        help=f"write {what} as JSON into FILE, or print that instead",
    )


def picture_path(text: str) -> Path:
    """Check that matplotlib is there, that it knows the file's format, and that the file can be written."""
    try:
        formats = figures.formats()
    except ImportError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if figures.format_of(Path(text)) not in formats:
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of .{', .'.join(sorted(formats))}")
    return writable_path(text)
