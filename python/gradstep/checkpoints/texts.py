"""Hyperparameters as texts, which are read back without running anything that they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradstep.expressions import parse
from gradstep.schedules import Schedule

if TYPE_CHECKING:
    from typing import Any

WORDS: dict[str, Any] = {"None": None, "True": True, "False": False}


def write(value: Any) -> str | None:
    """Give the repr of what was given for a hyperparameter, or None where that is not all of it.

    No text stands for a Python function, as in `gradstep.schedules.Lambda`.
    """
    text = repr(value)
    return None if isinstance(value, Schedule) and "Lambda(" in text else text


def read(text: str) -> Any:
    """Make the value of a text.

    Raises:
        ValueError: it is none that `write` gives.

    Example:
        >>> from gradstep.checkpoints.texts import read
        >>> read("(-inf, 0.5)"), read("'skip'"), read("Linear(start=1.0, end=0.0, steps=5)")
        ((-inf, 0.5), 'skip', Linear(start=1.0, end=0.0, steps=5))
    """
    if re.fullmatch(r"\([^()]*,[^()]*\)", text):
        return tuple(plain(part.strip()) for part in text[1:-1].split(","))
    try:
        return plain(text)
    except ValueError:
        return parse(text)


def plain(text: str) -> Any:
    """Make the value of a text that is not made of others: a constant, a word, a number."""
    if text in WORDS:
        return WORDS[text]
    if re.fullmatch(r"'\w*'", text, re.ASCII):
        return text[1:-1]
    return float(text)
