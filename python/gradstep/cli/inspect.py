"""`gradstep inspect`: what is in a checkpoint, whether it is whole, and how two of them differ."""

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from gradstep.archives import CheckpointError
from gradstep.checkpoints.inspection import Inspection, differences, inspect
from gradstep.cli.arguments import readable_path
from gradstep.cli.command import Command, Example
from gradstep.cli.output import STDOUT, complain, write_json
from gradstep.cli.terminals import table_width, wrapped
from gradstep.tables import as_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=readable_path, metavar="FILE", help="a file that gradstep.save wrote")
    parser.add_argument(
        "other", type=readable_path, metavar="OTHER", nargs="?", help="another one, to be compared with it"
    )
    parser.add_argument("--json", action="store_true", help="print the same as JSON instead")


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
            except OSError as error:  # it was there a moment ago
                complain(f"gradstep inspect: cannot read {path!r}: {error.strerror}")
                return 1
        if len(inspected) == 2:
            return compare(paths, inspected, as_json=arguments.json)
        if arguments.json:
            write_json(STDOUT, summary(paths[0], inspected[0]))
            return 0
        for line in description(paths[0], inspected[0]):
            print(
                wrapped(printable(line))
                if " " in line.strip() and not line.startswith(" ")
                else printable(line)
            )
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
        head = ("array", "dtype", "shape", "bytes", "xxh3")
        yield from as_text(head, rows, left=3, width=table_width()).splitlines()
    yield ""
    yield f"whole: the checksums of all {len(file.arrays):,} arrays hold, {file.nbytes:,} bytes"


def summary(path: str, file: Inspection) -> dict[str, object]:
    """Collect the same, without the extra values."""
    return {
        "file": path,
        "kind": file.kind,
        "writer": file.writer,
        "optimizers": {
            name: {
                "class": state["class"],
                "step_count": state["step_count"],
                "parameters": list(state["parameters"]),
                "groups": [group["hyperparameters"] for group in state["groups"]],
            }
            for name, state in file.optimizers.items()
        },
        "extra": {str(key): kind(value) for key, value in file.extra.items()},
        "arrays": {
            name: {
                "dtype": str(one.dtype),
                "shape": list(one.shape),
                "bytes": one.form.nbytes,
                "xxh3": one.form.checksum,
            }
            for name, one in file.arrays.items()
        },
        "bytes": file.nbytes,
    }


def compare(paths: list[str], files: list[Inspection], *, as_json: bool) -> int:
    """Print where two files differ."""
    rows = list(differences(*files))
    if as_json:
        places = [{"place": place, "values": values} for place, *values in rows]
        write_json(STDOUT, {"files": paths, "same": not rows, "differences": places})
    elif not rows:
        print(printable(f"{paths[0]} and {paths[1]} hold the same, bit for bit"))
    else:
        table = as_text(("", *paths), rows, left=3, width=table_width())
        print(*map(printable, table.splitlines()), sep="\n")
    return 1 if rows else 0


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
    examples=(
        Example("What is in it, and whether it is whole", "gradstep inspect run.npz"),
        Example("Where two differ", "gradstep inspect run.npz run.1.npz"),
        Example("For programs", "gradstep inspect run.npz --json"),
    ),
    failure="a file is damaged, or two of them differ",
)
