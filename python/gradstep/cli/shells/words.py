"""What can be typed, read off argparse's declarations: names, what they mean, and which values they take."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Values:
    """What an option or an argument takes.

    Attributes:
        title: its name in the help.
        words: all that it may be, if they can be listed.
        files: whether it may be a file.
        least: how many there have to be.
        many: whether there may be any number.
    """

    title: str
    words: tuple[str, ...]
    files: bool
    least: int
    many: bool


@dataclass(frozen=True)
class Option:
    """An option; ``values`` is None if it takes none."""

    names: tuple[str, ...]
    help: str
    values: Values | None


@dataclass(frozen=True)
class Level:
    """A command, or the program without one."""

    name: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Values, ...]


@dataclass(frozen=True)
class Program:
    """The whole command line."""

    top: Level
    commands: tuple[Level, ...]


def program_of(parser: argparse.ArgumentParser, takes_files: Iterable[Callable[[str], Any]]) -> Program:
    """Read a parser with its commands.

    Args:
        parser: of the whole command line.
        takes_files: the functions that argparse is given as ``type`` where a file is meant.
    """
    chosen = frozenset(takes_files)
    commands = []
    # argparse has no other way to ask for what it was told.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {one.dest: one.help or "" for one in action._choices_actions}
            commands = [
                level_of(name, summaries[name], subparser, chosen)
                for name, subparser in action.choices.items()
            ]
    return Program(level_of("", parser.description or "", parser, chosen), tuple(commands))


def level_of(
    name: str, summary: str, parser: argparse.ArgumentParser, takes_files: frozenset[Callable[[str], Any]]
) -> Level:
    """Read what a command takes."""
    options, arguments = [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        values = values_of(action, takes_files)
        if action.option_strings:
            options.append(Option(tuple(action.option_strings), explanation(action), values))
        elif values is not None:
            arguments.append(values)
    return Level(name, summary, tuple(options), tuple(arguments))


def values_of(action: argparse.Action, takes_files: frozenset[Callable[[str], Any]]) -> Values | None:
    """Read what an option or argument takes, or None if it takes nothing."""
    if action.nargs == 0:
        return None
    title = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    words = tuple(map(str, action.choices or ()))
    least = 0 if action.nargs in ("?", "*") else 1
    return Values(title, words, action.type in takes_files, least, action.nargs in ("+", "*"))


def explanation(action: argparse.Action) -> str:
    """Give an option's help in one line, without what stands in parentheses."""
    told = " ".join((action.help or "").split()).replace("%%", "%")
    return told.split(" (")[0]


def with_names(level: Level) -> Iterator[tuple[str, Option]]:
    """Give each name of each option."""
    for option in level.options:
        for name in option.names:
            yield name, option
