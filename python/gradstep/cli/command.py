"""What a subcommand is."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A subcommand of `gradstep`.

    Attributes:
        name: what the user types.
        summary: one line for the help.
        add_arguments: declares the command's arguments.
        run: does the work and returns the exit status.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
