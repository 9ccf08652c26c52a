"""Tables, as text for a terminal and as Markdown."""

from collections.abc import Sequence

Row = Sequence[str]


def as_text(head: Row, rows: Sequence[Row], *, left: int = 1, width: int | None = None) -> str:
    """Lay out a table in columns, or in one line for each cell if they are wider than there is room.

    Args:
        head: the columns' titles.
        rows: one string a cell.
        left: how many columns, from the first one, are aligned to the left; numbers go to the right.
        width: how many characters a line has room for; any number by default.

    Example:
        >>> print(as_text(("rule", "µs"), [("SGD", "9"), ("Adam", "10.5")]))
        rule    µs
        ----  ----
        SGD      9
        Adam  10.5
        >>> print(as_text(("rule", "µs"), [("SGD", "9"), ("Adam", "10.5")], width=9))
        SGD
          µs  9
        Adam
          µs  10.5
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(room) if column < left else cell.rjust(room)
            for column, (cell, room) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, *rows)
    ]
    rule = "  ".join("-" * room for room in widths)
    if width is not None and len(rule) > width:
        return "\n".join(line for cells in rows for line in record(head, cells))
    return "\n".join([lines[0], rule, *lines[1:]])


def record(head: Row, cells: Row) -> list[str]:
    """Lay out a row below its first cell, a line for each of the others that is not empty."""
    room = max(map(len, head[1:]), default=0)
    pairs = zip(head[1:], cells[1:], strict=True)
    return [cells[0], *(f"  {title.ljust(room)}  {cell}" for title, cell in pairs if cell)]


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
