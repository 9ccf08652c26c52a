"""Schedules written as text, for the command line and for files of settings.

The text is Python's notation, but nothing of it is run as Python: it is taken apart with `ast`, each part
is looked up in a list of what is allowed, and all else is refused. Time and memory are bounded by the
length of the text, which is limited too.

Example:
    >>> from gradstep import expressions
    >>> expressions.parse("Cosine(0.1, 1000).warmup(100)")(100)
    0.1
"""

from gradstep.expressions.mistakes import ExpressionError
from gradstep.expressions.text import parse

__all__ = ["ExpressionError", "parse"]
