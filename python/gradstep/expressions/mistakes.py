"""The error that shows where an expression is wrong."""

WINDOW = 72
"""Characters of a long expression that an error shows."""


class ExpressionError(ValueError):
    """A text that is not a schedule. Its message shows the text, with a caret under the mistake.

    Attributes:
        reason: what is wrong, in one line.
        text: the expression.
        column: where, counted from 0.

    Example:
        >>> from gradstep.expressions import ExpressionError, parse
        >>> try:  # doctest: +ELLIPSIS
        ...     parse("Cosine(0.1, 1000).warm(100)")
        ... except ExpressionError as error:
        ...     print(error)
        a schedule has no 'warm' here; expected one of then, warmup, ...
          Cosine(0.1, 1000).warm(100)
                            ^
    """

    def __init__(self, reason: str, text: str, column: int) -> None:
        super().__init__(reason, text, column)
        self.reason = reason
        self.text = text
        self.column = column

    def __str__(self) -> str:
        start = max(0, min(self.column - WINDOW // 2, len(self.text) - WINDOW))
        shown = self.text[start : start + WINDOW]
        before = "..." if start > 0 else ""
        after = "..." if start + WINDOW < len(self.text) else ""
        caret = " " * (len(before) + self.column - start) + "^"
        # What is not printable would move the caret, or the terminal's cursor.
        shown = "".join(c if c.isprintable() else "?" for c in shown)
        return f"{self.reason}\n  {before}{shown}{after}\n  {caret}"
