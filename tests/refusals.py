"""Refusals: an exception of exactly this class with exactly this message, and those of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gradstep.cli import main


@contextmanager
def refuses(error: type[BaseException], message: str) -> Iterator[None]:
    """What is done inside is refused."""
    with pytest.raises(error) as caught:
        yield
    assert str(caught.value) == message
    assert type(caught.value) is error


def refusal(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> str:
    """Run a command line that must be refused, and return what it says after the usage."""
    with pytest.raises(SystemExit) as exit_:
        main([command, *arguments])
    assert exit_.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.partition(f"gradstep {command}: error: ")[2]
