"""`gradstep inspect`: what is in a checkpoint, whether it is whole, and how two of them differ."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from gradstep.archives import CheckpointError
from gradstep.checkpoints.inspection import Inspection, differences, inspect
from gradstep.cli.command import Command
from gradstep.cli.output import complain
from gradstep.tables import as_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a file that gradstep.save wrote")
    parser.add_argument("other", metavar="OTHER", nargs="?", help="another one, to be compared with it")


def run(arguments: argparse.Namespace) -> int:
    """Print what is in a file, or where two of them differ: then the exit status is 1."""
    paths = [path for path in (arguments.file, arguments.other) if path is not None]
    with ExitStack() as stack:
        inspected = []
        for path in paths:
            try:
                inspected.append(inspect(stack.enter_context(open(path, "rb"))))
            except CheckpointError as error:
                complain(printable(f"gradstep inspect: {path}: {error}"))
                return 1
            except OSError as error:
                complain(f"gradstep inspect: cannot read {path!r}: {error.strerror}")
                return 1
        if len(inspected) == 2:
            return compare(paths, inspected)
        print(*map(printable, description(paths[0], inspected[0])), sep="\n")
        return 0


def description(path: str, file: Inspection) -> Iterator[str]:
    """Describe a file."""
    yield f"{path}: {file.kind}, written by {file.writer}"
    for name, state in file.optimizers.items():
        count, arrays = len(state["parameters"]), [one.get("array") for one in state["parameters"].values()]
        with_or_without = "without" if None in arrays else "with"
        yield ""
        yield f"{name + ': ' if name else ''}{state['class']} after {state['step_count']:,} steps"
        yield f"{count:,} parameter{'' if count == 1 else 's'}, {with_or_without} the arrays"
        for i, group in enumerate(state["groups"]):
            place = f"group {i}: " if len(state["groups"]) > 1 else ""
            yield place + ", ".join(f"{key}={text}" for key, text in group["hyperparameters"].items())
    if file.extra:
        yield ""
        yield f"extra: {', '.join(f'{key} ({kind(value)})' for key, value in file.extra.items())}"
    if file.arrays:
        yield ""
        rows = [
            (name, str(one.dtype), str(one.shape), f"{one.form.nbytes:,}", one.form.checksum)
            for name, one in file.arrays.items()
        ]
        yield from as_text(("array", "dtype", "shape", "bytes", "xxh3"), rows, left=3).splitlines()
    yield ""
    yield f"whole: the checksums of all {len(file.arrays):,} arrays hold, {file.nbytes:,} bytes"


def compare(paths: list[str], files: list[Inspection]) -> int:
    """Print where two files differ."""
    rows = list(differences(*files))
    if not rows:
        print(printable(f"{paths[0]} and {paths[1]} hold the same, bit for bit"))
        return 0
    print(*map(printable, as_text(("", *paths), rows, left=3).splitlines()), sep="\n")
    return 1


def kind(value: Any) -> str:
    """Name the type of a value."""
    return "array" if hasattr(value, "form") else type(value).__name__


def printable(text: str) -> str:
    r"""Show what a terminal would take for a command.

    Example:
        >>> print(printable("\x1b[2Jw"))
        \x1b[2Jw
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


COMMAND = Command(
    name="inspect",
    summary="Show what is in a checkpoint, verify it, or compare two.",
    add_arguments=add_arguments,
    run=run,
)
