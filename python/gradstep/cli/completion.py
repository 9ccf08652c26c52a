"""`gradstep completion`: a script that makes a shell complete the command line.

It is written from argparse's own declarations and knows all words by itself: Python is not started at each
press of a key, which with NumPy would take a tenth of a second, and no package for it is needed.
"""

import argparse

from gradstep.cli.arguments import json_target, picture_path, readable_path, writable_path
from gradstep.cli.command import Command, Example
from gradstep.cli.plot import drawable
from gradstep.cli.shells import SCRIPTS
from gradstep.cli.shells.words import program_of

FILES = (json_target, picture_path, readable_path, writable_path, drawable)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("shell", choices=list(SCRIPTS), metavar="SHELL", help=f"one of {', '.join(SCRIPTS)}")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    print(SCRIPTS[arguments.shell](program_of(arguments.root, FILES)), end="")
    return 0


COMMAND = Command(
    name="completion",
    summary="Print a script that makes a shell complete commands, options and their values.",
    add_arguments=add_arguments,
    run=run,
    examples=(
        Example("A line for ~/.bashrc", 'eval "$(gradstep completion bash)"'),
        Example("One for ~/.zshrc, after compinit", 'eval "$(gradstep completion zsh)"'),
        Example("One for ~/.config/fish/config.fish", "gradstep completion fish | source"),
        Example(
            "A file that bash reads when it is needed",
            "gradstep completion bash > ~/.local/share/bash-completion/completions/gradstep",
        ),
    ),
)
