"""Completion of the command line in shells: what can be typed, and a script for each shell."""

from collections.abc import Callable

from gradstep.cli.shells import bash, fish, zsh
from gradstep.cli.shells.words import Program

__all__ = ["SCRIPTS"]

SCRIPTS: dict[str, Callable[[Program], str]] = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}
