"""What a subcommand is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A line to try.

    Attributes:
        purpose: what it does.
        line: what is typed.
    """

    purpose: str
    line: str


@dataclass(frozen=True)
class Command:
    """A subcommand of `gradstep`.

    Attributes:
        name: what the user types.
        summary: one line for the help.
        add_arguments: declares the command's arguments.
        run: does the work and returns the exit status.
        examples: for the help.
        failure: what exit status 1 means, for the help.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    examples: tuple[Example, ...]
    failure: str = "the output cannot be written"
