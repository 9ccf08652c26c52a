"""The progress bar: one line of a terminal, and nothing elsewhere."""

from typing import Any

import pytest

from gradstep.progress import ProgressBar


class Terminal:
    """A stream that says it is a terminal, or not."""

    def __init__(self, is_terminal: bool) -> None:
        self.is_terminal, self.text = is_terminal, ""

    def isatty(self) -> bool:
        return self.is_terminal

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def test_draws_one_line_and_wipes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "45")
    stream: Any = Terminal(True)
    with ProgressBar(4, stream) as bar:
        bar.label = "Adam (OneCycle) and more"
        for _ in range(4):
            bar.advance()
    frames = stream.text.split("\r\x1b[K")
    assert frames[1] == "[#######.......................]  25%  Adam "
    assert frames[-2:] == ["[##############################] 100%  Adam ", ""]
    assert max(map(len, frames)) == 44
    assert "\n" not in stream.text


def test_is_silent_where_there_is_no_terminal() -> None:
    stream: Any = Terminal(False)
    with ProgressBar(2, stream) as bar:
        bar.advance()
    assert stream.text == ""
