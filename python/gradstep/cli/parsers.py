"""From the list of commands to a parser of their arguments, and to the texts of their help."""

import argparse
import sys
import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, NoReturn

import gradstep as gs
from gradstep.cli.command import Command, Example
from gradstep.cli.output import complain
from gradstep.cli.terminals import text_width

SUMMARY = "Fast in-place optimizer steps and learning-rate schedules for NumPy training code."
VARIABLES = (
    ("GRADSTEP_NUM_THREADS", "threads of a large step"),
    ("GRADSTEP_SIMD", "baseline, avx2 or avx512 instead of the best tier"),
    ("NO_COLOR, FORCE_COLOR", "errors without or with colours"),
    ("COLUMNS", "the width of help, tables and charts"),
)
UNUSABLE = "wrong usage, such as a file that cannot be read"
INDENT, USAGE = "  ", "usage: "


class Layout(argparse.RawDescriptionHelpFormatter):
    """Fills the terminal as far as it reads well; what is laid out already stays so."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"width": text_width() - 1, **options})

    def _split_lines(self, text: str, width: int) -> list[str]:
        # argparse has no other way to leave "torch-fused" whole.
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


class Parser(argparse.ArgumentParser):
    """Ends wrong usage with the usage and one line that says what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where there is help."""
        self.print_usage(sys.stderr)
        complain(f"{' ' * len(USAGE)}{self.prog} --help", coloured=False)
        complain(f"{self.prog}: error: {message}")
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            for near in get_close_matches(str(value), map(str, action.choices or ()), 1):
                error.message += f"; did you mean {near!r}?"
            raise


def parser_of(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """Declare the whole command line; what is parsed has its function `run`, and this parser as `root`."""
    parser = Parser(
        prog="gradstep",
        description=filled(SUMMARY),
        epilog=text(
            section("examples", examples(command.examples[0] for command in commands)),
            section("environment", items(VARIABLES)),
            filled("`gradstep COMMAND --help` has more about each command."),
        ),
        formatter_class=Layout,
    )
    parser.add_argument("--version", action="version", version=f"gradstep {gs.__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in commands:
        subparser = subparsers.add_parser(
            command.name,
            help=command.summary,
            description=filled(command.summary),
            epilog=text(
                section("examples", examples(command.examples)),
                section("exit status", items(statuses(command))),
            ),
            formatter_class=Layout,
        )
        command.add_arguments(subparser)
        subparser.usage = usage(subparser)
        subparser.set_defaults(run=command.run, root=parser)
    return parser


def usage(parser: argparse.ArgumentParser) -> str:
    """Name the arguments; of the options, which have lines of their own, only that there are some."""
    forms = {argparse.OPTIONAL: "[{}]", argparse.ONE_OR_MORE: "{} ..."}
    arguments = [action for action in parser._actions if not action.option_strings]
    words = [forms.get(str(action.nargs), "{}").format(action.metavar) for action in arguments]
    return filled(" ".join([parser.prog, "[options]", *words]), USAGE, " " * len(USAGE)).removeprefix(USAGE)


def statuses(command: Command) -> tuple[tuple[str, str], ...]:
    """Say what each exit status means."""
    return ("0", "success"), ("1", command.failure), ("2", UNUSABLE), ("130", "Ctrl-C")


def text(*parts: str) -> str:
    """Put an empty line between the parts of a help text."""
    return "\n\n".join(parts)


def section(title: str, lines: Iterable[str]) -> str:
    """Head lines as argparse heads its own sections."""
    return "\n".join([f"{title}:", *lines])


def examples(chosen: Iterable[Example]) -> list[str]:
    """Write examples, each a line about it and one to copy."""
    return [
        line
        for example in chosen
        for line in (filled(f"{example.purpose}:", INDENT), continued(example.line, 2 * INDENT))
    ]


def items(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Write names and what they mean: side by side if there is room, or below each other."""
    pairs = list(pairs)
    room = max(len(name) for name, _ in pairs) + 2
    if room > text_width() / 2:
        return [
            line
            for name, meaning in pairs
            for line in (INDENT + name, filled(meaning, 2 * INDENT, 2 * INDENT))
        ]
    return [filled(meaning, INDENT + name.ljust(room), INDENT + " " * room) for name, meaning in pairs]


def filled(words: str, first: str = "", others: str | None = None) -> str:
    """Break running text into lines, that begin as given."""
    return textwrap.fill(
        words,
        text_width() - 1,
        initial_indent=first,
        subsequent_indent=first if others is None else others,
        break_on_hyphens=False,
    )


def continued(line: str, indent: str) -> str:
    r"""Break a line for a shell, which a backslash at the end continues; quoted words stay whole.

    Example:
        >>> print(continued("gradstep demo --epochs 3", "  "))
          gradstep demo --epochs 3
    """
    lines, room = [""], text_width() - 1 - len(indent)
    parts = with_values(quoted_words(line))
    for i, part in enumerate(parts, start=1):
        longer = f"{lines[-1]} {part}" if lines[-1] else part
        if lines[-1] and len(longer) + (len(" \\") if i < len(parts) else 0) > room:
            lines.append("  " + part)
        else:
            lines[-1] = longer
    return " \\\n".join(indent + one for one in lines)


def with_values(words: list[str]) -> list[str]:
    """Join options and the word behind them, which may be their value.

    Example:
        >>> with_values(["gradstep", "demo", "--quick", "--rounds", "3"])
        ['gradstep', 'demo', '--quick', '--rounds 3']
    """
    joined = words[:1]
    for before, word in pairwise(words):
        if before.startswith("-") and not word.startswith("-"):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def quoted_words(line: str) -> list[str]:
    """Split a line at the spaces outside of double quotes.

    Example:
        >>> quoted_words('plot "Cosine(0.1, 1000)" -o lr.png')
        ['plot', '"Cosine(0.1, 1000)"', '-o', 'lr.png']
    """
    words, inside = [""], False
    for c in line:
        inside ^= c == '"'
        if c == " " and not inside:
            words.append("")
        else:
            words[-1] += c
    return words
