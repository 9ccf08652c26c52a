"""From text to a schedule: limits of the text, the parser, and its errors."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from gradstep.expressions.mistakes import ExpressionError
from gradstep.expressions.values import MAX_DEPTH, Builder

if TYPE_CHECKING:
    from gradstep.schedules import Schedule

MAX_LENGTH = 20_000
"""Characters of an expression: a `Table` of a thousand values fits."""
FOREIGN = re.compile(r"""[^\w.,()\[\]+\-*/='" ]""", re.ASCII)
"""A character that no schedule needs. With braces, colons and backslashes much of Python is out already."""


def parse(text: str) -> Schedule:
    """Make the schedule that a text describes, such as ``"Cosine(0.1, 1000).warmup(100)"``.

    Allowed are the classes of `gradstep.schedules` but `Lambda`, and those of `gradstep.feedback`, by name,
    with positional and keyword arguments; the compositions ``then``, ``warmup``, ``clip``, ``every``,
    ``shift``, ``repeat``, ``Exponential.with_rate``, and ``*`` between a schedule and a schedule or a number;
    numbers, strings, True, False, None, lists and tuples of these; and ``+ - * / **`` between numbers. So
    the ``repr`` of every schedule without a `Lambda` is an expression.

    Args:
        text: the expression, at most 20,000 characters.

    Returns:
        The schedule.

    Raises:
        TypeError: if ``text`` is not a string.
        ExpressionError: a ValueError, if the text is something else, too long or too deeply nested, or if
            a schedule refuses its arguments. Nothing that is refused has been run.

    Example:
        >>> from gradstep.expressions import parse
        >>> parse("0.5 * Linear(1e-1, end=0.0, steps=10**3)")
        Product(a=Linear(start=0.1, end=0.0, steps=1000), b=Constant(value=0.5))
        >>> parse("Table([0.1, 0.01]).every(100)")(100)
        0.01
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    text = text.strip(" \t\r\n")
    if len(text) > MAX_LENGTH:
        reason = f"the expression is longer than {MAX_LENGTH:,} characters"
        raise ExpressionError(reason, text[: MAX_LENGTH + 1], MAX_LENGTH)
    # The places of the characters stay the same, so that columns do.
    text = re.sub(r"[\t\r\n]", " ", text)
    check_characters(text)
    try:
        with warnings.catch_warnings():
            # "0x1or 2" is deprecated, and refused below anyway.
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval").body
        return Builder(text).schedule(tree)
    except SyntaxError as error:
        # What is missing at the end has no place, or one past it.
        column = min(error.offset - 1, len(text)) if error.offset else len(text)
        raise ExpressionError(error.msg, text, column) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is too deeply nested", text, 0) from None


def check_characters(text: str) -> None:
    """Refuse what is empty, nested too deep, or has a character that no schedule needs."""
    if not text:
        raise ExpressionError("expected a schedule such as Cosine(0.1, 1000), got nothing", text, 0)
    if foreign := FOREIGN.search(text):
        raise ExpressionError(f"unexpected character {foreign[0]!a}", text, foreign.start())
    if digits := re.search(r"[0-9_]{400,}", text):
        raise ExpressionError("the number is too large", text, digits.start())
    depth = 0
    for bracket in re.finditer(r"[()\[\]]", text):
        depth += 1 if bracket[0] in "([" else -1
        if depth > MAX_DEPTH:
            reason = f"the expression is nested more than {MAX_DEPTH} deep"
            raise ExpressionError(reason, text, bracket.start())
