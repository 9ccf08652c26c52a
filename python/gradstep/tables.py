"""Tables, as text for a terminal and as Markdown."""

from collections.abc import Sequence

Row = Sequence[str]


def as_text(head: Row, rows: Sequence[Row], *, left: int = 1) -> str:
    """Lay out a table in columns.

    Args:
        head: the columns' titles.
        rows: one string a cell.
        left: how many columns, from the first one, are aligned to the left; numbers go to the right.

    Example:
        >>> print(as_text(("rule", "µs"), [("SGD", "9"), ("Adam", "10.5")]))
        rule    µs
        ----  ----
        SGD      9
        Adam  10.5
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *rows)
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def as_markdown(head: Row, rows: Sequence[Row], *, left: int = 1) -> str:
    """Write a table in Markdown; the arguments are those of `as_text`.

    Example:
        >>> print(as_markdown(("rule", "µs"), [("SGD", "9")]))
        | rule | µs |
        |---|--:|
        | SGD | 9 |
    """
    rule = "".join("---|" if column < left else "--:|" for column in range(len(head)))
    lines = ["| " + " | ".join(line) + " |" for line in (head, *rows)]
    lines.insert(1, "|" + rule)
    return "\n".join(lines)
