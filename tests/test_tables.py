"""Tables as text and as Markdown."""

from gradstep.tables import as_markdown, as_text


def test_tables() -> None:
    head, rows = ("what", "µs"), [("a", "1"), ("longer", "1000")]
    assert as_text(head, rows).splitlines() == [
        "what      µs",
        "------  ----",
        "a          1",
        "longer  1000",
    ]
    assert as_markdown(head, rows).splitlines()[1] == "|---|--:|"
